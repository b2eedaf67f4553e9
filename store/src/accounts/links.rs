//! Links sent by mail. A row says only that a link still holds; what proves it is in the mail (`fairy_jobs::link`).

use fairy_jobs::{
    account::User,
    id::{DeliveryId, LinkId, UserId},
    notice::Subject,
    ports::{LinkPurpose, PortResult, ResetLink},
    problem::{Problem, ProblemKind},
};
use jiff::Timestamp;

use super::{passwords, users};
use crate::{
    driver::{Connection, Statement, Text, args},
    telling::{Letter, deliveries},
};

const REPLACE: &str = "\
DELETE FROM links
WHERE user = ? AND purpose = ?";

const INSERT: &str = "\
INSERT INTO links (id, user, purpose, created_at, expires_at)
VALUES (?, ?, ?, ?, ?)";

const SELECT: &str = "\
SELECT user, expires_at
FROM links
WHERE id = ? AND purpose = ?";

/// In MySQL, who uses it at this moment is waited for, and then it is used up.
const LOCK: Text = Text {
    sqlite: SELECT,
    mysql: "\
SELECT user, expires_at
FROM links
WHERE id = ? AND purpose = ?
FOR UPDATE",
};

const DELETE: &str = "\
DELETE FROM links
WHERE id = ?";

/// The purpose of a link that did reset a password. It opens nothing, but whoever lost the answer and asks again is known
/// by it until it expires. Of one person there is at most one.
const DID_RESET: &str = "did_reset_password";

const SELECT_RESET: &str = "\
SELECT user, purpose
FROM links
WHERE id = ? AND purpose IN (?, ?) AND expires_at > ?";

const USE_UP: &str = "\
UPDATE links
SET purpose = ?
WHERE id = ?";

/// `times`: when it is sent, and until when it holds.
pub(super) async fn send(
    c: &mut Connection<'_>,
    user: &User,
    purpose: LinkPurpose,
    (id, delivery): (LinkId, DeliveryId),
    (at, until): (Timestamp, Timestamp),
) -> PortResult<()> {
    c.run(REPLACE, args![user.id, purpose.as_str()]).await?;
    c.run(INSERT, args![id, user.id, purpose.as_str(), at, until]).await?;
    let subject = match purpose {
        LinkPurpose::VerifyEmail => Subject::VerifyEmail(id),
        LinkPurpose::ResetPassword => Subject::ResetPassword(id),
    };
    let letter = Letter {
        id: delivery,
        subject,
        address: user.email.clone(),
        person: Some((user.id, user.name.clone())),
        due_at: at,
        trace: None,
    };
    deliveries::insert(c, &[letter], at).await
}

pub(super) async fn reset_link(
    c: &mut Connection<'_>,
    id: LinkId,
    at: Timestamp,
) -> PortResult<Option<ResetLink>> {
    let args = args![id, LinkPurpose::ResetPassword.as_str(), DID_RESET, at];
    let Some(row) = c.row(SELECT_RESET, args).await? else {
        return Ok(None);
    };
    let mut columns = row.columns();
    Ok(Some(ResetLink { user: columns.next()?, used: columns.next::<String>()? == DID_RESET }))
}

pub(super) async fn verify_email(c: &mut Connection<'_>, id: LinkId, at: Timestamp) -> PortResult<UserId> {
    let user = holder(c, id, LinkPurpose::VerifyEmail, at).await?;
    c.run(DELETE, args![id]).await?;
    users::verify(c, user).await?;
    Ok(user)
}

pub(super) async fn reset_password(
    c: &mut Connection<'_>,
    id: LinkId,
    hash: &str,
    tell: (DeliveryId, Timestamp),
) -> PortResult<UserId> {
    let user = holder(c, id, LinkPurpose::ResetPassword, tell.1).await?;
    c.run(REPLACE, args![user, DID_RESET]).await?;
    c.run(USE_UP, args![DID_RESET, id]).await?;
    passwords::recover(c, user, hash, tell).await?;
    Ok(user)
}

async fn holder(
    c: &mut Connection<'_>,
    id: LinkId,
    purpose: LinkPurpose,
    at: Timestamp,
) -> PortResult<UserId> {
    let held = held(c, LOCK, id, purpose).await?.filter(|(_, until)| *until > at);
    let expired = || {
        let detail = "The link has expired, was used or replaced. Ask for a new one.";
        Problem::new(ProblemKind::LinkExpired, detail)
    };
    Ok(held.ok_or_else(expired)?.0)
}

/// Whose the link is and until when it holds, if it was neither used nor replaced.
pub(crate) async fn link(
    c: &mut Connection<'_>,
    id: LinkId,
    purpose: LinkPurpose,
) -> PortResult<Option<(UserId, Timestamp)>> {
    held(c, SELECT, id, purpose).await
}

async fn held(
    c: &mut Connection<'_>,
    sql: impl Statement,
    id: LinkId,
    purpose: LinkPurpose,
) -> PortResult<Option<(UserId, Timestamp)>> {
    let Some(row) = c.row(sql, args![id, purpose.as_str()]).await? else {
        return Ok(None);
    };
    let mut columns = row.columns();
    Ok(Some((columns.next()?, columns.next()?)))
}
