//! Workspaces, their members, projects and invitations.

mod execute;
mod found;
pub(crate) mod handles;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod projects;
pub(crate) mod workspaces;

use async_trait::async_trait;
use fairy_jobs::{
    id::{DeliveryId, InvitationId, UserId, WorkspaceId},
    page::{Page, PageRequest},
    ports::{Invited, Membership, PortResult, TeamOutcome, Teams, WorkspaceName},
    team::{Invitation, Member, Project, Role, Workspace},
    team_command::{Ask, TeamCommand},
    text::{Name, Slug},
};

use crate::{Store, driver::Connection};

#[async_trait]
impl Teams for Store {
    async fn create_workspace(
        &self,
        ask: &Ask,
        name: &Name,
        slug: &Slug,
        fixed: bool,
    ) -> PortResult<Workspace> {
        let (ask, name, slug, sinks) = (ask.clone(), name.clone(), slug.clone(), self.sinks.clone());
        self.write(move |c| {
            Box::pin(async move { found::found(c, &ask, &name, (slug, fixed), &sinks).await })
        })
        .await
    }

    async fn execute(
        &self,
        ask: &Ask,
        command: &TeamCommand,
        delivery: DeliveryId,
    ) -> PortResult<TeamOutcome> {
        let (ask, command, sinks) = (ask.clone(), command.clone(), self.sinks.clone());
        self.write(move |c| {
            Box::pin(async move { execute::execute(c, ask, &command, delivery, &sinks).await })
        })
        .await
    }

    async fn workspace(&self, name: &WorkspaceName) -> PortResult<Option<Workspace>> {
        workspaces::workspace(&mut self.read().await?, name).await
    }

    async fn workspaces_of(&self, user: UserId, page: PageRequest) -> PortResult<Page<(Workspace, Role)>> {
        workspaces::of_user(&mut self.read().await?, user, &page).await
    }

    async fn membership(&self, user: UserId, workspace: &WorkspaceName) -> PortResult<Option<Membership>> {
        members::membership(&mut self.read().await?, user, workspace).await
    }

    async fn members(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Member>> {
        members::present(&mut self.read().await?, workspace, &page).await
    }

    async fn members_by_id(&self, workspace: WorkspaceId, users: &[UserId]) -> PortResult<Vec<Member>> {
        members::by_id(&mut self.read().await?, workspace, users.iter().copied()).await
    }

    async fn members_by_handle(&self, workspace: WorkspaceId, handles: &[String]) -> PortResult<Vec<UserId>> {
        handles::meant(&mut self.read().await?, workspace, handles).await
    }

    async fn projects(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Project>> {
        projects::projects(&mut self.read().await?, workspace, &page).await
    }

    async fn invitations(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Invitation>> {
        invitations::waiting(&mut self.read().await?, workspace, &page).await
    }

    async fn invitation(&self, id: InvitationId) -> PortResult<Option<Invited>> {
        invited(&mut self.read().await?, id).await
    }
}

/// The invitation, where to, and what who sent it is there now.
pub(crate) async fn invited(c: &mut Connection<'_>, id: InvitationId) -> PortResult<Option<Invited>> {
    let Some(invitation) = invitations::by_id(c, id).await? else {
        return Ok(None);
    };
    let name = WorkspaceName::Id(invitation.workspace);
    let inviter = members::membership(c, invitation.invited_by, &name).await?.map(|m| m.role);
    let workspace = workspaces::workspace(c, &name).await?;
    Ok(workspace.map(|workspace| Invited { invitation, workspace, inviter }))
}
