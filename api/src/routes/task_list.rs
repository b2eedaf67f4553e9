//! The list of tasks.

use std::sync::Arc;

use fairy_jobs::{
    account::User,
    command::ProjectName,
    id::{UserId, WorkspaceId},
    page::{Cursor, PageRequest},
    ports::{AssigneeFilter, TaskFilter, TaskQuery, TaskSort},
    problem::Problem,
    rights::Action,
    task::{Due, Status},
    team::TaskKey,
    text::Label,
};
use poem_openapi::{Object, OpenApi, param::Path, registry::MetaSchema};
use serde::{Deserialize, Serialize};

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    shape::{
        CALLER, CONFLICT, Described, Fields, Given, Input, LimitParam, ListOf, Params, QUERY, QueryParams,
        Raw, Refused, Reply, SeqParam, Shows, TARGET, page_request,
    },
    view::TaskView,
};

/// Which tasks are wanted, and in which order.
#[derive(Debug, Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TaskListParams {
    /// In this project, by id or key; one that the workspace does not have is refused with `422`.
    project: Given<Raw<ProjectName>>,
    /// With this status.
    status: Given<Raw<Status>>,
    /// Of this person (an id), of `me`, or of `none`.
    assignee: Given<Raw<Assignee>>,
    /// With this label.
    label: Given<Raw<Label>>,
    /// Due before this date begins in the caller's time zone, or before this instant.
    due_before: Given<Raw<Due>>,
    /// With this text in title or body, without regard to case.
    q: Given<Raw<Search>>,
    /// With this key, present or former.
    key: Given<Raw<TaskKey>>,
    /// In which order: `-created_at` unless given.
    sort: Given<Raw<Sort>>,
    /// Wait until this change is visible.
    min_seq: Given<Raw<SeqParam>>,
    /// How many items at the most.
    limit: Given<Raw<LimitParam>>,
    /// Where to go on: `next` of the part before.
    cursor: Given<Raw<Cursor>>,
}

impl QueryParams for TaskListParams {}

impl TaskListParams {
    fn into_query(self, workspace: WorkspaceId, caller: User) -> Result<(TaskQuery, PageRequest), Problem> {
        let mut fields = Fields::default();
        let page = page_request(&mut fields, &self.limit, &self.cursor);
        let filter = TaskFilter {
            project: fields.given("project", &self.project),
            status: fields.given("status", &self.status),
            assignee: fields.given("assignee", &self.assignee).map(|assignee| assignee.filter(caller.id)),
            label: fields.given("label", &self.label),
            due_before: fields.given("due_before", &self.due_before),
            text: fields.given("q", &self.q).map(|search| search.0),
            key: fields.given("key", &self.key),
        };
        let sort = fields.given("sort", &self.sort).map_or_else(TaskSort::default, |sort| sort.0);
        fields.finish(|| Some((TaskQuery { workspace, filter, sort, time_zone: caller.time_zone }, page)))
    }
}

/// Whose tasks.
#[derive(Debug, Serialize)]
enum Assignee {
    Me,
    Nobody,
    User(UserId),
}

impl Assignee {
    const fn filter(&self, me: UserId) -> AssigneeFilter {
        match self {
            Self::Me => AssigneeFilter::User(me),
            Self::Nobody => AssigneeFilter::Nobody,
            Self::User(id) => AssigneeFilter::User(*id),
        }
    }
}

impl Described for Assignee {
    fn schema() -> MetaSchema {
        MetaSchema { max_length: Some(30), example: Some("me".into()), ..MetaSchema::new("string") }
    }
}

impl Input for Assignee {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        match json.as_str() {
            "me" => Ok(Self::Me),
            "none" => Ok(Self::Nobody),
            id => id
                .parse()
                .map(Self::User)
                .map_err(|_| "must be me, none, or a person's id (usr_…)".to_owned()),
        }
    }
}

/// A text to be found.
struct Search(String);

impl Described for Search {
    fn schema() -> MetaSchema {
        MetaSchema { min_length: Some(1), max_length: Some(200), ..MetaSchema::new("string") }
    }
}

impl Input for Search {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let text = json.trim();
        let fits = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if fits { Ok(Self(text.to_owned())) } else { Err("must be 1 to 200 visible characters".to_owned()) }
    }
}

/// An order.
struct Sort(TaskSort);

const SORTS: [(&str, TaskSort); 5] = [
    ("-created_at", TaskSort::Newest),
    ("created_at", TaskSort::Oldest),
    ("-updated_at", TaskSort::Updated),
    ("due", TaskSort::Due),
    ("-priority", TaskSort::Priority),
];

impl Described for Sort {
    fn schema() -> MetaSchema {
        MetaSchema { enum_items: SORTS.map(|(name, _)| name.into()).to_vec(), ..MetaSchema::new("string") }
    }
}

impl Input for Sort {
    type Json = String;

    fn parse(json: &String) -> Result<Self, String> {
        let sort = SORTS.iter().find(|(name, _)| name == json);
        sort.map(|(_, sort)| Self(*sort))
            .ok_or_else(|| "must be one of -created_at, created_at, -updated_at, due, -priority".to_owned())
    }
}

/// The list.
pub(crate) struct TaskListRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Tasks")]
impl TaskListRoutes {
    /// List tasks
    ///
    /// All that is given must hold. A person or a label that nothing has leads to an empty list; a project that the workspace
    /// does not have, be it in another one or nowhere, is refused with `422`. Dates in `due_before` and in the order by due date are read in the caller's zone.
    /// A call looks at a bounded number of tasks, so a page may be short, or empty, and still name a `next`: go on there.
    #[oai(path = "/workspaces/:ws/tasks", method = "get", operation_id = "list_tasks")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        params: Params<TaskListParams>,
    ) -> Result<Reply<Shows<ListOf<TaskView>>>, Refused<{ CALLER | TARGET | QUERY | CONFLICT }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let user = self.0.user(caller.user).await?;
        self.0.caught_up(place.workspace, &params.0.min_seq).await?;
        let (query, page) = params.0.into_query(place.workspace, user)?;
        let tasks = self.0.services.tasks.tasks(&query, page).await?;
        let assignees = tasks.items.iter().flat_map(|task| task.assignees.iter().copied());
        let people = self.0.people(place.workspace, assignees).await?;
        Ok(Reply::show(&ListOf::of(tasks, |task| TaskView::of(task, &people))))
    }
}
