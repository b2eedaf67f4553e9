//! Projects as rows.

use fairy_jobs::{
    id::{ProjectId, WorkspaceId},
    page::{Page, PageRequest},
    ports::PortResult,
    team::{Project, ProjectKey},
};

use crate::{
    driver::{Asked, Connection, Row, Text, Value, args},
    page::{self, List},
};

const BY_ID: &str = "\
SELECT id, workspace, project_key, name, last_number, created_at
FROM projects
WHERE id IN {list}";

const BY_KEY: &str = "\
SELECT id, workspace, project_key, name, last_number, created_at
FROM projects
WHERE workspace = ? AND project_key IN {list}";

/// The indexes are named because MySQL walks over a small table, and would wait for rows that others have locked.
const LOCK_BY_ID: Text = Text {
    sqlite: BY_ID,
    mysql: "\
SELECT id, workspace, project_key, name, last_number, created_at
FROM projects FORCE INDEX (PRIMARY)
WHERE id IN {list}
FOR UPDATE",
};

const LOCK_BY_KEY: Text = Text {
    sqlite: BY_KEY,
    mysql: "\
SELECT id, workspace, project_key, name, last_number, created_at
FROM projects FORCE INDEX (workspace)
WHERE workspace = ? AND project_key IN {list}
FOR UPDATE",
};

const AFTER: &str = "\
SELECT id, workspace, project_key, name, last_number, created_at
FROM projects
WHERE workspace = ? AND project_key > ?
ORDER BY project_key
LIMIT ?";

const COUNT: &str = "\
SELECT COUNT(*)
FROM projects
WHERE workspace = ?";

/// A conflict here is never with another project: the ids are of rows that were read under the same lock.
const UPSERT: Text = Text {
    sqlite: "\
INSERT INTO projects (id, workspace, project_key, name, last_number, created_at)
VALUES {rows}
ON CONFLICT (id) DO UPDATE
SET last_number = excluded.last_number",
    mysql: "\
INSERT INTO projects (id, workspace, project_key, name, last_number, created_at)
VALUES {rows}
ON DUPLICATE KEY UPDATE last_number = VALUES(last_number)",
};

/// The workspace's project of this key.
pub(crate) async fn by_key(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    key: &ProjectKey,
) -> PortResult<Option<Project>> {
    let row = c.rows_in(BY_KEY, args![workspace], args![key.as_str()]).await?.pop();
    row.as_ref().map(read).transpose()
}

/// The workspace's project of this id.
pub(crate) async fn by_id(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    id: ProjectId,
) -> PortResult<Option<Project>> {
    let row = c.rows_in(BY_ID, vec![], args![id]).await?.pop();
    let project = row.as_ref().map(read).transpose()?;
    Ok(project.filter(|project| project.workspace == workspace))
}

/// Locks the workspace's projects of these ids and keys, and asks for them.
pub(crate) async fn ask_lock(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    ids: impl Iterator<Item = ProjectId>,
    keys: impl Iterator<Item = &ProjectKey>,
) -> PortResult<Asked> {
    let by_id = c.ask_in(LOCK_BY_ID, vec![], ids.map(Value::from).collect()).await?;
    let keys = keys.map(|key| Value::from(key.as_str())).collect();
    Ok(by_id.and(c.ask_in(LOCK_BY_KEY, args![workspace], keys).await?))
}

/// Those that were locked, in no order; one named both ways comes twice.
pub(crate) async fn locked(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    asked: Asked,
) -> PortResult<Vec<Project>> {
    let rows = c.answer(asked).await?.rows;
    let projects = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    Ok(projects.into_iter().filter(|project| project.workspace == workspace).collect())
}

pub(super) async fn projects(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    request: &PageRequest,
) -> PortResult<Page<Project>> {
    let list = List::of(&[b"projects", &workspace.to_bytes()]);
    let after = match list.place(request)? {
        None => String::new(),
        Some(bytes) => String::from_utf8(bytes.to_vec()).map_err(|_| page::foreign())?,
    };
    let rows = c.rows(AFTER, args![workspace, after, request.limit.get() + 1]).await?;
    let mut items = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    let more = items.len() > request.limit.get();
    items.truncate(request.limit.get());
    let next = items.last().filter(|_| more).map(|last| list.cursor(last.key.as_str().as_bytes()));
    Ok(Page { items, next })
}

pub(super) async fn count(c: &mut Connection<'_>, workspace: WorkspaceId) -> PortResult<u64> {
    let row = c.row(COUNT, args![workspace]).await?;
    row.map_or(Ok(0), |row| row.only())
}

/// Writes new projects, and the last numbers of those that are there.
pub(crate) async fn write<'p>(
    c: &mut Connection<'_>,
    projects: impl Iterator<Item = &'p Project>,
) -> PortResult<()> {
    let row = |p: &Project| args![p.id, p.workspace, p.key.as_str(), &p.name, p.last_number, p.created_at];
    c.later_rows(UPSERT, 6, projects.flat_map(row).collect()).await
}

fn read(row: &Row) -> PortResult<Project> {
    let mut columns = row.columns();
    Ok(Project {
        id: columns.next()?,
        workspace: columns.next()?,
        key: columns.next()?,
        name: columns.next()?,
        last_number: columns.next()?,
        created_at: columns.next()?,
    })
}
