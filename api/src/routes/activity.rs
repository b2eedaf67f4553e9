//! The activity log: who did what, newest first.

use std::sync::Arc;

use fairy_jobs::{
    id::UserId,
    page::Cursor,
    ports::{About, ActivityQuery},
    problem::Problem,
    rights::Action,
};
use poem_openapi::{Object, OpenApi, param::Path, registry::MetaSchema};
use serde::Deserialize;

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    shape::{
        CALLER, Described, Fields, Given, Input, Instant, LimitParam, ListOf, PageParams, Params, QUERY,
        QueryParams, Raw, Refused, Reply, Shows, TARGET, page_request,
    },
    view::ChangeView,
};

/// Which entries are wanted.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ActivityParams {
    /// By this person (an id), or by `me`.
    actor: Given<Raw<Actor>>,
    /// Not before this instant.
    since: Given<Raw<Instant>>,
    /// How many items at the most.
    limit: Given<Raw<LimitParam>>,
    /// Where to go on: `next` of the part before.
    cursor: Given<Raw<Cursor>>,
}

impl QueryParams for ActivityParams {}

/// Who did it.
enum Actor {
    Me,
    User(UserId),
}

impl Described for Actor {
    fn schema() -> MetaSchema {
        MetaSchema { max_length: Some(30), example: Some("me".into()), ..MetaSchema::new("string") }
    }
}

impl Input for Actor {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        match json.as_str() {
            "me" => Ok(Self::Me),
            id => id.parse().map(Self::User).map_err(|_| "must be me, or a person's id (usr_…)".to_owned()),
        }
    }
}

/// The log.
pub(crate) struct ActivityRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::History")]
impl ActivityRoutes {
    /// Show what happened in a workspace
    ///
    /// From the activity log, newest first; it may be a moment behind.
    #[oai(path = "/workspaces/:ws/activity", method = "get", operation_id = "list_activity")]
    async fn of_workspace(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<ActivityParams>,
    ) -> Result<Reply<Shows<ListOf<ChangeView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let mut fields = Fields::default();
        let actor = fields.given("actor", &params.0.actor).map(|actor| match actor {
            Actor::Me => caller.user,
            Actor::User(id) => id,
        });
        let since = fields.given("since", &params.0.since).map(|since| since.0);
        let page = page_request(&mut fields, &params.0.limit, &params.0.cursor);
        let page = fields.finish(|| Some(page))?;
        let query = ActivityQuery {
            workspace: place.workspace,
            about: actor.map_or(About::Everything, About::Person),
            since,
        };
        let page = self.0.services.activity.entries(&query, page).await?;
        Ok(Reply::show(&ListOf::of(page, ChangeView::from)))
    }

    /// Show what happened to a task
    ///
    /// From the activity log, newest first; it may be a moment behind. Of a deleted task by its id.
    #[oai(path = "/workspaces/:ws/tasks/:task/activity", method = "get", operation_id = "list_task_activity")]
    async fn of_task(
        &self,
        caller: Caller,
        ws: Path<String>,
        task: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<ChangeView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let (task, certain) = self.0.task_with_history(place.workspace, &task.0).await?;
        let query = ActivityQuery { workspace: place.workspace, about: About::Task(task), since: None };
        let page = self.0.services.activity.entries(&query, params.page()?).await?;
        if page.items.is_empty() && !certain {
            return Err(Problem::not_found("task").into());
        }
        Ok(Reply::show(&ListOf::of(page, ChangeView::from)))
    }
}
