//! Tasks as rows.
//!
//! Assignees, watchers and labels are JSON on the row, because a task is always read whole; child tables hold assignees
//! and labels once more, only for finding tasks by them (`sets`). A changed task is written whole, in one of two ways: most
//! edits leave the columns alone that indexes are ordered by, and then those indexes are not touched.

use std::collections::BTreeMap;

use fairy_jobs::{
    id::{TaskId, WorkspaceId},
    ports::{PortError, PortResult},
    task::{Percent, Priority, Task},
    team::{ProjectKey, TaskKey},
};

use super::due;
use crate::{
    accounts::users::json,
    driver::{Column, Columns, Connection, Json, Row, Statement, Text, Value, args},
};

/// What [`read`] reads, in its order; every statement calls the table `t`.
pub(super) const COLUMNS: &str = "t.id, t.project_key, t.number, t.workspace, t.project, t.title, t.body, \
t.status, t.progress, t.priority, t.due_date, t.due_at, t.due_offset, t.assignees, t.watchers, t.labels, t.version, \
t.created_by, t.created_at, t.updated_at, t.completed_at, t.deleted_at";
const WIDTH: usize = 22;

const BY_ID: &str = "\
FROM tasks t
WHERE t.id IN {list}";

const LOCK: Text = Text {
    sqlite: BY_ID,
    mysql: "\
FROM tasks t FORCE INDEX (PRIMARY)
WHERE t.id IN {list}
FOR UPDATE",
};

const INSERT: &str = "\
INSERT INTO tasks (id, project_key, number, workspace, project, title, body, status, progress, priority, due_date, due_at, due_offset, assignees, watchers, labels, version, created_by, created_at, updated_at, completed_at, deleted_at)
VALUES {rows}";

const UPDATE_PLAIN: Text = Text {
    sqlite: "\
ON CONFLICT (id) DO UPDATE
SET title = excluded.title, body = excluded.body, progress = excluded.progress, assignees = excluded.assignees,
    watchers = excluded.watchers, labels = excluded.labels, version = excluded.version, updated_at = excluded.updated_at",
    mysql: "\
ON DUPLICATE KEY UPDATE
    title = VALUES(title), body = VALUES(body), progress = VALUES(progress), assignees = VALUES(assignees),
    watchers = VALUES(watchers), labels = VALUES(labels), version = VALUES(version), updated_at = VALUES(updated_at)",
};

/// As above, with all that can change.
const UPDATE_ALL: Text = Text {
    sqlite: "\
ON CONFLICT (id) DO UPDATE
SET title = excluded.title, body = excluded.body, progress = excluded.progress, assignees = excluded.assignees,
    watchers = excluded.watchers, labels = excluded.labels, version = excluded.version, updated_at = excluded.updated_at,
    project_key = excluded.project_key, number = excluded.number, project = excluded.project, status = excluded.status,
    priority = excluded.priority, due_date = excluded.due_date, due_at = excluded.due_at, due_offset = excluded.due_offset,
    completed_at = excluded.completed_at, deleted_at = excluded.deleted_at",
    mysql: "\
ON DUPLICATE KEY UPDATE
    title = VALUES(title), body = VALUES(body), progress = VALUES(progress), assignees = VALUES(assignees),
    watchers = VALUES(watchers), labels = VALUES(labels), version = VALUES(version), updated_at = VALUES(updated_at),
    project_key = VALUES(project_key), number = VALUES(number), project = VALUES(project), status = VALUES(status),
    priority = VALUES(priority), due_date = VALUES(due_date), due_at = VALUES(due_at), due_offset = VALUES(due_offset),
    completed_at = VALUES(completed_at), deleted_at = VALUES(deleted_at)",
};

const BY_KEYS: &str = "\
SELECT project_key, number, task
FROM task_keys
WHERE workspace = ? AND project_key = ? AND number IN {list}";

const INSERT_KEYS: &str = "\
INSERT INTO task_keys (workspace, project_key, number, task)
VALUES {rows}";

/// The workspace's tasks of these ids, deleted ones included, in no order.
pub(crate) async fn by_id(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = TaskId>,
) -> PortResult<Vec<Task>> {
    named(c, BY_ID, workspace, ids).await
}

/// Locks and reads the workspace's tasks of these ids, deleted ones included, in no order.
pub(crate) async fn lock(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = TaskId>,
) -> PortResult<Vec<Task>> {
    named(c, LOCK, workspace, ids).await
}

async fn named(
    c: &mut Connection<'_>,
    from: impl Statement,
    workspace: WorkspaceId,
    ids: impl IntoIterator<Item = TaskId>,
) -> PortResult<Vec<Task>> {
    let sql = format!("SELECT {COLUMNS}\n{}", from.text(c.dialect()));
    let rows = c.rows_in(&sql, vec![], ids.into_iter().map(Value::from).collect()).await?;
    let tasks = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    Ok(tasks.into_iter().filter(|task| task.workspace == workspace).collect())
}

