//! Asking after an operation: the rows first, then its lane, then the rows once more, for it may have been applied in
//! between. So an accepted operation is never "not found".

use std::time::Duration;

use fairy_jobs::{
    id::{OperationId, UserId, WorkspaceId},
    lane::Tag,
    operation::Outcome,
    ports::WorkspaceName,
    problem::Problem,
    rights::{self, Action},
};

use super::OperationView;
use crate::{
    auth::Caller,
    front::Front,
    problem::{Refusal, unavailable},
};

/// Where an operation is.
enum Standing {
    /// In its lane.
    Accepted(Tag),
    /// In the rows.
    Ended(Outcome),
}

impl Standing {
    const fn whose(&self) -> (UserId, WorkspaceId) {
        match self {
            Self::Accepted(tag) => (tag.actor, tag.workspace),
            Self::Ended(outcome) => (outcome.actor, outcome.workspace),
        }
    }
}

impl Front {
    /// An operation as this caller may see it, waiting for its end if there is patience.
    pub async fn operation(
        &self,
        caller: &Caller,
        id: OperationId,
        patience: Duration,
    ) -> Result<OperationView, Refusal> {
        let listening = self.services.outcomes.listen(id);
        let mut standing = self.standing(id).await?.ok_or_else(|| Problem::not_found("operation"))?;
        let whole = self.may_see(caller, standing.whose()).await?;
        if matches!(standing, Standing::Accepted(_))
            && let Some(outcome) = self.wait(id, listening, patience).await
        {
            standing = Standing::Ended(outcome);
        }
        match standing {
            Standing::Accepted(tag) => Ok(OperationView::accepted(id, &tag)),
            Standing::Ended(outcome) => OperationView::ended(self, outcome, whole).await,
        }
    }

    async fn standing(&self, id: OperationId) -> Result<Option<Standing>, Refusal> {
        let earlier = self.earlier_outcome(id).await?;
        if let Some(outcome) = earlier {
            return Ok(Some(Standing::Ended(outcome)));
        }
        let found = self.services.queue.find(self.services.operations, &id.to_string()).await;
        let found = found.map_err(|error| Refusal { cause: Some(error.0), ..unavailable().into() })?;
        if let Some(tag) = found.and_then(|found| Tag::parse(found.tag.as_deref()?)) {
            return Ok(Some(Standing::Accepted(tag)));
        }
        Ok(self.services.ledger.outcome(id).await?.map(Standing::Ended))
    }

    /// Whether the caller may see what the operation left. Who may not even know of it is told that there is none; who
    /// asked for it and has left the workspace since may still see how it ended.
    async fn may_see(
        &self,
        caller: &Caller,
        (actor, workspace): (UserId, WorkspaceId),
    ) -> Result<bool, Refusal> {
        let membership = self.membership(caller.user, &WorkspaceName::Id(workspace)).await?;
        if actor == caller.user {
            return Ok(membership.is_some());
        }
        let allowed = rights::check(membership.map(|m| m.role), caller.scope, Action::ReadOperations);
        allowed.map(|()| true).map_err(|_| Problem::not_found("operation").into())
    }
}
