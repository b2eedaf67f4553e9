//! Where operations become rows: once, in order, a batch in one transaction.

mod apply;
mod claim;
mod keep;
mod load;
mod outcomes;

use async_trait::async_trait;
use fairy_jobs::{
    id::{OperationId, WorkspaceId},
    operation::{Operation, Outcome},
    ports::{Applied, Ledger, PortResult},
};
use jiff::Timestamp;

use crate::Store;

#[async_trait]
impl Ledger for Store {
    async fn apply(
        &self,
        workspace: WorkspaceId,
        operations: &[Operation],
        at: Timestamp,
    ) -> PortResult<Applied> {
        let mut batch = [0; 16];
        self.ids.fill(&mut batch);
        let (operations, in_use) = (operations.to_vec(), self.sinks.clone());
        self.write(move |c| {
            Box::pin(async move {
                let batch = apply::Batch { workspace, token: batch, at, in_use: &in_use };
                batch.apply(c, operations).await
            })
        })
        .await
    }

    async fn fail(&self, outcome: &Outcome) -> PortResult<Outcome> {
        let mut batch = [0; 16];
        self.ids.fill(&mut batch);
        let outcome = outcome.clone();
        self.write(move |c| Box::pin(async move { outcomes::fail(c, batch, &outcome).await })).await
    }

    async fn outcome(&self, id: OperationId) -> PortResult<Option<Outcome>> {
        Ok(self.outcomes(&[id]).await?.pop())
    }

    async fn known(&self, ids: &[OperationId]) -> PortResult<Vec<OperationId>> {
        outcomes::known(&mut self.read().await?, ids).await
    }

    async fn outcomes(&self, ids: &[OperationId]) -> PortResult<Vec<Outcome>> {
        outcomes::stored(&mut self.read().await?, outcomes::NO_BATCH, ids).await
    }
}
