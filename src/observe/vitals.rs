//! What health and metrics are read from.

use std::sync::Arc;

use fairy_jobs::ports::Upkeep;
use fairy_queue::{LaneSpec, Queue};
use tokio_util::sync::CancellationToken;

use crate::channels::Channels;

/// Handles to the parts that can say how they are.
#[derive(Clone)]
pub struct Vitals {
    /// The database.
    pub upkeep: Arc<dyn Upkeep>,
    /// The queue.
    pub queue: Queue,
    /// Its lanes.
    pub lanes: &'static [&'static LaneSpec],
    /// Who waits for an outcome, and who follows a feed.
    pub channels: Channels,
    /// Cancelled when the process is about to end, and therefore no longer ready.
    pub stopping: CancellationToken,
}
