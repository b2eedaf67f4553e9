//! Where operations become rows: once.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{
    id::{OperationId, WorkspaceId},
    operation::{Operation, Outcome},
};

/// What applying a batch did.
#[derive(Debug, Clone, Default)]
pub struct Applied {
    /// The outcome of each operation, in order: of those applied now and, for repeats, the one that was stored.
    pub outcomes: Vec<Outcome>,
    /// The number of the workspace's last change, if this batch made any.
    pub seq: Option<u64>,
}

/// Applies operations.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Applies a batch of operations of one workspace, in order, in one transaction with a token of its own:
    /// inserts the `operations` rows ignoring those that are there, decides only the rows that carry its token
    /// (`State::run`), writes rows, changes and outcomes, and sets the sinks' targets.
    ///
    /// `Unavailable`: nothing was written, try the same batch later. `Unknown`: the commit's answer was lost; the same
    /// call again is harmless. `Broken`: the batch fails by its content; the caller halves it.
    async fn apply(
        &self,
        workspace: WorkspaceId,
        operations: &[Operation],
        at: Timestamp,
    ) -> PortResult<Applied>;

    /// Writes the outcome of an operation that is put among the dead letters, unless it has one; the one that holds.
    async fn fail(&self, outcome: &Outcome) -> PortResult<Outcome>;

    /// The outcome of an operation, for at least 30 days after it ended.
    async fn outcome(&self, id: OperationId) -> PortResult<Option<Outcome>>;

    /// Which of these operations (at most 1,000) have an outcome, in no order.
    async fn known(&self, ids: &[OperationId]) -> PortResult<Vec<OperationId>>;

    /// The outcomes of those of these operations (at most 1,000) that have one, in no order.
    async fn outcomes(&self, ids: &[OperationId]) -> PortResult<Vec<Outcome>>;
}
