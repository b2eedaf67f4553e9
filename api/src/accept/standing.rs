//! Asking after an operation: the rows first, then its lane, then the rows once more, for it may have been applied in
//! between. So an accepted operation is never "not found", not even when it is a dead letter of which no row tells.

use std::time::Duration;

use fairy_jobs::{
    id::{OperationId, UserId, WorkspaceId},
    lane::Tag,
    operation::{Fingerprint, Outcome},
    ports::WorkspaceName,
    problem::Problem,
    rights::{self, Action},
};
use fairy_queue::FoundState;

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
    /// Among the dead letters, without a row: writing that down had killed its worker again and again.
    GivenUp(Tag),
    /// In the rows.
    Ended(Outcome),
}

impl Standing {
    const fn whose(&self) -> (UserId, WorkspaceId) {
        match self {
            Self::Accepted(tag) | Self::GivenUp(tag) => (tag.actor, tag.workspace),
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
            Standing::GivenUp(tag) => Ok(OperationView::given_up(self, id, &tag)),
            Standing::Ended(outcome) => OperationView::ended(self, outcome, whole).await,
        }
    }

    async fn standing(&self, id: OperationId) -> Result<Option<Standing>, Refusal> {
        let earlier = self.earlier_outcome(id).await?;
        if let Some(outcome) = earlier {
            return Ok(Some(Standing::Ended(outcome)));
        }
        let lane = self.in_lane(id).await?;
        if let Some((FoundState::Waiting | FoundState::Running | FoundState::Settled, tag)) = lane {
            return Ok(Some(Standing::Accepted(tag)));
        }
        let outcome = self.services.ledger.outcome(id).await?;
        Ok(outcome.map(Standing::Ended).or_else(|| Some(Standing::GivenUp(lane?.1))))
    }

    /// What an earlier request with this id was, wherever it is; while the database is away the lane alone decides.
    pub(super) async fn earlier_request(&self, id: OperationId) -> Result<Option<Fingerprint>, Refusal> {
        if let Some(outcome) = self.earlier_outcome(id).await? {
            return Ok(Some(outcome.fingerprint));
        }
        if let Some((_, tag)) = self.in_lane(id).await? {
            return Ok(Some(tag.fingerprint));
        }
        Ok(self.earlier_outcome(id).await?.map(|outcome| outcome.fingerprint))
    }

    /// What the lane says of an operation, wherever in it that is.
    pub(super) async fn in_lane(&self, id: OperationId) -> Result<Option<(FoundState, Tag)>, Refusal> {
        let found = self.services.queue.find(self.services.operations, &id.to_string()).await;
        let found = found.map_err(|error| Refusal { cause: Some(error.0), ..unavailable().into() })?;
        Ok(found.and_then(|found| Some((found.state, Tag::parse(found.tag.as_deref()?)?))))
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
