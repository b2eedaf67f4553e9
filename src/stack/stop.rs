//! Stopping the stack, from the top down: what depends on a part ends before it.

use std::time::Duration;

use tokio::time::Instant;

use super::{Stack, crew::Crew, front::Front};
use crate::Failure;

/// How long requests in hand go on undisturbed before they are told to come to an end.
const QUIET: Duration = Duration::from_secs(1);
/// How long a part that has nothing to finish may take.
const SHORT: Duration = Duration::from_secs(2);
/// How long workers may take to hand back what was broken off.
const HAND_BACK: Duration = Duration::from_secs(5);

/// The part of the time to stop that requests may take; what is left then belongs to the jobs. A client that stalls must
/// not cost a job its end.
pub fn http_share(stop_within: Duration) -> Duration {
    stop_within / 2
}

impl Stack {
    /// Not ready any more; where others take over, it goes on as before until whoever stands in front has seen that. Then
    /// no new connections; requests in hand are answered, jobs in hand finished, the rest handed back, hints flushed, files
    /// and connections closed. A connection that does not come to its end is dropped, a job broken off and handed back:
    /// neither is a fault.
    ///
    /// # Errors
    /// When a part did not end in time or ended with an error. What was in its hands is in the queue or the rows still,
    /// and goes on with the next start.
    pub async fn stop(mut self) -> Result<(), Failure> {
        self.stopping.cancel();
        if !self.drains_for.is_zero() {
            tracing::info!(
                seconds = self.drains_for.as_secs(),
                "not ready any more, and serving a while longer"
            );
            tokio::time::sleep(self.drains_for).await;
        }
        let until = Instant::now() + self.stop_within;
        let mut faults = Vec::new();
        if let Some(front) = self.front.take() {
            faults.extend(front.stop(http_share(self.stop_within)).await);
        }
        if let Some(crew) = self.crew.take() {
            faults.extend(crew.stop(until).await);
        }
        faults.extend(self.relay.stop(SHORT).await.err());
        self.channels.close().await;
        faults.extend(self.admin.stop(SHORT).await.err());
        drop(self.hints);
        faults.extend(self.opened.close(SHORT).await.err());
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(format_args!(
                "stopped, but {}; nothing is lost, the next start goes on with it",
                faults.join("; ")
            ))),
        }
    }
}

impl Front {
    async fn stop(mut self, share: Duration) -> Option<String> {
        self.server.stop.cancel();
        // The workers still run, so a waiting request most likely gets its outcome; what waits longer is told to end.
        if !self.server.ends_within(QUIET.min(share / 2)).await {
            self.drain.cancel();
        }
        // The server drops what is left of its connections once its share has passed.
        self.server.end(share + SHORT).await.err()
    }
}

impl Crew {
    async fn stop(mut self, until: Instant) -> Vec<String> {
        self.workers.stop.cancel();
        if !self.workers.ends_within(until.saturating_duration_since(Instant::now())).await {
            tracing::warn!("jobs in hand did not end in time: they are broken off and handed back");
            self.services.settings.time_up.cancel();
        }
        let workers = self.workers.end(HAND_BACK).await;
        let sweeper = self.sweeper.stop(SHORT).await;
        let auditor = match self.auditor {
            Some((running, _)) => running.stop(SHORT).await,
            None => Ok(()),
        };
        [workers, sweeper, auditor].into_iter().filter_map(Result::err).collect()
    }
}
