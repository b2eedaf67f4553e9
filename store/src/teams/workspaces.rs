//! Workspaces as rows.

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    page::{Page, PageRequest},
    ports::{PortResult, WorkspaceName},
    team::{Role, Workspace},
};

use crate::{
    driver::{Columns, Connection, Row, Text, args},
    page::{self, List},
};

const BY_ID: &str = "\
SELECT id, slug, name, seq, created_at
FROM workspaces
WHERE id = ?";

const BY_SLUG: &str = "\
SELECT id, slug, name, seq, created_at
FROM workspaces
WHERE slug = ?";

const NAME_AT: &str = "\
SELECT workspace_name
FROM members
WHERE workspace = ? AND user = ?";

/// `members.workspace_name` is the workspace's name again, so that this list is read in the order of an index.
const OF_USER: Text = Text {
    sqlite: "\
SELECT w.id, w.slug, w.name, w.seq, w.created_at, m.role
FROM members m
CROSS JOIN workspaces w ON w.id = m.workspace
WHERE m.user = ? AND m.present = 1 AND (m.workspace_name, m.workspace) > (?, ?)
ORDER BY m.workspace_name, m.workspace
LIMIT ?",
    mysql: "\
SELECT w.id, w.slug, w.name, w.seq, w.created_at, m.role
FROM members m FORCE INDEX (members_by_person)
STRAIGHT_JOIN workspaces w ON w.id = m.workspace
WHERE m.user = ?1 AND m.present = 1
    AND (m.workspace_name > ?2 OR (m.workspace_name = ?2 AND m.workspace > ?3))
ORDER BY m.workspace_name, m.workspace
LIMIT ?4",
};

pub(crate) async fn workspace(c: &mut Connection<'_>, name: &WorkspaceName) -> PortResult<Option<Workspace>> {
    let row = match name {
        WorkspaceName::Id(id) => c.row(BY_ID, args![*id]).await?,
        WorkspaceName::Slug(slug) => c.row(BY_SLUG, args![slug]).await?,
    };
    row.map(|row| read(&mut row.columns())).transpose()
}

/// The cursor carries only the last workspace's id: names may be longer than a cursor, and the row knows the name.
pub(super) async fn of_user(
    c: &mut Connection<'_>,
    user: UserId,
    request: &PageRequest,
) -> PortResult<Page<(Workspace, Role)>> {
    let list = List::of(&[b"workspaces", &user.to_bytes()]);
    let (after, id) = match list.place(request)? {
        None => (String::new(), WorkspaceId::from_bytes([0; 16])),
        Some(bytes) => {
            let id = WorkspaceId::from_bytes(bytes.try_into().map_err(|_| page::foreign())?);
            let row = c.row(NAME_AT, args![id, user]).await?;
            (row.ok_or_else(page::foreign)?.only()?, id)
        }
    };
    let rows = c.rows(OF_USER, args![user, after, id, request.limit.get() + 1]).await?;
    let mut items = rows.iter().map(read_with_role).collect::<PortResult<Vec<_>>>()?;
    let more = items.len() > request.limit.get();
    items.truncate(request.limit.get());
    let next = items.last().filter(|_| more).map(|(last, _)| list.cursor(&last.id.to_bytes()));
    Ok(Page { items, next })
}

fn read_with_role(row: &Row) -> PortResult<(Workspace, Role)> {
    let mut columns = row.columns();
    Ok((read(&mut columns)?, columns.next()?))
}

fn read(columns: &mut Columns<'_>) -> PortResult<Workspace> {
    Ok(Workspace {
        id: columns.next()?,
        slug: columns.next()?,
        name: columns.next()?,
        seq: columns.next()?,
        created_at: columns.next()?,
    })
}
