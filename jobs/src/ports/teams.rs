//! Workspaces, members, projects, invitations.

use async_trait::async_trait;

use super::PortResult;
use crate::{
    id::{DeliveryId, InvitationId, UserId, WorkspaceId},
    page::{Page, PageRequest},
    team::{Invitation, Member, Project, Role, Workspace},
    team_command::{Ask, TeamCommand},
    text::{Name, Slug, TextError},
};

/// How a caller names a workspace: by id or slug.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WorkspaceName {
    /// By id.
    Id(WorkspaceId),
    /// By slug.
    Slug(Slug),
}

impl WorkspaceName {
    /// An id, or else a slug.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        Slug::parse(text)
            .map(Self::Slug)
            .map_err(|_| TextError::Shape("must be a workspace's id (wsp_…) or slug"))
    }
}

/// What somebody is in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The role there.
    pub role: Role,
}

/// An invitation that waits, as who holds its code meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invited {
    /// The invitation, which may have expired.
    pub invitation: Invitation,
    /// Where to.
    pub workspace: Workspace,
    /// What who invited is there now; `None`: not a member any more.
    pub inviter: Option<Role>,
}

/// What a team command left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamOutcome {
    /// The project made.
    pub project: Option<Project>,
    /// The invitation made.
    pub invitation: Option<Invitation>,
    /// The member as they are now, for `Accept` and `ChangeRole`.
    pub member: Option<Member>,
    /// The number of the workspace's last change.
    pub seq: u64,
    /// The delivery made (an invitation's mail), due now.
    pub delivery: Option<DeliveryId>,
}

/// The teams.
#[async_trait]
pub trait Teams: Send + Sync + 'static {
    /// Makes a workspace whose owner asks. With `slug` taken: `Conflict` if `fixed`, else the next free `slug-n`.
    async fn create_workspace(
        &self,
        ask: &Ask,
        name: &Name,
        slug: &Slug,
        fixed: bool,
    ) -> PortResult<Workspace>;
    /// Does a team command in one transaction; `delivery` is the id for a mail it may make, due at once.
    async fn execute(
        &self,
        ask: &Ask,
        command: &TeamCommand,
        delivery: DeliveryId,
    ) -> PortResult<TeamOutcome>;

    /// The workspace.
    async fn workspace(&self, name: &WorkspaceName) -> PortResult<Option<Workspace>>;
    /// The workspaces of a person, by name, with their role.
    async fn workspaces_of(&self, user: UserId, page: PageRequest) -> PortResult<Page<(Workspace, Role)>>;
    /// What the person is in the workspace, if they are a member.
    async fn membership(&self, user: UserId, workspace: &WorkspaceName) -> PortResult<Option<Membership>>;
    /// The members, in the order in which they joined; former ones left out.
    async fn members(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Member>>;
    /// These people (at most 1,000 a call), as far as they are or were members.
    async fn members_by_id(&self, workspace: WorkspaceId, users: &[UserId]) -> PortResult<Vec<Member>>;
    /// Whom these handles (at most 20) mean among the present members; a handle that several share means nobody,
    /// unless it is the whole name of just one.
    async fn members_by_handle(&self, workspace: WorkspaceId, handles: &[String]) -> PortResult<Vec<UserId>>;
    /// The projects, by key.
    async fn projects(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Project>>;
    /// The invitations that wait, newest first.
    async fn invitations(&self, workspace: WorkspaceId, page: PageRequest) -> PortResult<Page<Invitation>>;
    /// An invitation that was not accepted, withdrawn or replaced.
    async fn invitation(&self, id: InvitationId) -> PortResult<Option<Invited>>;
}
