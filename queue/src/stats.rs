//! What an operator or a metric reads of a lane.

use std::time::Duration;

/// The state of one lane at one moment; cheap to read however deep the lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LaneStats {
    /// Jobs that could be handed out now.
    pub waiting: u64,
    /// Jobs held back until a later time.
    pub later: u64,
    /// Jobs in the hands of workers.
    pub in_flight: u64,
    /// Jobs among the dead letters.
    pub dead: u64,
    /// Age of the job that has waited longest, if any waits.
    pub oldest: Option<Duration>,
    /// Whether the whole lane is paused.
    pub paused: bool,
    /// Groups of the lane that are paused by themselves.
    pub paused_groups: u64,
}
