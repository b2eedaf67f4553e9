//! The port, carried by a Redis server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::DropGuard;

use crate::wakes::Wakes;
use crate::{
    Ask, AuditEntry, Broker, Claimed, DeadPage, Found, JobId, LaneSpec, LaneStats, NewJob, Owed, OwedPage,
    Page, PushError, Pushed, QueueError, Settled, Token, Which,
};

use super::claim::Askers;
use super::link::Link;
use super::push::Pushers;
use super::record::millis;
use super::stand::{Standers, stand_by};
use super::{account, operate, read, settle};

/// A handle to the lanes on one server.
pub(super) struct Server {
    pub link: Arc<Link>,
    /// Where messages come from.
    pub ears: Arc<Link>,
    pub pushers: Pushers,
    pub askers: Askers,
    /// Where it can be counted who listens.
    pub standers: Option<Arc<Standers>>,
    pub wakes: Arc<Wakes>,
    /// Ends the task that listens, with the handle.
    pub _listening: DropGuard,
}

#[async_trait]
impl Broker for Server {
    async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        self.pushers.push(lane, jobs).await
    }

    async fn find(&self, lane: &LaneSpec, unique_key: &str) -> Result<Option<Found>, QueueError> {
        Ok(read::find(&self.link, lane.name, unique_key).await?)
    }

    async fn claim(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        Ok(self.askers.asking(lane.name).claim(&self.link, lane, &ask).await?)
    }

    async fn stand_by(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        match &self.standers {
            Some(standers) => Ok(stand_by(standers, &self.askers, &self.link, lane, &ask).await?),
            None => std::future::pending().await,
        }
    }

    async fn renew(&self, lane: &LaneSpec, tokens: Vec<Token>) -> Result<Vec<Token>, QueueError> {
        Ok(settle::renew(&self.link, lane, &tokens).await?)
    }

    async fn settle(&self, lane: &LaneSpec, settled: Vec<Settled>) -> Result<Vec<Token>, QueueError> {
        Ok(settle::settle(&self.link, lane, &settled).await?)
    }

    async fn stats(&self, lane: &LaneSpec) -> Result<LaneStats, QueueError> {
        Ok(read::stats(&self.link, lane.name).await?)
    }

    async fn oldest_held(&self, lane: &LaneSpec) -> Result<Option<Duration>, QueueError> {
        Ok(read::oldest_held(&self.link, lane).await?)
    }

    async fn dead(&self, lane: &LaneSpec, page: Page) -> Result<DeadPage, QueueError> {
        Ok(read::dead(&self.link, lane.name, &page).await?)
    }

    async fn retry_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        Ok(operate::retry(&self.link, lane, &which, by).await?)
    }

    async fn owed(&self, lane: &LaneSpec, after: Option<JobId>, limit: u32) -> Result<OwedPage, QueueError> {
        Ok(account::owed(&self.link, lane.name, after.as_ref(), limit).await?)
    }

    async fn acquit(&self, lane: &LaneSpec, known: Vec<Owed>) -> Result<(), QueueError> {
        Ok(account::acquit(&self.link, lane.name, &known).await?)
    }

    async fn discard_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        Ok(operate::discard(&self.link, lane, &which, by).await?)
    }

    async fn pause(
        &self,
        lane: &LaneSpec,
        group: Option<&str>,
        paused: bool,
        by: &str,
    ) -> Result<(), QueueError> {
        Ok(operate::pause(&self.link, lane, group, paused, by).await?)
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, QueueError> {
        Ok(read::audit(&self.link, limit).await?)
    }

    fn wake(&self, lane: &LaneSpec) -> watch::Receiver<u64> {
        self.wakes.watch(lane.name)
    }

    async fn shift_clock(&self, by: Duration) -> Result<(), QueueError> {
        for lane in read::lanes(&self.link).await? {
            let key = self.link.key(&lane);
            self.link.send(&key, redis::cmd("HINCRBY").arg(&key).arg("shift").arg(millis(by))).await?;
            let wake = redis::cmd("PUBLISH").arg(format!("{key}:wake")).arg("").to_owned();
            self.link.send(&key, &wake).await?;
        }
        Ok(())
    }

    async fn close(&self) {
        if let Some(standers) = &self.standers {
            standers.rest().await;
        }
        self.link.close();
        self.ears.close();
    }
}
