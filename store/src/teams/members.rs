//! Members as rows. Who left stays, without a role, so that what they are assigned to can still show them.

use fairy_jobs::{
    email::EmailAddress,
    id::{UserId, WorkspaceId},
    page::{Page, PageRequest},
    ports::{Membership, PortResult, WorkspaceName},
    team::{Member, Role},
};
use jiff::Timestamp;

use crate::{
    driver::{Asked, Connection, Row, Text, Value, args},
    page::{List, Place},
};

const ROLE_BY_ID: &str = "\
SELECT workspace, role
FROM members
WHERE workspace = ? AND user = ? AND present = 1";

const ROLE_BY_SLUG: &str = "\
SELECT m.workspace, m.role
FROM workspaces w
CROSS JOIN members m ON m.workspace = w.id
WHERE w.slug = ? AND m.user = ? AND m.present = 1";

/// `CROSS JOIN` fixes the order of the tables in SQLite, `STRAIGHT_JOIN` in MySQL.
const PRESENT: Text = Text {
    sqlite: "\
SELECT u.id, u.name, u.email, m.role, m.joined_at
FROM members m
CROSS JOIN users u ON u.id = m.user
WHERE m.workspace = ? AND m.present = 1 AND (m.joined_at, m.user) > (?, ?)
ORDER BY m.joined_at, m.user
LIMIT ?",
    mysql: "\
SELECT u.id, u.name, u.email, m.role, m.joined_at
FROM members m FORCE INDEX (members_by_joining)
STRAIGHT_JOIN users u ON u.id = m.user
WHERE m.workspace = ?1 AND m.present = 1 AND (m.joined_at > ?2 OR (m.joined_at = ?2 AND m.user > ?3))
ORDER BY m.joined_at, m.user
LIMIT ?4",
};

const BY_ID: Text = Text {
    sqlite: "\
SELECT u.id, u.name, u.email, m.role, m.joined_at
FROM members m
CROSS JOIN users u ON u.id = m.user
WHERE m.workspace = ? AND m.user IN {list}",
    mysql: "\
SELECT u.id, u.name, u.email, m.role, m.joined_at
FROM members m FORCE INDEX (PRIMARY)
STRAIGHT_JOIN users u ON u.id = m.user
WHERE m.workspace = ? AND m.user IN {list}",
};

const BY_EMAIL: &str = "\
SELECT u.id, u.name, u.email, m.role, m.joined_at
FROM users u
CROSS JOIN members m ON m.user = u.id
WHERE m.workspace = ? AND u.email = ?";

/// MySQL assigns from left to right, so what looks at `present` comes before it.
const SET_ROLE: Text = Text {
    sqlite: "\
INSERT INTO members (workspace, user, role, present, joined_at, workspace_name)
SELECT w.id, ?, ?, 1, ?, w.name
FROM workspaces w
WHERE w.id = ?
ON CONFLICT (workspace, user) DO UPDATE
SET role = excluded.role, present = 1,
    joined_at = CASE WHEN present = 1 THEN joined_at ELSE excluded.joined_at END",
    mysql: "\
INSERT INTO members (workspace, user, role, present, joined_at, workspace_name)
SELECT w.id, ?, ?, 1, ?, w.name
FROM workspaces w
WHERE w.id = ?
ON DUPLICATE KEY UPDATE
    joined_at = CASE WHEN members.present = 1 THEN members.joined_at ELSE VALUES(joined_at) END,
    role = VALUES(role), present = 1",
};

const LEAVE: &str = "\
UPDATE members
SET role = NULL, present = 0
WHERE workspace = ? AND user = ?";

pub(super) async fn membership(
    c: &mut Connection<'_>,
    user: UserId,
    workspace: &WorkspaceName,
) -> PortResult<Option<Membership>> {
    let row = match workspace {
        WorkspaceName::Id(id) => c.row(ROLE_BY_ID, args![*id, user]).await?,
        WorkspaceName::Slug(slug) => c.row(ROLE_BY_SLUG, args![slug, user]).await?,
    };
    let Some(row) = row else { return Ok(None) };
    let mut columns = row.columns();
    Ok(Some(Membership { workspace: columns.next()?, role: columns.next()? }))
}

pub(super) async fn present(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    request: &PageRequest,
) -> PortResult<Page<Member>> {
    let list = List::of(&[b"members", &workspace.to_bytes()]);
    let from = list.keyed(request, Place::FIRST)?;
    let rows = c.rows(PRESENT, args![workspace, from.key, from.id, request.limit.get() + 1]).await?;
    let members = rows.iter().map(read).collect::<PortResult<_>>()?;
    let place = |m: &Member| Place { key: m.joined_at.as_millisecond(), id: m.user.to_bytes() };
    Ok(list.page(members, request, place))
}

/// Those of these people who are or were members, each once, in no order.
pub(crate) async fn by_id(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    users: impl IntoIterator<Item = UserId>,
) -> PortResult<Vec<Member>> {
    let asked = ask_by_id(c, workspace, users).await?;
    named(c, asked).await
}

/// The same in two halves, between which more can be asked.
pub(crate) async fn ask_by_id(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    users: impl IntoIterator<Item = UserId>,
) -> PortResult<Asked> {
    let mut users: Vec<UserId> = users.into_iter().collect();
    users.sort_unstable();
    users.dedup();
    c.ask_in(BY_ID, args![workspace], users.into_iter().map(Value::from).collect()).await
}

/// See [`ask_by_id`].
pub(crate) async fn named(c: &mut Connection<'_>, asked: Asked) -> PortResult<Vec<Member>> {
    c.answer(asked).await?.rows.iter().map(read).collect()
}

pub(super) async fn by_email(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    email: &EmailAddress,
) -> PortResult<Option<Member>> {
    let row = c.row(BY_EMAIL, args![workspace, email]).await?;
    row.as_ref().map(read).transpose()
}

fn read(row: &Row) -> PortResult<Member> {
    let mut columns = row.columns();
    Ok(Member {
        user: columns.next()?,
        name: columns.next()?,
        email: columns.next()?,
        role: columns.next()?,
        joined_at: columns.next()?,
    })
}

/// Gives the person this role; who was not a member joins now.
pub(super) async fn set_role(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    (user, role): (UserId, Role),
    at: Timestamp,
) -> PortResult<()> {
    c.run(SET_ROLE, args![user, role.as_str(), at, workspace]).await?;
    Ok(())
}

/// The person is no longer a member.
pub(super) async fn leave(c: &mut Connection<'_>, workspace: WorkspaceId, user: UserId) -> PortResult<()> {
    c.run(LEAVE, args![workspace, user]).await?;
    Ok(())
}
