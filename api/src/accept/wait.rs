//! Waiting for the outcome of an operation: a message brings it, and should the message get lost, so do the rows.

use std::time::Duration;

use fairy_jobs::{id::OperationId, operation::Outcome, ports::PortResult};
use futures::future::BoxFuture;
use tokio::time::sleep;

use crate::front::Front;

/// When the rows are looked at first, for a message that got lost.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Why there is no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waited {
    /// The time has passed.
    InVain,
    /// It ended before, for reasons of ours.
    CutShort,
}

impl Front {
    /// The outcome, if it comes while one waits.
    pub(super) async fn wait(
        &self,
        id: OperationId,
        listening: BoxFuture<'static, Outcome>,
        patience: Duration,
    ) -> Option<Outcome> {
        self.wait_out(id, listening, patience).await.ok()
    }

    /// The outcome, if it is known before `patience` has passed and the process is not about to end. While the database
    /// is known to be away nobody waits for what cannot come.
    pub(super) async fn wait_out(
        &self,
        id: OperationId,
        listening: BoxFuture<'static, Outcome>,
        patience: Duration,
    ) -> Result<Outcome, Waited> {
        if patience.is_zero() {
            return Err(Waited::InVain);
        }
        if self.callers.reach.away() {
            return Err(Waited::CutShort);
        }
        let rows = look(|| async move {
            let found = self.services.ledger.outcome(id).await;
            self.callers.reach.note(&found);
            found
        });
        tokio::select! {
            outcome = listening => Ok(outcome),
            outcome = rows => Ok(outcome),
            () = sleep(patience) => Err(Waited::InVain),
            () = self.settings.drain.cancelled() => Err(Waited::CutShort),
        }
    }
}

/// Reads again and again, ever more seldom, until there is something.
async fn look<T, R: Future<Output = PortResult<Option<T>>>>(mut read: impl FnMut() -> R) -> T {
    let mut pause = FIRST_LOOK;
    loop {
        sleep(pause).await;
        if let Ok(Some(found)) = read().await {
            return found;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::ports::PortError;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_lost_message_costs_little_and_looking_costs_less_and_less() {
        let (start, mut looks) = (Instant::now(), 0);
        let found = look(|| {
            looks += 1;
            let found = match looks {
                1 => Err(PortError::Unavailable("away".into())),
                2..=6 => Ok(None),
                _ => Ok(Some(looks)),
            };
            async move { found }
        });
        assert_eq!(found.await, 7);
        // 0.25 + 0.5 + 1 + 2 + 4 + 4 + 4 seconds.
        assert_eq!(start.elapsed(), Duration::from_millis(15_750));
    }
}
