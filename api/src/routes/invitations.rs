//! Invitations into a workspace.

use std::sync::Arc;

use fairy_jobs::{
    email::EmailAddress,
    id::{InvitationId, UserId, WorkspaceId},
    ports::WorkspaceName,
    problem::{Problem, ProblemKind},
    rights::Action,
    team::{Invitation, Role},
    team_command::{Ask, TeamCommand},
    text::{Name, Slug},
};
use jiff::{Timestamp, ToSpan as _};
use poem_openapi::{Object, OpenApi, param::Path, registry::MetaSchema};
use serde::{Deserialize, Serialize};

use super::{Topic, origin::Origin, workspaces::WorkspaceView};
use crate::{
    auth::{Caller, sha256},
    front::Front,
    problem::{Refusal, internal},
    shape::{
        BODY, CALLER, CONFLICT, Described, Done, Fields, GONE, Input, Instant, JsonBody, ListOf, Made,
        PageParams, Params, QUERY, Raw, Refused, Reply, Shown, Shows, TARGET, WRITE,
    },
    view::PersonView,
};

/// How long an invitation can be accepted.
const DAYS: i64 = 14;

/// What somebody can be invited as. An owner is made by transfer.
#[derive(Debug, Clone, Copy, Serialize)]
struct InvitedRole(Role);

impl Described for InvitedRole {
    fn schema() -> MetaSchema {
        let roles = [Role::Admin, Role::Member, Role::Viewer].map(|role| role.as_str().into());
        MetaSchema { enum_items: roles.to_vec(), ..MetaSchema::new("string") }
    }
}

impl Input for InvitedRole {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let role = Role::parse(json).ok().filter(|role| *role < Role::Owner);
        role.map(Self)
            .ok_or_else(|| "must be one of admin, member, viewer; an owner is made by transfer".to_owned())
    }
}

/// Somebody to be invited.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct InviteRequest {
    /// Where the invitation is sent; only an account with this address can accept it.
    email: Raw<EmailAddress>,
    /// What they will be: `admin`, `member` or `viewer`. An owner is made by transfer.
    role: Raw<InvitedRole>,
}

impl InviteRequest {
    fn into_command(self, id: InvitationId, now: Timestamp) -> Result<TeamCommand, Problem> {
        let mut fields = Fields::default();
        let email = fields.required("email", &self.email);
        let role = fields.required("role", &self.role).map(|role| role.0);
        let expires_at = now + (DAYS * 24).hours();
        fields.finish(|| Some(TeamCommand::Invite { id, email: email?, role: role?, expires_at }))
    }
}

/// An invitation that waits. The code that opens it is only in the mail.
#[derive(Object)]
#[oai(rename = "Invitation")]
pub(crate) struct InvitationView {
    /// Its id.
    id: Shown<InvitationId>,
    /// Where to.
    workspace: Shown<WorkspaceId>,
    /// Who is invited.
    email: Shown<EmailAddress>,
    /// What they will be.
    role: Shown<InvitedRole>,
    /// Who invited.
    invited_by: Shown<UserId>,
    /// When.
    created_at: Shown<Instant>,
    /// Until when it can be accepted.
    expires_at: Shown<Instant>,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: Shown(invitation.id),
            workspace: Shown(invitation.workspace),
            email: Shown(invitation.email),
            role: Shown(InvitedRole(invitation.role)),
            invited_by: Shown(invitation.invited_by),
            created_at: Shown(Instant(invitation.created_at)),
            expires_at: Shown(Instant(invitation.expires_at)),
        }
    }
}

/// An invitation, as who holds its code sees it.
#[derive(Object)]
#[oai(rename = "OpenInvitation")]
pub(crate) struct OpenInvitationView {
    /// Where to.
    workspace: InvitingView,
    /// Who is invited.
    email: Shown<EmailAddress>,
    /// What they will be.
    role: Shown<InvitedRole>,
    /// Who invited.
    invited_by: PersonView,
    /// Until when it can be accepted.
    expires_at: Shown<Instant>,
}

/// The workspace of an invitation.
#[derive(Object)]
#[oai(rename = "InvitingWorkspace")]
struct InvitingView {
    /// Its id.
    id: Shown<WorkspaceId>,
    /// Its name in URLs.
    slug: Shown<Slug>,
    /// Its name.
    name: Shown<Name>,
}

fn because(what: &str, problem: Problem) -> Problem {
    Problem { detail: format!("{what} {}", problem.detail), ..problem }
}

/// The invitations.
pub(crate) struct InvitationRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Workspaces")]
impl InvitationRoutes {
    /// Invite somebody by mail
    ///
    /// Takes the role admin. A second invitation to the same address replaces the first and is mailed again. How many mails this sends is
    /// bounded, with `429`: to one address over all workspaces (3 at once, 4 an hour), by one person (100, 60 an hour), and
    /// for one workspace (200, 120 an hour). At most 500 invitations wait in a workspace; beyond that it is `409`.
    #[oai(path = "/workspaces/:ws/invitations", method = "post", operation_id = "create_invitation")]
    async fn create(
        &self,
        caller: Caller,
        ws: Path<String>,
        body: JsonBody<InviteRequest>,
    ) -> Result<Reply<Made<InvitationView>>, Refused<{ CALLER | TARGET | BODY | CONFLICT | WRITE }>> {
        let place = self.0.place(&caller, &ws.0, Action::ManageMembers).await?;
        let ask = self.0.ask(&caller, place.workspace);
        let id = InvitationId::generate(self.0.services.ids.as_ref(), ask.at);
        let command = body.value.into_command(id, ask.at)?;
        self.0.count_invitation(&ask, &command).await?;
        let done = self.0.execute(&ask, &command).await?;
        let invitation = done.invitation.ok_or_else(internal)?;
        let location = format!("/v1/workspaces/{}/invitations", place.workspace);
        Ok(Reply::made(&InvitationView::from(invitation), &location))
    }

