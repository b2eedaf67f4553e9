//! Where a request acts: a workspace the caller is a member of, with the right to do what it asks.

use fairy_jobs::{
    id::DeliveryId,
    id::WorkspaceId,
    ports::{TeamOutcome, WorkspaceName},
    problem::Problem,
    rights::{self, Action},
    team::Role,
    team_command::{Ask, TeamCommand},
};

use super::Caller;
use crate::{front::Front, problem::Refusal};

/// A workspace the caller may act in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What the caller is there.
    pub role: Role,
}

impl Front {
    /// The workspace of this name, if the caller may do `action` there. A workspace that is not there and one that the
    /// caller is not a member of are answered alike.
    pub async fn place(&self, caller: &Caller, name: &str, action: Action) -> Result<Place, Refusal> {
        let name = WorkspaceName::parse(name).map_err(|_| Problem::not_found("workspace"))?;
        let membership = self.membership(caller.user, &name).await?;
        rights::check(membership.map(|m| m.role), caller.scope, action)?;
        let membership = membership.ok_or_else(|| Problem::not_found("workspace"))?;
        Ok(Place { workspace: membership.workspace, role: membership.role })
    }

    /// Who asks, for a direct transaction.
    pub fn ask(&self, caller: &Caller, workspace: WorkspaceId) -> Ask {
        Ask { workspace, actor: caller.user, scope: caller.scope, source: caller.source(), at: self.now() }
    }

    /// Does a team command, and says that there is something to tell.
    pub async fn execute(&self, ask: &Ask, command: &TeamCommand) -> Result<TeamOutcome, Refusal> {
        let delivery = DeliveryId::generate(self.services.ids.as_ref(), ask.at);
        let done = self.services.teams.execute(ask, command, delivery).await?;
        self.services.relay.changed(ask.workspace, done.seq).await;
        if let Some(delivery) = done.delivery {
            self.services.relay.due(&[delivery]).await;
        }
        Ok(done)
    }
}
