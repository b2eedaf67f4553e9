//! Add or take away one assignee, watcher or label, for callers that must not overwrite each other's sets.

use serde::{Deserialize, Serialize};

use super::{TaskName, create_task::within};
use crate::{
    decide::{Answer, Context, Edit},
    id::UserId,
    problem::Problem,
    rights::Action,
    task::{MOST_ASSIGNEES, MOST_LABELS, MOST_WATCHERS, Task},
    text::Label,
};

/// Assigns or unassigns one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The task.
    pub task: TaskName,
    /// The person; to be assigned, a member.
    pub user: UserId,
}

/// Adds or removes one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelling {
    /// The task.
    pub task: TaskName,
    /// The label.
    pub label: Label,
}

/// Lets one person watch, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watching {
    /// The task.
    pub task: TaskName,
    /// The person; to watch, a member.
    pub user: UserId,
}

impl Assignment {
    pub(crate) fn decide(&self, cx: &Context<'_>, present: bool) -> Result<Edit, Problem> {
        edit(cx, &self.task, Action::WriteTasks, |after| {
            if present {
                cx.member(self.user, "assignee")?;
                after.assignees.insert(self.user);
            } else {
                after.assignees.remove(&self.user);
            }
            within("assignees", after.assignees.len(), MOST_ASSIGNEES)
        })
    }
}

impl Labelling {
    pub(crate) fn decide(&self, cx: &Context<'_>, present: bool) -> Result<Edit, Problem> {
        edit(cx, &self.task, Action::WriteTasks, |after| {
            if present {
                after.labels.insert(self.label.clone());
            } else {
                after.labels.remove(&self.label);
            }
            within("labels", after.labels.len(), MOST_LABELS)
        })
    }
}

impl Watching {
    pub(crate) fn decide(&self, cx: &Context<'_>, present: bool) -> Result<Edit, Problem> {
        let oneself = self.user == cx.operation.actor;
        let action = if oneself { Action::WatchOneself } else { Action::WriteTasks };
        edit(cx, &self.task, action, |after| {
            if present {
                cx.member(self.user, "watcher")?;
                after.watchers.insert(self.user);
            } else {
                after.watchers.remove(&self.user);
            }
            within("watchers", after.watchers.len(), MOST_WATCHERS)
        })
    }
}

fn edit(
    cx: &Context<'_>,
    task: &TaskName,
    action: Action,
    change: impl FnOnce(&mut Task) -> Result<(), Problem>,
) -> Result<Edit, Problem> {
    cx.may(action)?;
    let before = cx.task(task)?;
    cx.precondition(before.version)?;
    let mut after = before.clone();
    change(&mut after)?;
    Ok(Edit::task(Some(before.clone()), after, Answer::Nothing))
}
