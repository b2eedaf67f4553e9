//! Applying a batch.
//!
//! The rows of `operations` are the guard: they are inserted first, ignoring those that are there, with a token of this
//! batch, and only rows that carry the token are decided. So a batch that is applied again, or by two workers, changes
//! nothing the second time, whatever happened to the answer of the first.

use std::collections::BTreeMap;

use fairy_jobs::{
    id::{OperationId, WorkspaceId},
    lane::Sink,
    operation::{Operation, Outcome},
    ports::{Applied, PortError, PortResult},
    state::Needs,
};
use jiff::Timestamp;

use super::{claim, keep, load, outcomes};
use crate::{driver::Connection, feed};

/// So many operations are read in one errand: there is nothing to wait for them. Of a longer batch the parts go by
/// themselves, for their texts would come in too many combinations to be kept prepared.
const FEW: usize = 4;

/// What all operations of a batch share.
pub(super) struct Batch<'a> {
    pub workspace: WorkspaceId,
    pub token: [u8; 16],
    pub at: Timestamp,
    pub in_use: &'a [Sink],
}

impl Batch<'_> {
    pub async fn apply(mut self, c: &mut Connection<'_>, operations: Vec<Operation>) -> PortResult<Applied> {
        if let Some(stray) = operations.iter().find(|o| o.workspace != self.workspace) {
            return Err(PortError::Broken(format!("{} is of another workspace than its batch", stray.id)));
        }
        let order: Vec<OperationId> = operations.iter().map(|operation| operation.id).collect();
        let ending = feed::ask_lock(c, self.workspace).await?;
        let few = operations.len() <= FEW;
        if !few {
            c.flush().await?;
        }
        let claiming = claim::claim(c, self.token, self.at, &operations).await?;
        if !few {
            c.flush().await?;
        }
        let loading = load::begin(c, self.workspace, Needs::of(&operations)).await?;
        let end = feed::locked(c, ending).await?;
        let noted = self.at;
        self.at = end.map_or(self.at, |end| end.not_before(self.at));
        let claimed = claiming.read(c, self.token, operations).await?;
        let mut known = claimed.stored;
        let mut seq = None;
        if !claimed.fresh.is_empty() {
            let (mut state, before) = loading.finish(c, end.map_or(0, |e| e.seq)).await?;
            let outcomes = state.run(&claimed.fresh, self.at);
            keep::keep(c, self.workspace, &state, &before).await?;
            feed::append(c, self.workspace, &state.written.changes, (self.in_use, noted)).await?;
            outcomes::write(c, self.token, &outcomes).await?;
            seq = state.written.changes.last().map(|change| change.seq);
            known.extend(outcomes.into_iter().map(|outcome| (outcome.id, outcome)));
        }
        Ok(Applied { outcomes: in_order(&order, known)?, seq })
    }
}

/// The outcomes in the order in which the operations came; one that came twice has the same outcome twice.
fn in_order(order: &[OperationId], mut known: BTreeMap<OperationId, Outcome>) -> PortResult<Vec<Outcome>> {
    let lost = |id: &OperationId| PortError::Broken(format!("{id} was applied without an outcome"));
    let mut left: BTreeMap<OperationId, usize> = BTreeMap::new();
    for id in order {
        *left.entry(*id).or_default() += 1;
    }
    let mut outcomes = Vec::with_capacity(order.len());
    for id in order {
        let more = left.get_mut(id).is_some_and(|left| {
            *left -= 1;
            *left > 0
        });
        let outcome = if more { known.get(id).cloned() } else { known.remove(id) };
        outcomes.push(outcome.ok_or_else(|| lost(id))?);
    }
    Ok(outcomes)
}
