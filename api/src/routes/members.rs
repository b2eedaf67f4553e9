//! The members of a workspace.

use std::sync::Arc;

use fairy_jobs::{
    email::EmailAddress,
    id::UserId,
    page::Page,
    problem::Problem,
    rights::Action,
    team::{Member, Role},
    team_command::TeamCommand,
    text::Name,
};
use poem_openapi::{Object, OpenApi, param::Path};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    problem::internal,
    shape::{
        BODY, CALLER, CONFLICT, Done, Fields, Instant, JsonBody, ListOf, PageParams, Params, QUERY, Raw,
        Refused, Reply, Shown, Shows, TARGET, WRITE,
    },
};

/// What a member is to be.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct ChangeRoleRequest {
    /// The new role; `owner` hands the workspace over, and the owner until now becomes an admin.
    role: Raw<Role>,
}

/// A person in a workspace.
#[derive(Object)]
#[oai(rename = "Member")]
pub(crate) struct MemberView {
    /// The person's id.
    id: Shown<UserId>,
    /// What they are called.
    name: Shown<Name>,
    /// Where mail to them goes.
    email: Shown<EmailAddress>,
    /// What they may do.
    role: Shown<Role>,
    /// When they joined.
    joined_at: Shown<Instant>,
}

impl MemberView {
    fn of(member: Member) -> Option<Self> {
        Some(Self {
            id: Shown(member.user),
            name: Shown(member.name),
            email: Shown(member.email),
            role: Shown(member.role?),
            joined_at: Shown(Instant(member.joined_at)),
        })
    }
}

fn person(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::not_found("member"))
}

/// The members.
pub(crate) struct MemberRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Workspaces")]
impl MemberRoutes {
    /// List the members
    ///
    /// In the order in which they joined; who has left is not among them.
    #[oai(path = "/workspaces/:ws/members", method = "get", operation_id = "list_members")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<MemberView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let page = self.0.services.teams.members(place.workspace, params.page()?).await?;
        let page =
            Page { items: page.items.into_iter().filter_map(MemberView::of).collect(), next: page.next };
        Ok(Reply::show(&ListOf::of(page, std::convert::identity)))
    }

    /// Change a member's role
    ///
    /// Takes the role admin; to make somebody else the owner, the role owner.
    #[oai(path = "/workspaces/:ws/members/:user", method = "patch", operation_id = "change_role")]
    async fn change_role(
        &self,
        caller: Caller,
        ws: Path<String>,
        user: Path<String>,
        body: JsonBody<ChangeRoleRequest>,
    ) -> Result<Reply<Shows<MemberView>>, Refused<{ CALLER | TARGET | BODY | CONFLICT | WRITE }>> {
        let place = self.0.place(&caller, &ws.0, Action::ManageMembers).await?;
        let user = person(&user.0)?;
        let mut fields = Fields::default();
        let role = fields.required("role", &body.value.role);
        let role = fields.finish(|| role)?;
        let command = TeamCommand::ChangeRole { user, role };
        let done = self.0.execute(&self.0.ask(&caller, place.workspace), &command).await?;
        self.0.callers.forget_memberships_of(user);
        self.0.callers.forget_memberships_of(caller.user);
        Ok(Reply::show(&done.member.and_then(MemberView::of).ok_or_else(internal)?))
    }

    /// Remove a member, or leave
    ///
    /// Takes the role admin, or none to leave oneself. What was assigned to who left stays and shows `active: false`.
    #[oai(path = "/workspaces/:ws/members/:user", method = "delete", operation_id = "remove_member")]
    async fn remove(
        &self,
        caller: Caller,
        ws: Path<String>,
        user: Path<String>,
    ) -> Result<Reply<Done>, Refused<{ CALLER | TARGET | CONFLICT | WRITE }>> {
        let user = match user.0.as_str() {
            "me" => caller.user,
            id => person(id)?,
        };
        let action = if user == caller.user { Action::WatchOneself } else { Action::ManageMembers };
        let place = self.0.place(&caller, &ws.0, action).await?;
        self.0.execute(&self.0.ask(&caller, place.workspace), &TeamCommand::Remove { user }).await?;
        self.0.callers.forget_memberships_of(user);
        Ok(Reply::done())
    }
}
