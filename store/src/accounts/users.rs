//! The people who can sign in.

use fairy_jobs::{
    account::{Digest, Locale, TimeZone, User},
    email::EmailAddress,
    id::UserId,
    ports::{Credentials, PortError, PortResult},
    problem::{Problem, ProblemKind},
    profile::ProfilePatch,
};

use crate::{
    driver::{Column, Connection, Json, Row, Text, args},
    teams::handles,
};

const BY_EMAIL: &str = "\
SELECT id, password_hash
FROM users
WHERE email = ?";

const BY_ID: &str = "\
SELECT id, password_hash
FROM users
WHERE id = ?";

const INSERT: &str = "\
INSERT INTO users (id, email, email_verified, name, time_zone, locale, digest, password_hash, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

const SELECT: &str = "\
SELECT id, email, email_verified, name, time_zone, locale, digest, created_at
FROM users
WHERE id IN {list}";

const LOCK: Text = Text {
    sqlite: SELECT,
    mysql: "\
SELECT id, email, email_verified, name, time_zone, locale, digest, created_at
FROM users FORCE INDEX (PRIMARY)
WHERE id IN {list}
FOR UPDATE",
};

const UPDATE: &str = "\
UPDATE users
SET name = ?, time_zone = ?, locale = ?, digest = ?
WHERE id = ?";

const VERIFY: &str = "\
UPDATE users
SET email_verified = 1
WHERE id = ?";

pub(super) async fn create(c: &mut Connection<'_>, user: &User, hash: &str) -> PortResult<()> {
    if c.row(BY_EMAIL, args![&user.email]).await?.is_some() {
        let detail = "There is an account with this address. Sign in, or reset the password.";
        return Err(Problem::new(ProblemKind::EmailTaken, detail).into());
    }
    let digest = json(&user.digest)?;
    let (zone, locale) = (user.time_zone.as_str(), user.locale.as_str());
    let args = args![
        user.id,
        &user.email,
        user.email_verified,
        &user.name,
        zone,
        locale,
        digest,
        hash,
        user.created_at
    ];
    c.run(INSERT, args).await?;
    Ok(())
}

pub(super) async fn credentials(
    c: &mut Connection<'_>,
    email: &EmailAddress,
) -> PortResult<Option<Credentials>> {
    let row = c.row(BY_EMAIL, args![email]).await?;
    row.as_ref().map(read_credentials).transpose()
}

pub(super) async fn credentials_of(c: &mut Connection<'_>, user: UserId) -> PortResult<Option<Credentials>> {
    let row = c.row(BY_ID, args![user]).await?;
    row.as_ref().map(read_credentials).transpose()
}

fn read_credentials(row: &Row) -> PortResult<Credentials> {
    let mut columns = row.columns();
    Ok(Credentials { user: columns.next()?, password_hash: columns.next()? })
}

pub(crate) async fn user(c: &mut Connection<'_>, id: UserId) -> PortResult<Option<User>> {
    Ok(users(c, &[id]).await?.pop())
}

/// The person, as they are until this transaction has ended.
pub(crate) async fn lock(c: &mut Connection<'_>, id: UserId) -> PortResult<Option<User>> {
    let row = c.rows_in(LOCK, vec![], args![id]).await?.pop();
    row.as_ref().map(read).transpose()
}

/// Those of these people who have an account, in no order.
pub(crate) async fn users(c: &mut Connection<'_>, ids: &[UserId]) -> PortResult<Vec<User>> {
    let rows = c.rows_in(SELECT, vec![], ids.iter().map(|id| (*id).into()).collect()).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> PortResult<User> {
    let mut columns = row.columns();
    Ok(User {
        id: columns.next()?,
        email: columns.next()?,
        email_verified: columns.next()?,
        name: columns.next()?,
        time_zone: columns.next()?,
        locale: columns.next()?,
        digest: columns.next::<Json<Digest>>()?.0,
        created_at: columns.next()?,
    })
}

impl Column for TimeZone {
    fn read(row: &Row, at: usize) -> Option<Self> {
        // A zone that a later tz database no longer knows must not lock its people out.
        String::read(row, at).map(|name| Self::parse(&name).unwrap_or_else(|_| Self::utc()))
    }
}

impl Column for Locale {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::parse(&String::read(row, at)?).ok()
    }
}

pub(super) async fn change(c: &mut Connection<'_>, id: UserId, patch: &ProfilePatch) -> PortResult<User> {
    let before = lock(c, id).await?.ok_or_else(|| Problem::not_found("account"))?;
    let after = patch.onto(before.clone())?;
    let (zone, locale) = (after.time_zone.as_str(), after.locale.as_str());
    c.run(UPDATE, args![&after.name, zone, locale, json(&after.digest)?, id]).await?;
    if before.name != after.name {
        handles::rename(c, &before, &after.name).await?;
    }
    Ok(after)
}

/// The person reads their address.
pub(crate) async fn verify(c: &mut Connection<'_>, user: UserId) -> PortResult<()> {
    c.run(VERIFY, args![user]).await?;
    Ok(())
}

/// A value of the domain as JSON text.
pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> PortResult<String> {
    serde_json::to_string(value).map_err(|error| PortError::Broken(error.to_string()))
}
