//! Where the admin API has its lanes from.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_api::{Again, Retried};
use fairy_jobs::{
    clock::Clock,
    ports::{Ledger, PortError, PortResult},
};
use fairy_queue::{LaneSpec, Queue, Which};

use crate::{lanes, retry::Retrial};

/// The lanes and what a retry needs.
pub struct Desk {
    /// The lanes.
    pub queue: Queue,
    /// How operations ended.
    pub ledger: Arc<dyn Ledger>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl fairy_api::Desk for Desk {
    fn lanes(&self) -> &'static [&'static LaneSpec] {
        &lanes::ALL
    }

    async fn retry(&self, lane: &'static LaneSpec, which: Which, by: &str) -> PortResult<Vec<Retried>> {
        let mut retried = Vec::new();
        if lane.name == lanes::OPERATIONS.name {
            let (ledger, clock) = (self.ledger.as_ref(), self.clock.as_ref());
            let retrial = Retrial { queue: &self.queue, ledger, clock, by };
            retrial.run(&which, |one| retried.push(one)).await?;
            return Ok(retried);
        }
        let asked = which.named().to_vec();
        let back = self.queue.retry_dead(lane, which, by).await;
        let back = back.map_err(|error| PortError::Unavailable(error.to_string()))?;
        let stays = asked.into_iter().filter(|job| !back.contains(job)).map(|job| {
            let reason = "is no dead letter of this lane, or another job holds its key";
            Retried { job, way: Err(reason.to_owned()) }
        });
        retried.extend(stays);
        retried.extend(back.into_iter().map(|job| Retried { job, way: Ok(Again::Back) }));
        Ok(retried)
    }
}
