//! API tokens, found by the SHA-256 of their text.

use fairy_jobs::{
    id::{TokenId, UserId},
    page::{Page, PageRequest},
    ports::{ApiToken, PortResult},
    problem::{Problem, ProblemKind},
};
use jiff::Timestamp;

use super::users::{self, json};
use crate::{
    driver::{Connection, Json, Row, Text, args},
    page::{List, Place},
};

/// The most tokens of one person.
const MOST: u64 = 100;

const COUNT: &str = "\
SELECT COUNT(*)
FROM tokens
WHERE user = ?";

const INSERT: &str = "\
INSERT INTO tokens (id, user, secret_hash, name, scopes, created_at, expires_at, used_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)";

const BY_SECRET: &str = "\
SELECT id, user, name, scopes, created_at, expires_at, used_at
FROM tokens
WHERE secret_hash = ? AND (expires_at IS NULL OR expires_at > ?)";

const OF_USER: Text = Text {
    sqlite: "\
SELECT id, user, name, scopes, created_at, expires_at, used_at
FROM tokens
WHERE user = ? AND (created_at, id) < (?, ?)
ORDER BY created_at DESC, id DESC
LIMIT ?",
    mysql: "\
SELECT id, user, name, scopes, created_at, expires_at, used_at
FROM tokens FORCE INDEX (tokens_by_user)
WHERE user = ?1 AND (created_at < ?2 OR (created_at = ?2 AND id < ?3))
ORDER BY created_at DESC, id DESC
LIMIT ?4",
};

const TOUCH: &str = "\
UPDATE tokens
SET used_at = ?
WHERE id = ?";

const END: &str = "\
DELETE FROM tokens
WHERE id = ? AND user = ?";

pub(super) async fn create(c: &mut Connection<'_>, token: &ApiToken, secret: [u8; 32]) -> PortResult<()> {
    users::lock(c, token.user).await?;
    let count = c.row(COUNT, args![token.user]).await?;
    if count.map(|row| row.only::<u64>()).transpose()?.unwrap_or(0) >= MOST {
        let detail = format!("You have {MOST} tokens already; delete one first.");
        return Err(Problem::new(ProblemKind::Conflict, detail).into());
    }
    let args = args![
        token.id,
        token.user,
        secret,
        &token.name,
        json(&token.scopes)?,
        token.created_at,
        token.expires_at,
        token.used_at
    ];
    c.run(INSERT, args).await?;
    Ok(())
}

pub(super) async fn token(
    c: &mut Connection<'_>,
    secret: [u8; 32],
    at: Timestamp,
) -> PortResult<Option<ApiToken>> {
    let row = c.row(BY_SECRET, args![secret, at]).await?;
    row.as_ref().map(read).transpose()
}

pub(super) async fn tokens(
    c: &mut Connection<'_>,
    user: UserId,
    request: &PageRequest,
) -> PortResult<Page<ApiToken>> {
    let list = List::of(&[b"tokens", &user.to_bytes()]);
    let from = list.keyed(request, Place::LAST)?;
    let rows = c.rows(OF_USER, args![user, from.key, from.id, request.limit.get() + 1]).await?;
    let tokens = rows.iter().map(read).collect::<PortResult<_>>()?;
    let place = |t: &ApiToken| Place { key: t.created_at.as_millisecond(), id: t.id.to_bytes() };
    Ok(list.page(tokens, request, place))
}

fn read(row: &Row) -> PortResult<ApiToken> {
    let mut columns = row.columns();
    Ok(ApiToken {
        id: columns.next()?,
        user: columns.next()?,
        name: columns.next()?,
        scopes: columns.next::<Json<_>>()?.0,
        created_at: columns.next()?,
        expires_at: columns.next()?,
        used_at: columns.next()?,
    })
}

pub(super) async fn touch(c: &mut Connection<'_>, id: TokenId, at: Timestamp) -> PortResult<()> {
    c.run(TOUCH, args![at, id]).await?;
    Ok(())
}

pub(super) async fn end(c: &mut Connection<'_>, user: UserId, id: TokenId) -> PortResult<bool> {
    Ok(c.run(END, args![id, user]).await? > 0)
}
