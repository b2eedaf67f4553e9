//! A task as the API shows it.

use fairy_jobs::{
    id::{ProjectId, TaskId, UserId, WorkspaceId},
    task::{Due, Percent, Priority, Status, Task},
    team::TaskKey,
    text::{Body, Label, Title},
};
use poem_openapi::Object;

use super::{People, PersonView};
use crate::shape::{Instant, Nullable, Shown};

/// A task.
#[derive(Debug, Object)]
#[oai(rename = "Task")]
pub(crate) struct TaskView {
    /// Its id.
    id: Shown<TaskId>,
    /// Its present key, such as `WEB-12`.
    key: Shown<TaskKey>,
    /// Where it belongs.
    workspace: Shown<WorkspaceId>,
    /// The project that numbers it.
    project: Shown<ProjectId>,
    /// What is to be done.
    title: Shown<Title>,
    /// More about it, in Markdown.
    body: Shown<Body>,
    /// Where it stands.
    status: Shown<Status>,
    /// How far it is, in per cent; 100 exactly when it is done.
    progress: Shown<Percent>,
    /// How much it matters.
    priority: Shown<Priority>,
    /// When it is due: a date, or an instant with the offset that was given.
    due: Nullable<Shown<Due>>,
    /// Who is to do it.
    assignees: Vec<PersonView>,
    /// Who wants to hear of it.
    watchers: Vec<Shown<UserId>>,
    /// Its labels.
    labels: Vec<Shown<Label>>,
    /// How many operations changed it.
    version: u64,
    /// Who created it.
    created_by: Shown<UserId>,
    /// When it was created.
    created_at: Shown<Instant>,
    /// When it was last changed.
    updated_at: Shown<Instant>,
    /// When it was done; set exactly while it is.
    completed_at: Nullable<Shown<Instant>>,
}

impl TaskView {
    /// A task with the names of its assignees.
    pub fn of(task: Task, people: &People) -> Self {
        Self {
            id: Shown(task.id),
            key: Shown(task.key),
            workspace: Shown(task.workspace),
            project: Shown(task.project),
            title: Shown(task.title),
            body: Shown(task.body),
            status: Shown(task.status),
            progress: Shown(task.progress),
            priority: Shown(task.priority),
            due: Nullable(task.due.map(Shown)),
            assignees: task.assignees.into_iter().map(|id| people.show(id)).collect(),
            watchers: task.watchers.into_iter().map(Shown).collect(),
            labels: task.labels.into_iter().map(Shown).collect(),
            version: task.version,
            created_by: Shown(task.created_by),
            created_at: Shown(Instant(task.created_at)),
            updated_at: Shown(Instant(task.updated_at)),
            completed_at: Nullable(task.completed_at.map(Instant).map(Shown)),
        }
    }
}
