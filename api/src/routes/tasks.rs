//! One task: made, shown, changed, deleted, restored.

use std::sync::Arc;

use fairy_jobs::{
    command::{Command, DeleteTask, RestoreTask},
    rights::Action,
};
use poem::http::{HeaderMap, header};
use poem_openapi::{OpenApi, param::Path};

use super::{
    Topic,
    task_write::{CreateTaskRequest, PatchTaskRequest},
    visible::task_name,
    writer::Writer,
};
use crate::{
    accept::{Changed, Created, Nothing, Operated, Ticket},
    auth::Caller,
    front::Front,
    shape::{BODY, CALLER, JsonBody, OPERATION, Refused, Reply, TARGET, Tagged},
    view::TaskView,
};

/// The entity tags that a read says the caller has: one list, over however many headers it comes.
pub(crate) fn if_none_match(headers: &HeaderMap) -> Option<String> {
    let lists: Vec<&str> =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    (!lists.is_empty()).then(|| lists.join(", "))
}

/// The tasks, one at a time.
pub(crate) struct TaskRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::Tasks")]
impl TaskRoutes {
    /// Make a task
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks", method = "post", operation_id = "create_task")]
    async fn create(
        &self,
        by: Writer,
        ws: Path<String>,
        body: JsonBody<CreateTaskRequest>,
    ) -> Result<Reply<Operated<Created<TaskView>>>, Refused<{ CALLER | TARGET | BODY | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, &body.raw);
        let command = body.value.into_command(Ticket::task(&self.0))?;
        Ok(self.0.accept(&ticket, command).await?)
    }

    /// Show a task
    #[oai(path = "/workspaces/:ws/tasks/:task", method = "get", operation_id = "get_task")]
    async fn show(
        &self,
        caller: Caller,
        ws: Path<String>,
        task: Path<String>,
        headers: &HeaderMap,
    ) -> Result<Reply<Tagged<TaskView>>, Refused<{ CALLER | TARGET }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let task = self.0.task(place.workspace, &task.0).await?;
        let version = task.version;
        let people = self.0.people(place.workspace, task.assignees.iter().copied()).await?;
        Ok(Reply::tagged(&TaskView::of(task, &people), version, if_none_match(headers).as_deref()))
    }

    /// Change a task
    ///
    /// An operation. Takes the role member. What changes nothing is answered with 200 and makes no change.
    #[oai(path = "/workspaces/:ws/tasks/:task", method = "patch", operation_id = "update_task")]
    async fn update(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
        body: JsonBody<PatchTaskRequest>,
    ) -> Result<Reply<Operated<Changed<TaskView>>>, Refused<{ CALLER | TARGET | BODY | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, &body.raw);
        let command = body.value.into_command(task_name(&task.0)?)?;
        Ok(self.0.accept(&ticket, command).await?)
    }

    /// Delete a task
    ///
    /// An operation. Takes the role member. The task can be restored; its key is never given again.
    #[oai(path = "/workspaces/:ws/tasks/:task", method = "delete", operation_id = "delete_task")]
    async fn delete(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
    ) -> Result<Reply<Operated<Nothing>>, Refused<{ CALLER | TARGET | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, b"");
        let command = Command::DeleteTask(DeleteTask { task: task_name(&task.0)? });
        Ok(self.0.accept(&ticket, command).await?)
    }

    /// Restore a deleted task
    ///
    /// An operation. Takes the role member.
    #[oai(path = "/workspaces/:ws/tasks/:task/restore", method = "post", operation_id = "restore_task")]
    async fn restore(
        &self,
        by: Writer,
        ws: Path<String>,
        task: Path<String>,
    ) -> Result<Reply<Operated<Changed<TaskView>>>, Refused<{ CALLER | TARGET | OPERATION }>> {
        let place = self.0.place(&by.caller, &ws.0, Action::WriteTasks).await?;
        let ticket = by.ticket(&self.0, &place, b"");
        let command = Command::RestoreTask(RestoreTask { task: task_name(&task.0)? });
        Ok(self.0.accept(&ticket, command).await?)
    }
}
