//! Change fields of a task.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Patch, ProjectName, TaskName, create_task::within};
use crate::{
    decide::{Answer, Context, Edit, settle},
    id::UserId,
    problem::Problem,
    rights::Action,
    task::{Due, MOST_ASSIGNEES, MOST_LABELS, Percent, Priority, Status},
    team::TaskKey,
    text::{Body, Label, Title},
};

/// Changes the fields that are mentioned; one that changes nothing is applied without a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchTask {
    /// The task.
    pub task: TaskName,
    /// A new title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// A new body; null empties it.
    #[serde(default, skip_serializing_if = "Patch::is_leave")]
    pub body: Patch<Body>,
    /// A new status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// A new progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Percent>,
    /// A new priority; null makes it normal.
    #[serde(default, skip_serializing_if = "Patch::is_leave")]
    pub priority: Patch<Priority>,
    /// A new due date; null removes it.
    #[serde(default, skip_serializing_if = "Patch::is_leave")]
    pub due: Patch<Due>,
    /// The whole new set; null empties it.
    #[serde(default, skip_serializing_if = "Patch::is_leave")]
    pub assignees: Patch<BTreeSet<UserId>>,
    /// The whole new set; null empties it.
    #[serde(default, skip_serializing_if = "Patch::is_leave")]
    pub labels: Patch<BTreeSet<Label>>,
    /// The project to move to, where it gets a new key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectName>,
}

impl PatchTask {
    /// A patch of this task that changes nothing yet.
    pub fn of(task: TaskName) -> Self {
        Self {
            task,
            title: None,
            body: Patch::Leave,
            status: None,
            progress: None,
            priority: Patch::Leave,
            due: Patch::Leave,
            assignees: Patch::Leave,
            labels: Patch::Leave,
            project: None,
        }
    }

    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let before = cx.task(&self.task)?;
        cx.precondition(before.version)?;
        let mut after = before.clone();
        if let Some(title) = &self.title {
            after.title = title.clone();
        }
        after.body = self.body.over(&before.body, Body::default());
        after.priority = self.priority.over(&before.priority, Priority::Normal);
        after.due = match &self.due {
            Patch::Leave => after.due,
            Patch::Clear => None,
            Patch::Set(due) => Some(due.clone()),
        };
        after.assignees = self.assignees.over(&before.assignees, BTreeSet::new());
        after.labels = self.labels.over(&before.labels, BTreeSet::new());
        cx.new_assignees(&before.assignees, &after.assignees)?;
        within("assignees", after.assignees.len(), MOST_ASSIGNEES)?;
        within("labels", after.labels.len(), MOST_LABELS)?;
        (after.status, after.progress) =
            settle((before.status, before.progress), self.status, self.progress)?;
        if let Some(name) = &self.project {
            let project = cx.project(name)?;
            if project.id != before.project {
                after.project = project.id;
                after.key = TaskKey { project: project.key.clone(), number: project.last_number + 1 };
            }
        }
        Ok(Edit::task(Some(before.clone()), after, Answer::Task))
    }
}
