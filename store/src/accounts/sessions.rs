//! Signed-in browsers, found by the SHA-256 of their secret.

use fairy_jobs::{
    id::{SessionId, UserId},
    ports::{PortResult, Session},
};
use jiff::Timestamp;

use crate::driver::{Connection, Row, Text, Value, args};

/// The most sessions of one person.
const MOST: usize = 50;

const INSERT: &str = "\
INSERT INTO sessions (id, user, secret_hash, created_at, seen_at, expires_at, user_agent)
VALUES (?, ?, ?, ?, ?, ?, ?)";

const BEYOND: Text = Text {
    sqlite: "\
SELECT id
FROM sessions
WHERE user = ?
ORDER BY created_at DESC, id DESC
LIMIT 500 OFFSET ?",
    mysql: "\
SELECT id
FROM sessions FORCE INDEX (sessions_by_user)
WHERE user = ?
ORDER BY created_at DESC, id DESC
LIMIT 500 OFFSET ?",
};

const DELETE: &str = "\
DELETE FROM sessions
WHERE id IN {list}";

const BY_SECRET: &str = "\
SELECT id, user, created_at, seen_at, expires_at, user_agent
FROM sessions
WHERE secret_hash = ? AND expires_at > ?";

const OF_USER: Text = Text {
    sqlite: "\
SELECT id, user, created_at, seen_at, expires_at, user_agent
FROM sessions
WHERE user = ? AND expires_at > ?
ORDER BY created_at DESC, id DESC
LIMIT ?",
    mysql: "\
SELECT id, user, created_at, seen_at, expires_at, user_agent
FROM sessions FORCE INDEX (sessions_by_user)
WHERE user = ? AND expires_at > ?
ORDER BY created_at DESC, id DESC
LIMIT ?",
};

/// It lasts as long again from now. The end is set first: MySQL assigns from left to right.
const TOUCH: &str = "\
UPDATE sessions
SET expires_at = expires_at + ? - seen_at, seen_at = ?
WHERE id = ?";

const END: &str = "\
DELETE FROM sessions
WHERE id = ? AND user = ?";

pub(super) async fn create(c: &mut Connection<'_>, session: &Session, secret: [u8; 32]) -> PortResult<()> {
    let args = args![
        session.id,
        session.user,
        secret,
        session.created_at,
        session.seen_at,
        session.expires_at,
        session.user_agent.as_str()
    ];
    c.run(INSERT, args).await?;
    let beyond = c.rows(BEYOND, args![session.user, MOST]).await?;
    let ids = beyond.iter().map(|row| row.only::<SessionId>().map(Value::from)).collect::<PortResult<_>>()?;
    c.run_in(DELETE, vec![], ids).await?;
    Ok(())
}

pub(super) async fn session(
    c: &mut Connection<'_>,
    secret: [u8; 32],
    at: Timestamp,
) -> PortResult<Option<Session>> {
    let row = c.row(BY_SECRET, args![secret, at]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn sessions(
    c: &mut Connection<'_>,
    user: UserId,
    at: Timestamp,
) -> PortResult<Vec<Session>> {
    let rows = c.rows(OF_USER, args![user, at, MOST]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> PortResult<Session> {
    let mut columns = row.columns();
    Ok(Session {
        id: columns.next()?,
        user: columns.next()?,
        created_at: columns.next()?,
        seen_at: columns.next()?,
        expires_at: columns.next()?,
        user_agent: columns.next()?,
    })
}

pub(super) async fn touch(c: &mut Connection<'_>, id: SessionId, at: Timestamp) -> PortResult<()> {
    c.run(TOUCH, args![at, at, id]).await?;
    Ok(())
}

pub(super) async fn end(c: &mut Connection<'_>, user: UserId, id: SessionId) -> PortResult<bool> {
    Ok(c.run(END, args![id, user]).await? > 0)
}
