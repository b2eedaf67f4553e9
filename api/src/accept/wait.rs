//! Waiting for the outcome of an operation: a message brings it, and should the message get lost, so do the rows.

use std::time::Duration;

use fairy_jobs::{id::OperationId, operation::Outcome};
use futures::future::BoxFuture;
use tokio::time::sleep;

use crate::front::Front;

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
        tokio::select! {
            outcome = listening => Ok(outcome),
            outcome = self.looks.look(id) => Ok(outcome),
            () = sleep(patience) => Err(Waited::InVain),
            () = self.settings.drain.cancelled() => Err(Waited::CutShort),
        }
    }
}
