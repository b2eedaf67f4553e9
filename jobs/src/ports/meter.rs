//! Who counts how the API fares, for operators.

use std::time::Duration;

/// Is told what happens, for figures. It is called on the way of each request, so it counts and never waits.
pub trait Meter: Send + Sync + 'static {
    /// So many operations are durable in their lane, this long after their request was understood.
    fn accepted(&self, operations: usize, took: Duration);
    /// A live stream begins.
    fn stream_opened(&self);
    /// A live stream has ended.
    fn stream_closed(&self);
}

/// Nobody who counts.
impl Meter for () {
    fn accepted(&self, _: usize, _: Duration) {}

    fn stream_opened(&self) {}

    fn stream_closed(&self) {}
}
