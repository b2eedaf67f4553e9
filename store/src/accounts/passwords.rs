//! Setting another password, and what it ends.
//!
//! The mail that tells the person of it is a delivery of the same transaction: nobody sets a password in silence.

use fairy_jobs::{
    id::{DeliveryId, SessionId, UserId},
    notice::Subject,
    ports::{LinkPurpose, PortResult},
    problem::Problem,
};
use jiff::Timestamp;

use super::users;
use crate::{
    driver::{Connection, args},
    telling::{Letter, deliveries},
};

const SET: &str = "\
UPDATE users
SET password_hash = ?
WHERE id = ?";

const END_SESSIONS: &str = "\
DELETE FROM sessions
WHERE user = ? AND id <> ?";

const END_TOKENS: &str = "\
DELETE FROM tokens
WHERE user = ?";

const END_LINKS: &str = "\
DELETE FROM links
WHERE user = ? AND purpose = ?";

/// By who knew the password until now, in the session `keep`.
pub(super) async fn change(
    c: &mut Connection<'_>,
    user: UserId,
    hash: &str,
    keep: SessionId,
    told: (DeliveryId, Timestamp),
) -> PortResult<()> {
    set(c, user, hash, keep).await?;
    tell(c, user, Subject::PasswordChanged(user), told).await
}

/// Whoever held the account before may have left a session or a token in it; and the link was read at the address.
pub(super) async fn recover(
    c: &mut Connection<'_>,
    user: UserId,
    hash: &str,
    told: (DeliveryId, Timestamp),
) -> PortResult<()> {
    // No session has the id of sixteen zeros.
    set(c, user, hash, SessionId::from_bytes([0; 16])).await?;
    c.run(END_TOKENS, args![user]).await?;
    users::verify(c, user).await?;
    tell(c, user, Subject::AccountRecovered(user), told).await
}

async fn set(c: &mut Connection<'_>, user: UserId, hash: &str, keep: SessionId) -> PortResult<()> {
    if c.run(SET, args![hash, user]).await? == 0 {
        return Err(Problem::not_found("account").into());
    }
    c.run(END_SESSIONS, args![user, keep]).await?;
    c.run(END_LINKS, args![user, LinkPurpose::ResetPassword.as_str()]).await?;
    Ok(())
}

async fn tell(
    c: &mut Connection<'_>,
    user: UserId,
    subject: Subject,
    (id, at): (DeliveryId, Timestamp),
) -> PortResult<()> {
    let person = users::user(c, user).await?.ok_or_else(|| Problem::not_found("account"))?;
    let letter = Letter {
        id,
        subject,
        address: person.email,
        person: Some((user, person.name)),
        due_at: at,
        trace: None,
    };
    deliveries::insert(c, &[letter], at).await
}
