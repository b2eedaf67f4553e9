//! What lane `operations` still holds, as the purge has to know it.

use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::ports::{Backlog, PortError, PortResult};
use fairy_queue::{LaneSpec, Queue};

/// The backlog of a lane.
#[derive(Debug, Clone)]
pub struct LaneBacklog {
    /// Where the lane is.
    pub queue: Queue,
    /// The lane.
    pub lane: &'static LaneSpec,
}

#[async_trait]
impl Backlog for LaneBacklog {
    async fn oldest(&self) -> PortResult<Option<Duration>> {
        self.queue.oldest_held(self.lane).await.map_err(|error| PortError::Unavailable(error.to_string()))
    }
}
