//! Workspaces.

use std::sync::Arc;

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    ports::WorkspaceName,
    problem::Problem,
    rights::{Action, Scope},
    team::{Role, Workspace},
    text::{Name, Slug},
};
use poem_openapi::{Object, OpenApi, param::Path};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    shape::{
        BODY, CALLER, CONFLICT, Fields, Instant, JsonBody, ListOf, Made, PageParams, Params, Patched, QUERY,
        Raw, Refused, Reply, Shown, Shows, TARGET, WRITE,
    },
};

/// A workspace to be made.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct CreateWorkspaceRequest {
    /// Its name.
    name: Raw<Name>,
    /// Its name in URLs, 2 to 40 of `a-z0-9-`; made from the name unless given.
    slug: Patched<Raw<Slug>>,
}

/// A workspace, as one of its members sees it.
#[derive(Object)]
#[oai(rename = "Workspace")]
pub(crate) struct WorkspaceView {
    /// Its id.
    id: Shown<WorkspaceId>,
    /// Its name in URLs.
    slug: Shown<Slug>,
    /// Its name.
    name: Shown<Name>,
    /// What the caller is there.
    role: Shown<Role>,
    /// The number of the last change in its feed.
    seq: u64,
    /// When it was made.
    created_at: Shown<Instant>,
}

impl WorkspaceView {
    /// A workspace, for who has this role there.
    pub fn of(workspace: Workspace, role: Role) -> Self {
        Self {
            id: Shown(workspace.id),
            slug: Shown(workspace.slug),
            name: Shown(workspace.name),
            role: Shown(role),
            seq: workspace.seq,
            created_at: Shown(Instant(workspace.created_at)),
        }
    }
}

/// The workspaces.
pub(crate) struct WorkspaceRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Workspaces")]
impl WorkspaceRoutes {
    /// Make a workspace
    ///
    /// The caller is its owner. A `slug` that is taken is refused with `409`; without one each call makes another workspace, under
    /// a slug made from its name. With an API token it takes the scope `admin`.
    #[oai(path = "/workspaces", method = "post", operation_id = "create_workspace")]
    async fn create(
        &self,
        caller: Caller,
        body: JsonBody<CreateWorkspaceRequest>,
    ) -> Result<Reply<Made<WorkspaceView>>, Refused<{ CALLER | BODY | CONFLICT | WRITE }>> {
        caller.needs(Scope::Admin)?;
        let mut fields = Fields::default();
        let name = fields.required("name", &body.value.name);
        let given = fields.optional("slug", &body.value.slug);
        let name = fields.finish(|| name)?;
        let (fixed, slug) = (given.is_some(), given.unwrap_or_else(|| Slug::from_name(&name)));
        let id = WorkspaceId::generate(self.0.services.ids.as_ref(), self.0.now());
        let ask = self.0.ask(&caller, id);
        let workspace = self.0.services.teams.create_workspace(&ask, &name, &slug, fixed).await?;
        self.begun(caller.user, &workspace).await;
        let place = format!("/v1/workspaces/{}", workspace.id);
        Ok(Reply::made(&WorkspaceView::of(workspace, Role::Owner), &place))
    }

    /// List one's workspaces
    #[oai(path = "/workspaces", method = "get", operation_id = "list_workspaces")]
    async fn list(
        &self,
        caller: Caller,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<WorkspaceView>>>, Refused<{ CALLER | QUERY }>> {
        let page = self.0.services.teams.workspaces_of(caller.user, params.page()?).await?;
        Ok(Reply::show(&ListOf::of(page, |(workspace, role)| WorkspaceView::of(workspace, role))))
    }

    /// Show a workspace
    #[oai(path = "/workspaces/:ws", method = "get", operation_id = "get_workspace")]
    async fn show(
        &self,
        caller: Caller,
        ws: Path<String>,
    ) -> Result<Reply<Shows<WorkspaceView>>, Refused<{ CALLER | TARGET }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let found = self.0.services.teams.workspace(&WorkspaceName::Id(place.workspace)).await?;
        let workspace = found.ok_or_else(|| Problem::not_found("workspace"))?;
        Ok(Reply::show(&WorkspaceView::of(workspace, place.role)))
    }
}

impl WorkspaceRoutes {
    async fn begun(&self, owner: UserId, workspace: &Workspace) {
        self.0.callers.forget_memberships_of(owner);
        self.0.services.relay.changed(workspace.id, workspace.seq).await;
    }
}
