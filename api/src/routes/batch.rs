//! Many tasks made or changed by one call.

use std::sync::Arc;

use fairy_jobs::{
    command::{Patch, ProjectName, TaskName},
    id::UserId,
    problem::Problem,
    rights::Action,
    task::{Due, Percent, Priority, Status},
    text::{Body, Label, Title},
};
use poem_openapi::{Object, OpenApi, param::Path};
use serde::Deserialize;

use super::{
    Topic,
    task_write::{CreateTaskRequest, PatchTaskRequest},
    writer::Writer,
};
use crate::{
    accept::{BatchAccepted, Item, Ticket, most_items},
    front::Front,
    shape::{
        BODY, CALLER, EntityTag, Fields, Given, JsonBody, OPERATION, Patched, Raw, Refused, Reply, TARGET,
        objects,
    },
};

/// The largest body of a batch, in bytes.
const MOST_BYTES: usize = 8 << 20;

/// Tasks to be made or changed, in this order.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct BatchRequest {
    /// 1 to 500 items.
    #[oai(validator(min_items = 1, max_items = 500))]
    #[serde(deserialize_with = "objects")]
    items: Vec<BatchItem>,
}

/// One item: with `task` it changes that task, without it makes one.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct BatchItem {
    /// The task to change, by id or key; absent, a task is made.
    #[serde(alias = "id")]
    task: Given<Raw<TaskName>>,
    /// For a change: the entity tags that it allows, such as `"3"`.
    if_match: Given<Raw<EntityTag>>,
    /// The project: needed to make a task; of a change, where to move to.
    project: Given<Raw<ProjectName>>,
    /// What is to be done: needed to make a task.
    title: Given<Raw<Title>>,
    /// More about it, in Markdown; null empties it.
    body: Patched<Raw<Body>>,
    /// Where it stands.
    status: Given<Raw<Status>>,
    /// How far it is, in per cent.
    progress: Given<Raw<Percent>>,
    /// How much it matters; null makes it normal.
    priority: Patched<Raw<Priority>>,
    /// When it is due; null: never.
    due: Patched<Raw<Due>>,
    /// Who is to do it, the whole set; null empties it.
    #[oai(validator(max_items = 50))]
    assignees: Patched<Vec<Raw<UserId>>>,
    /// The labels, the whole set; null empties it.
    #[oai(validator(max_items = 50))]
    labels: Patched<Vec<Raw<Label>>>,
}

impl BatchRequest {
    fn into_items(self, front: &Front, ticket: &Ticket) -> Result<Vec<Item>, Problem> {
        let mut fields = Fields::default();
        if self.items.is_empty() || self.items.len() > most_items() {
            fields.refuse("items", format!("must have 1 to {} entries", most_items()));
            return fields.finish(|| None);
        }
        let mut items = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.into_iter().enumerate() {
            let parsed = item.into_item(front, ticket.item(front, index));
            items.extend(fields.adopt(&format!("items.{index}"), parsed));
        }
        fields.finish(|| Some(items))
    }
}

impl BatchItem {
    fn into_item(self, front: &Front, ticket: Ticket) -> Result<Item, Problem> {
        let mut fields = Fields::default();
        let if_match = fields.given("if_match", &self.if_match).map(|tag| tag.0);
        let task = fields.given("task", &self.task);
        fields.finish(|| Some(()))?;
        let command = match task {
            Some(task) => self.into_patch().into_command(task)?,
            None => self.into_create().into_command(Ticket::task(front))?,
        };
        Ok((ticket, command, if_match))
    }

    fn into_create(self) -> CreateTaskRequest {
        CreateTaskRequest {
            project: self.project.0.unwrap_or_default(),
            title: self.title.0.unwrap_or_default(),
            body: self.body,
            assignees: self.assignees,
            due: self.due,
            priority: self.priority,
            labels: self.labels,
            progress: Patched(self.progress.0.map_or(Patch::Leave, Patch::Set)),
            status: Patched(self.status.0.map_or(Patch::Leave, Patch::Set)),
        }
    }

    fn into_patch(self) -> PatchTaskRequest {
        PatchTaskRequest {
            title: self.title,
            body: self.body,
            status: self.status,
            progress: self.progress,
            priority: self.priority,
            due: self.due,
            assignees: self.assignees,
            labels: self.labels,
            project: self.project,
        }
    }
}

/// Batches.
pub(crate) struct BatchRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Tasks")]
impl BatchRoutes {
    /// Make or change many tasks
    ///
    /// Each item is an operation of its own; all are accepted or none, and they are applied in this order. Takes the
    /// role member. How each ended is asked at `/v1/operations/{id}`.
    #[oai(path = "/workspaces/:ws/tasks/batch", method = "post", operation_id = "batch_tasks")]
    async fn accept(
        &self,
        by: Writer,
        ws: Path<String>,
        body: JsonBody<BatchRequest, MOST_BYTES>,
    ) -> Result<Reply<BatchAccepted>, Refused<{ CALLER | TARGET | BODY | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, &body.raw);
        let items = body.value.into_items(&self.0, &ticket)?;
        Ok(self.0.accept_batch(&ticket, items).await?)
    }
}
