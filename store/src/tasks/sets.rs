//! Finding tasks by assignee and by label: child rows that carry what lists are ordered by.
//!
//! They are derived from the task's row and written with it. A deleted task has none, so a list never walks over them. What
//! changes with every edit (`updated_at`) is not in them, so that most edits leave them alone.

use std::collections::BTreeSet;

use fairy_jobs::{
    id::{ProjectId, TaskId, UserId},
    ports::PortResult,
    task::{Due, Priority, Status, Task},
    team::TaskKey,
    text::Label,
};
use jiff::Timestamp;

use super::{due, rows::rank};
use crate::driver::{Connection, Value, args};

const WIDTH: usize = 7;

const DELETE_ASSIGNEES: &str = "\
DELETE FROM task_assignees
WHERE task IN {list}";

const DELETE_LABELS: &str = "\
DELETE FROM task_labels
WHERE task IN {list}";

const INSERT_ASSIGNEES: &str = "\
INSERT INTO task_assignees (task, user, workspace, created_at, priority, due_date, due_at)
VALUES {rows}";

const INSERT_LABELS: &str = "\
INSERT INTO task_labels (task, label, workspace, created_at, priority, due_date, due_at)
VALUES {rows}";

/// What a task was, as far as it decides which rows and indexes have to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    project: ProjectId,
    key: TaskKey,
    status: Status,
    completed_at: Option<Timestamp>,
    deleted_at: Option<Timestamp>,
    order: Order,
    assignees: BTreeSet<UserId>,
    labels: BTreeSet<Label>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    priority: Priority,
    due: Option<Due>,
    deleted: bool,
}

impl Order {
    fn of(task: &Task) -> Self {
        Self { priority: task.priority, due: task.due.clone(), deleted: task.deleted_at.is_some() }
    }
}

impl Before {
    /// What this task is now.
    pub fn of(task: &Task) -> Self {
        Self {
            project: task.project,
            key: task.key.clone(),
            status: task.status,
            completed_at: task.completed_at,
            deleted_at: task.deleted_at,
            order: Order::of(task),
            assignees: task.assignees.clone(),
            labels: task.labels.clone(),
        }
    }

    /// Whether a column is different that indexes are ordered by, or that changes only with one that they are: one batch
    /// can lead a task to another project, to another status or out of sight, and back.
    pub fn moved(&self, after: &Task) -> bool {
        self.project != after.project
            || self.key != after.key
            || self.status != after.status
            || self.completed_at != after.completed_at
            || self.deleted_at != after.deleted_at
            || self.order != Order::of(after)
    }
}

/// Writes the child rows of tasks, each with what it was, if it was there.
pub(crate) async fn sync(c: &mut Connection<'_>, tasks: &[(&Task, Option<&Before>)]) -> PortResult<()> {
    let reordered = |task: &Task, before: &Before| before.order != Order::of(task);
    let assignees =
        Difference::of(tasks, |task, before| reordered(task, before) || task.assignees != before.assignees);
    assignees.delete(c, DELETE_ASSIGNEES).await?;
    let of_task = |task: &Task| task.assignees.iter().flat_map(|user| row(task, (*user).into())).collect();
    c.later_rows(INSERT_ASSIGNEES, WIDTH, assignees.rows(of_task)).await?;
    let labels =
        Difference::of(tasks, |task, before| reordered(task, before) || task.labels != before.labels);
    labels.delete(c, DELETE_LABELS).await?;
    let of_task =
        |task: &Task| task.labels.iter().flat_map(|label| row(task, label.as_str().into())).collect();
    c.later_rows(INSERT_LABELS, WIDTH, labels.rows(of_task)).await
}

struct Difference<'t> {
    gone: Vec<TaskId>,
    now: Vec<&'t Task>,
}

impl<'t> Difference<'t> {
    fn of(tasks: &[(&'t Task, Option<&Before>)], differs: impl Fn(&Task, &Before) -> bool) -> Self {
        let changed: Vec<_> =
            tasks.iter().filter(|(task, before)| before.is_none_or(|b| differs(task, b))).collect();
        let gone = changed.iter().filter(|(_, before)| before.is_some_and(|b| !b.order.deleted));
        let now = changed.iter().filter(|(task, _)| task.deleted_at.is_none());
        Self { gone: gone.map(|(task, _)| task.id).collect(), now: now.map(|(task, _)| *task).collect() }
    }

    async fn delete(&self, c: &mut Connection<'_>, sql: &str) -> PortResult<()> {
        c.later_in(sql, vec![], self.gone.iter().map(|id| Value::from(*id)).collect()).await?;
        Ok(())
    }

    fn rows(&self, of_task: impl Fn(&Task) -> Vec<Value>) -> Vec<Value> {
        self.now.iter().flat_map(|task| of_task(task)).collect()
    }
}

fn row(task: &Task, member: Value) -> Vec<Value> {
    let [date, at, _] = due::columns(task.due.as_ref());
    args![task.id, member, task.workspace, task.created_at, rank(task.priority), date, at]
}
