//! Create a task.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ProjectName;
use crate::{
    decide::{Answer, Context, Edit, settle},
    id::{TaskId, UserId},
    problem::{Problem, ProblemKind},
    rights::Action,
    task::{Due, MOST_ASSIGNEES, MOST_LABELS, Percent, Priority, Status, Task},
    team::TaskKey,
    text::{Body, Label, Title},
};

/// Makes a task under an id that was given when it was accepted; its key is numbered when it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateTask {
    /// The new task's id.
    pub task: TaskId,
    /// The project that numbers it.
    pub project: ProjectName,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    #[serde(default)]
    pub body: Body,
    /// Who is to do it: members of the workspace.
    #[serde(default)]
    pub assignees: BTreeSet<UserId>,
    /// When it is due.
    #[serde(default)]
    pub due: Option<Due>,
    /// How much it matters.
    #[serde(default)]
    pub priority: Priority,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeSet<Label>,
    /// How far it is already.
    #[serde(default)]
    pub progress: Option<Percent>,
    /// Where it stands already.
    #[serde(default)]
    pub status: Option<Status>,
}

impl CreateTask {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        if cx.operation.if_match.is_some() {
            return Err(Problem::new(
                ProblemKind::PreconditionFailed,
                "If-Match was sent, but a new task has no version.",
            ));
        }
        if cx.state.tasks.contains_key(&self.task) {
            return Err(Problem::new(
                ProblemKind::Conflict,
                format!("There is a task {} already.", self.task),
            ));
        }
        let project = cx.project(&self.project)?;
        cx.new_assignees(&BTreeSet::new(), &self.assignees)?;
        within("assignees", self.assignees.len(), MOST_ASSIGNEES)?;
        within("labels", self.labels.len(), MOST_LABELS)?;
        let (status, progress) = settle((Status::Waiting, Percent::ZERO), self.status, self.progress)?;
        let task = Task {
            id: self.task,
            key: TaskKey { project: project.key.clone(), number: project.last_number + 1 },
            workspace: cx.operation.workspace,
            project: project.id,
            title: self.title.clone(),
            body: self.body.clone(),
            status,
            progress,
            priority: self.priority,
            due: self.due.clone(),
            assignees: self.assignees.clone(),
            watchers: BTreeSet::new(),
            labels: self.labels.clone(),
            version: 0,
            created_by: cx.operation.actor,
            created_at: cx.at,
            updated_at: cx.at,
            completed_at: None,
            deleted_at: None,
        };
        Ok(Edit::task(None, task, Answer::Task))
    }
}

/// Refuses a set with more members than a task may have.
pub(super) fn within(field: &str, size: usize, most: usize) -> Result<(), Problem> {
    if size > most { Err(Problem::field(field, format!("must have at most {most} entries"))) } else { Ok(()) }
}
