//! What health and metrics are read from.

use std::sync::Arc;

use fairy_jobs::ports::Upkeep;
use fairy_queue::{LaneSpec, Queue};
use fairy_workers::aws::EventBridge;
use tokio_util::sync::CancellationToken;

use super::{Found, Meters};
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
    /// What this process has counted.
    pub meters: Meters,
    /// What the account of the operations came to, where it is looked at.
    pub account: Option<Found>,
    /// The event bus, if there is one.
    pub bus: Option<EventBridge>,
    /// Cancelled when the process is about to end, and therefore no longer ready.
    pub stopping: CancellationToken,
}
