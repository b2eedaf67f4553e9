//! Invitations that wait, as rows; one that was accepted, withdrawn or replaced is gone.

use fairy_jobs::{
    email::EmailAddress,
    id::{InvitationId, WorkspaceId},
    page::{Page, PageRequest},
    ports::PortResult,
    team::Invitation,
};

use crate::{
    driver::{Connection, Row, Text, args},
    page::{List, Place},
};

const BY_ID: &str = "\
SELECT id, workspace, email, role, invited_by, created_at, expires_at
FROM invitations
WHERE id = ?";

const BY_EMAIL: &str = "\
SELECT id, workspace, email, role, invited_by, created_at, expires_at
FROM invitations
WHERE workspace = ? AND email = ?";

const NEWEST: Text = Text {
    sqlite: "\
SELECT id, workspace, email, role, invited_by, created_at, expires_at
FROM invitations
WHERE workspace = ? AND (created_at, id) < (?, ?)
ORDER BY created_at DESC, id DESC
LIMIT ?",
    mysql: "\
SELECT id, workspace, email, role, invited_by, created_at, expires_at
FROM invitations FORCE INDEX (invitations_by_age)
WHERE workspace = ?1 AND (created_at < ?2 OR (created_at = ?2 AND id < ?3))
ORDER BY created_at DESC, id DESC
LIMIT ?4",
};

const COUNT: &str = "\
SELECT COUNT(*)
FROM invitations
WHERE workspace = ?";

const INSERT: &str = "\
INSERT INTO invitations (id, workspace, email, role, invited_by, created_at, expires_at)
VALUES (?, ?, ?, ?, ?, ?, ?)";

const DELETE: &str = "\
DELETE FROM invitations
WHERE id = ?";

pub(crate) async fn by_id(c: &mut Connection<'_>, id: InvitationId) -> PortResult<Option<Invitation>> {
    let row = c.row(BY_ID, args![id]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn by_email(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    email: &EmailAddress,
) -> PortResult<Option<Invitation>> {
    let row = c.row(BY_EMAIL, args![workspace, email]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn waiting(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    request: &PageRequest,
) -> PortResult<Page<Invitation>> {
    let list = List::of(&[b"invitations", &workspace.to_bytes()]);
    let from = list.keyed(request, Place::LAST)?;
    let rows = c.rows(NEWEST, args![workspace, from.key, from.id, request.limit.get() + 1]).await?;
    let invitations = rows.iter().map(read).collect::<PortResult<_>>()?;
    let place = |i: &Invitation| Place { key: i.created_at.as_millisecond(), id: i.id.to_bytes() };
    Ok(list.page(invitations, request, place))
}

pub(super) async fn count(c: &mut Connection<'_>, workspace: WorkspaceId) -> PortResult<u64> {
    let row = c.row(COUNT, args![workspace]).await?;
    row.map_or(Ok(0), |row| row.only())
}

pub(super) async fn insert(c: &mut Connection<'_>, invitation: &Invitation) -> PortResult<()> {
    let args = args![
        invitation.id,
        invitation.workspace,
        &invitation.email,
        invitation.role.as_str(),
        invitation.invited_by,
        invitation.created_at,
        invitation.expires_at
    ];
    c.run(INSERT, args).await?;
    Ok(())
}

pub(super) async fn close(c: &mut Connection<'_>, id: InvitationId) -> PortResult<()> {
    c.run(DELETE, args![id]).await?;
    Ok(())
}

fn read(row: &Row) -> PortResult<Invitation> {
    let mut columns = row.columns();
    Ok(Invitation {
        id: columns.next()?,
        workspace: columns.next()?,
        email: columns.next()?,
        role: columns.next()?,
        invited_by: columns.next()?,
        created_at: columns.next()?,
        expires_at: columns.next()?,
    })
}
