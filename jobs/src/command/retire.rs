//! Delete a task, and bring it back.

use serde::{Deserialize, Serialize};

use super::TaskName;
use crate::{
    decide::{Answer, Context, Edit},
    problem::Problem,
    rights::Action,
};

/// Takes a task out of sight; its key is never given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteTask {
    /// The task.
    pub task: TaskName,
}

/// Brings a deleted task back as it was; one that is not deleted stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestoreTask {
    /// The task.
    pub task: TaskName,
}

impl DeleteTask {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let before = cx.task(&self.task)?;
        cx.precondition(before.version)?;
        let mut after = before.clone();
        after.deleted_at = Some(cx.at);
        Ok(Edit::task(Some(before.clone()), after, Answer::Nothing))
    }
}

impl RestoreTask {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let before = cx.any_task(&self.task)?;
        cx.precondition(before.version)?;
        let mut after = before.clone();
        after.deleted_at = None;
        Ok(Edit::task(Some(before.clone()), after, Answer::Task))
    }
}
