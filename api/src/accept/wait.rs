//! Waiting for the outcome of an operation: a message brings it, and should the message get lost, so do the rows.

use std::time::Duration;

use fairy_jobs::{id::OperationId, operation::Outcome};
use futures::future::BoxFuture;
use tokio::time::Instant;

use crate::front::Front;

/// When the rows are looked at first, for a message that got lost.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The outcome, if it is known before `patience` has passed and the process is not about to end.
pub(super) async fn wait(
    front: &Front,
    id: OperationId,
    listening: BoxFuture<'static, Outcome>,
    patience: Duration,
) -> Option<Outcome> {
    if patience.is_zero() || front.callers.reach.away() {
        return None;
    }
    let until = Instant::now() + patience;
    tokio::select! {
        outcome = listening => Some(outcome),
        outcome = look(front, id) => Some(outcome),
        () = tokio::time::sleep_until(until) => None,
        () = front.settings.drain.cancelled() => None,
    }
}

async fn look(front: &Front, id: OperationId) -> Outcome {
    let mut pause = FIRST_LOOK;
    loop {
        tokio::time::sleep(pause).await;
        let found = front.services.ledger.outcome(id).await;
        front.callers.reach.note(&found);
        if let Ok(Some(outcome)) = found {
            return outcome;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