    /// List the invitations that wait
    ///
    /// Takes the role admin. Newest first.
    #[oai(path = "/workspaces/:ws/invitations", method = "get", operation_id = "list_invitations")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<InvitationView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::ManageMembers).await?;
        let page = self.0.services.teams.invitations(place.workspace, params.page()?).await?;
        Ok(Reply::show(&ListOf::of(page, InvitationView::from)))
    }

    /// Withdraw an invitation
    ///
    /// Takes the role admin.
    #[oai(
        path = "/workspaces/:ws/invitations/:invitation",
        method = "delete",
        operation_id = "withdraw_invitation"
    )]
    async fn withdraw(
        &self,
        caller: Caller,
        ws: Path<String>,
        invitation: Path<String>,
    ) -> Result<Reply<Done>, Refused<{ CALLER | TARGET | WRITE }>> {
        let place = self.0.place(&caller, &ws.0, Action::ManageMembers).await?;
        let id = invitation.0.parse().map_err(|_| Problem::not_found("invitation"))?;
        self.0.execute(&self.0.ask(&caller, place.workspace), &TeamCommand::Withdraw { id }).await?;
        Ok(Reply::done())
    }

    /// Show an invitation to who holds its code
    #[oai(path = "/invitations/:code", method = "get", operation_id = "get_invitation")]
    async fn show(
        &self,
        origin: Origin,
        code: Path<String>,
    ) -> Result<Reply<Shows<OpenInvitationView>>, Refused<{ GONE }>> {
        self.0.limits.credentials_address.take(&origin.network, self.0.now()).await?;
        let (invitation, workspace) = self.0.invitation(&code.0).await?;
        let people = self.0.people(workspace.id, [invitation.invited_by]).await?;
        Ok(Reply::show(&OpenInvitationView {
            workspace: InvitingView {
                id: Shown(workspace.id),
                slug: Shown(workspace.slug),
                name: Shown(workspace.name),
            },
            email: Shown(invitation.email),
            role: Shown(InvitedRole(invitation.role)),
            invited_by: people.show(invitation.invited_by),
            expires_at: Shown(Instant(invitation.expires_at)),
        }))
    }

    /// Accept an invitation
    ///
    /// The caller becomes a member; only the account with the invited address may. With an API token it takes the
    /// scope `admin`.
    #[oai(path = "/invitations/:code/accept", method = "post", operation_id = "accept_invitation")]
    async fn accept(
        &self,
        caller: Caller,
        code: Path<String>,
    ) -> Result<Reply<Shows<WorkspaceView>>, Refused<{ CALLER | GONE | WRITE | CONFLICT }>> {
        Ok(Reply::show(&self.0.join(&caller, &code.0).await?))
    }
}

impl Front {
    /// Counts an invitation: mails go to people who did not ask for them. The address comes last, so that whoever may send
    /// none does not use up what others may send there.
    async fn count_invitation(&self, ask: &Ask, command: &TeamCommand) -> Result<(), Problem> {
        let TeamCommand::Invite { email, .. } = command else {
            return Ok(());
        };
        let (limits, now) = (&self.limits, ask.at);
        let yours = "You have sent many invitations. The rest can follow later.";
        limits.inviter.take(&ask.actor, now).await.map_err(|problem| because(yours, problem))?;
        let theirs = "Many invitations were sent for this workspace. The rest can follow later.";
        limits.invitations.take(&ask.workspace, now).await.map_err(|problem| because(theirs, problem))?;
        let address =
            "This address was sent several invitations lately: ask its owner to look for the newest one.";
        let hash = sha256(email.as_str().as_bytes());
        limits.invited.take(&hash, now).await.map_err(|problem| because(address, problem))
    }

    /// Accepts the invitation of this code for the caller.
    pub async fn join(&self, caller: &Caller, code: &str) -> Result<WorkspaceView, Refusal> {
        caller.needs(fairy_jobs::rights::Scope::Admin)?;
        let (invitation, workspace) = self.invitation(code).await?;
        let ask = self.ask(caller, workspace.id);
        self.execute(&ask, &TeamCommand::Accept { id: invitation.id }).await?;
        self.callers.forget_memberships_of(caller.user);
        let name = WorkspaceName::Id(workspace.id);
        let membership = self.membership(caller.user, &name).await?;
        let workspace = self.services.teams.workspace(&name).await?.unwrap_or(workspace);
        let removed = || Problem::new(ProblemKind::Conflict, "You were removed from the workspace just now.");
        Ok(WorkspaceView::of(workspace, membership.ok_or_else(removed)?.role))
    }
}
