//! Stopping the stack, from the top down: what depends on a part ends before it.

use std::time::Duration;

use tokio::time::Instant;

use super::Stack;
use crate::Failure;

/// How long requests in hand go on undisturbed before they are told to come to an end.
const QUIET: Duration = Duration::from_secs(1);
/// How long a part that has nothing to finish may take.
const SHORT: Duration = Duration::from_secs(2);

impl Stack {
    /// Not ready any more, no new connections; requests in hand are answered, jobs in hand finished, the rest handed
    /// back, hints flushed, files closed.
    ///
    /// # Errors
    /// When a part did not end in time or ended with an error. What was in its hands is in the queue or the rows still,
    /// and goes on with the next start.
    pub async fn stop(mut self) -> Result<(), Failure> {
        let until = Instant::now() + self.stop_within;
        let mut faults = Vec::new();
        self.stopping.cancel();
        self.http.stop.cancel();
        // The workers still run, so a waiting request most likely gets its outcome; what waits longer is told to end.
        if !self.http.ends_within(QUIET.min(self.stop_within / 2)).await {
            self.drain.cancel();
        }
        faults.extend(self.http.end(left(until)).await.err());
        faults.extend(self.workers.stop(left(until) + SHORT).await.err());
        faults.extend(self.sweeper.stop(SHORT).await.err());
        faults.extend(self.relay.stop(SHORT).await.err());
        faults.extend(self.admin.stop(SHORT).await.err());
        drop(self.services);
        drop(self.hints);
        if tokio::time::timeout(SHORT, self.opened.close()).await.is_err() {
            faults.push("the database or the queue did not close in time".to_owned());
        }
        match faults.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(format_args!(
                "stopped, but {}; nothing is lost, the next start goes on with it",
                faults.join("; ")
            ))),
        }
    }
}

/// What is left of the time, but a little in any case.
fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now()).max(Duration::from_millis(500))
}
