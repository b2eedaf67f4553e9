//! What a batch that was accepted before named.
//!
//! The ids of what an operation makes are made when it is accepted, so a repeat has made others, which nothing will bear.
//! The row of an operation, and before there is one the tag in its lane, say what the first request named.

use std::collections::HashMap;

use fairy_jobs::{
    id::OperationId,
    operation::{Operation, ResourceRef},
};

use crate::{front::Front, problem::Refusal};

impl Front {
    /// What the rows of these operations are about.
    pub(super) async fn named_in_rows(
        &self,
        operations: &[Operation],
    ) -> Result<HashMap<OperationId, ResourceRef>, Refusal> {
        let ids: Vec<OperationId> = operations.iter().map(|operation| operation.id).collect();
        let found = self.services.ledger.outcomes(&ids).await;
        self.callers.reach.note(&found);
        Ok(found?.into_iter().map(|outcome| (outcome.id, outcome.resource)).collect())
    }

    /// What these operations are about, some of which are applied and the others still in the lane.
    pub(super) async fn named_before(
        &self,
        operations: &[Operation],
    ) -> Result<HashMap<OperationId, ResourceRef>, Refusal> {
        let mut named = self.named_in_rows(operations).await?;
        let mut left = false;
        for operation in operations {
            if named.contains_key(&operation.id) {
                continue;
            }
            match self.in_lane(operation.id).await? {
                Some((_, tag)) => drop(named.insert(operation.id, tag.resource)),
                None => left = true,
            }
        }
        // What left the lane meanwhile has its row now.
        if left {
            named.extend(self.named_in_rows(operations).await?);
        }
        Ok(named)
    }
}
