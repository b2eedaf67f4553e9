//! Links sent by mail. A row says only that a link still holds; what proves it is in the mail (`fairy_jobs::link`).

use fairy_jobs::{
    account::User,
    id::{DeliveryId, LinkId, UserId},
    notice::Subject,
    ports::{LinkPurpose, PortResult},
    problem::{Problem, ProblemKind},
};
use jiff::Timestamp;

use super::users;
use crate::{
    driver::{Connection, args},
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

const DELETE: &str = "\
DELETE FROM links
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
    };
    deliveries::insert(c, &[letter], at).await
}

pub(super) async fn use_up(
    c: &mut Connection<'_>,
    id: LinkId,
    purpose: LinkPurpose,
    at: Timestamp,
) -> PortResult<UserId> {
    let expired = || {
        let detail = "The link has expired, was used or replaced. Ask for a new one.";
        Problem::new(ProblemKind::LinkExpired, detail)
    };
    let (user, until) = link(c, id, purpose).await?.ok_or_else(expired)?;
    if until <= at {
        return Err(expired().into());
    }
    c.run(DELETE, args![id]).await?;
    if purpose == LinkPurpose::VerifyEmail {
        users::verify(c, user).await?;
    }
    Ok(user)
}

/// Whose the link is and until when it holds, if it was neither used nor replaced.
pub(crate) async fn link(
    c: &mut Connection<'_>,
    id: LinkId,
    purpose: LinkPurpose,
) -> PortResult<Option<(UserId, Timestamp)>> {
    let Some(row) = c.row(SELECT, args![id, purpose.as_str()]).await? else {
        return Ok(None);
    };
    let mut columns = row.columns();
    Ok(Some((columns.next()?, columns.next()?)))
}