/// The task that has or had this key.
pub(crate) async fn by_key(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    key: &TaskKey,
) -> PortResult<Option<TaskId>> {
    Ok(resolve(c, workspace, [key]).await?.remove(key))
}

/// The tasks that have or had these keys.
pub(crate) async fn resolve<'k>(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    keys: impl IntoIterator<Item = &'k TaskKey>,
) -> PortResult<BTreeMap<TaskKey, TaskId>> {
    let mut by_project: BTreeMap<&ProjectKey, Vec<Value>> = BTreeMap::new();
    for key in keys {
        by_project.entry(&key.project).or_default().push(key.number.into());
    }
    let mut found = BTreeMap::new();
    for (project, numbers) in by_project {
        let rows = c.rows_in(BY_KEYS, args![workspace, project.as_str()], numbers).await?;
        for row in &rows {
            let mut columns = row.columns();
            let key = TaskKey { project: columns.next()?, number: columns.next()? };
            found.insert(key, columns.next()?);
        }
    }
    Ok(found)
}

/// Writes tasks that are not there yet.
pub(crate) async fn insert(c: &mut Connection<'_>, tasks: &[&Task]) -> PortResult<()> {
    c.later_rows(INSERT, WIDTH, values(tasks)?).await
}

/// Writes tasks that are there: `all` if status, place, priority, due date or deletion are different.
pub(crate) async fn update(c: &mut Connection<'_>, tasks: &[&Task], all: bool) -> PortResult<()> {
    let update = if all { UPDATE_ALL } else { UPDATE_PLAIN };
    let sql = format!("{INSERT}\n{}", update.text(c.dialect()));
    c.later_rows(&sql, WIDTH, values(tasks)?).await
}

/// Keeps keys for ever.
pub(crate) async fn write_keys(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    keys: &[(TaskKey, TaskId)],
) -> PortResult<()> {
    let rows = keys.iter().flat_map(|(key, task)| args![workspace, key.project.as_str(), key.number, *task]);
    c.later_rows(INSERT_KEYS, 4, rows.collect()).await
}

fn values(tasks: &[&Task]) -> PortResult<Vec<Value>> {
    let mut values = Vec::with_capacity(tasks.len() * WIDTH);
    for task in tasks {
        values.extend(args![
            task.id,
            task.key.project.as_str(),
            task.key.number,
            task.workspace,
            task.project,
            &task.title,
            &task.body,
            task.status.as_str(),
            task.progress.get(),
            rank(task.priority),
        ]);
        values.extend(due::columns(task.due.as_ref()));
        values.extend(args![
            json(&task.assignees)?,
            json(&task.watchers)?,
            json(&task.labels)?,
            task.version,
            task.created_by,
            task.created_at,
            task.updated_at,
            task.completed_at,
            task.deleted_at,
        ]);
    }
    Ok(values)
}

/// A priority as a number that sorts.
pub(super) const fn rank(priority: Priority) -> u8 {
    match priority {
        Priority::Low => 0,
        Priority::Normal => 1,
        Priority::High => 2,
        Priority::Urgent => 3,
    }
}

impl Column for Priority {
    fn read(row: &Row, at: usize) -> Option<Self> {
        let number = u8::read(row, at)?;
        [Self::Low, Self::Normal, Self::High, Self::Urgent].into_iter().find(|p| rank(*p) == number)
    }
}

impl Column for Percent {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::new(i64::read(row, at)?).ok()
    }
}

/// The task of a row of [`COLUMNS`].
pub(super) fn read(row: &Row) -> PortResult<Task> {
    let mut columns = row.columns();
    Ok(Task {
        id: columns.next()?,
        key: TaskKey { project: columns.next()?, number: columns.next()? },
        workspace: columns.next()?,
        project: columns.next()?,
        title: columns.next()?,
        body: columns.next()?,
        status: columns.next()?,
        progress: columns.next()?,
        priority: columns.next()?,
        due: read_due(&mut columns)?,
        assignees: columns.next::<Json<_>>()?.0,
        watchers: columns.next::<Json<_>>()?.0,
        labels: columns.next::<Json<_>>()?.0,
        version: columns.next()?,
        created_by: columns.next()?,
        created_at: columns.next()?,
        updated_at: columns.next()?,
        completed_at: columns.next()?,
        deleted_at: columns.next()?,
    })
}

fn read_due(columns: &mut Columns<'_>) -> PortResult<Option<fairy_jobs::task::Due>> {
    let (date, at, offset) = (columns.next()?, columns.next()?, columns.next()?);
    due::read(date, at, offset).ok_or_else(|| PortError::Broken("a due date cannot be read".to_owned()))
}
