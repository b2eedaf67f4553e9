//! The projects of a workspace.

use std::sync::Arc;

use fairy_jobs::{
    id::{ProjectId, WorkspaceId},
    problem::Problem,
    rights::Action,
    team::{Project, ProjectKey},
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
        BODY, CALLER, CONFLICT, Fields, Instant, JsonBody, ListOf, Made, PageParams, Params, QUERY, Raw,
        Refused, Reply, Shown, Shows, TARGET, WRITE,
    },
};

/// A project to be made.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct CreateProjectRequest {
    /// Its key, under which its tasks are numbered: 2 to 10 of `A-Z0-9`, starting with a letter.
    key: Raw<ProjectKey>,
    /// Its name.
    name: Raw<Name>,
}

impl CreateProjectRequest {
    fn into_command(self, id: ProjectId) -> Result<TeamCommand, Problem> {
        let mut fields = Fields::default();
        let key = fields.required("key", &self.key);
        let name = fields.required("name", &self.name);
        fields.finish(|| Some(TeamCommand::CreateProject { id, key: key?, name: name? }))
    }
}

/// A project.
#[derive(Object)]
#[oai(rename = "Project")]
pub(crate) struct ProjectView {
    /// Its id.
    id: Shown<ProjectId>,
    /// Where it belongs.
    workspace: Shown<WorkspaceId>,
    /// Its key.
    key: Shown<ProjectKey>,
    /// Its name.
    name: Shown<Name>,
    /// When it was made.
    created_at: Shown<Instant>,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self {
            id: Shown(project.id),
            workspace: Shown(project.workspace),
            key: Shown(project.key),
            name: Shown(project.name),
            created_at: Shown(Instant(project.created_at)),
        }
    }
}

/// The projects.
pub(crate) struct ProjectRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Workspaces")]
impl ProjectRoutes {
    /// Make a project
    ///
    /// Takes the role admin. A `key` that is taken is refused with `409`.
    #[oai(path = "/workspaces/:ws/projects", method = "post", operation_id = "create_project")]
    async fn create(
        &self,
        caller: Caller,
        ws: Path<String>,
        body: JsonBody<CreateProjectRequest>,
    ) -> Result<Reply<Made<ProjectView>>, Refused<{ CALLER | TARGET | BODY | CONFLICT | WRITE }>> {
        let place = self.0.place(&caller, &ws.0, Action::ManageProjects).await?;
        let ask = self.0.ask(&caller, place.workspace);
        let id = ProjectId::generate(self.0.services.ids.as_ref(), ask.at);
        let done = self.0.execute(&ask, &body.value.into_command(id)?).await?;
        let project = done.project.ok_or_else(internal)?;
        let location = format!("/v1/workspaces/{}/projects", place.workspace);
        Ok(Reply::made(&ProjectView::from(project), &location))
    }

    /// List the projects
    ///
    /// In the order of their keys.
    #[oai(path = "/workspaces/:ws/projects", method = "get", operation_id = "list_projects")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<ProjectView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let page = self.0.services.teams.projects(place.workspace, params.page()?).await?;
        Ok(Reply::show(&ListOf::of(page, ProjectView::from)))
    }
}
