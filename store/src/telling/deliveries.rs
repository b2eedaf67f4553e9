//! Deliveries as rows: one message to one address, with its attempts.
//!
//! `due_at` says when a delivery may be begun next, also while it is being sent: then it is the end of the lease. So one
//! index finds what waits and what a killed sender left behind, and a delivery that needs nothing more has no `due_at`.
//! `deaths` counts attempts in a row whose end was never recorded: every beginning adds one, every end takes them away.

use std::{collections::BTreeMap, time::Duration};

use fairy_jobs::{
    email::EmailAddress,
    id::{DeliveryId, InvitationId, LinkId, NoticeId, UserId},
    notice::{Beginning, Delivery, DeliveryState, Subject},
    ports::{Begun, PortError, PortResult, Wait},
    text::Name,
    trace::Trace,
};
use jiff::{SignedDuration, Timestamp};

use crate::driver::{Columns, Connection, Row, Text, Value, args};

const INSERT: &str = "\
INSERT INTO deliveries (id, subject_kind, subject, channel, address, person, name, state, attempts, due_at, created_at, trace)
VALUES {rows}";

/// In MySQL, what somebody else begins at this moment is waited for, and then is not due.
const DUE_OF: Text = Text {
    sqlite: "\
SELECT id, deaths, subject_kind, subject, address, person, name, attempts, failures, created_at, trace
FROM deliveries
WHERE due_at <= ? AND id IN {list}",
    mysql: "\
SELECT id, deaths, subject_kind, subject, address, person, name, attempts, failures, created_at, trace
FROM deliveries FORCE INDEX (PRIMARY)
WHERE due_at <= ? AND id IN {list}
FOR UPDATE",
};

const BEGIN: &str = "\
UPDATE deliveries
SET state = 'sending', attempts = attempts + 1, deaths = deaths + 1, due_at = ?
WHERE id IN {list}";

const PUT_OFF: &str = "\
UPDATE deliveries
SET state = 'pending', due_at = ?, error = ?
WHERE due_at <= ? AND created_at >= ? AND id IN {list}";

const PUT_OFF_TOO_LONG: &str = "\
UPDATE deliveries
SET state = 'failed', due_at = NULL, finished_at = ?, error = ?
WHERE due_at <= ? AND created_at < ? AND id IN {list}";

const GIVE_UP: &str = "\
UPDATE deliveries
SET state = 'failed', due_at = NULL, finished_at = ?, error = ?
WHERE id = ? AND due_at IS NOT NULL";

/// `due_at > 0` says that it has no end yet, in the words of the index.
const FREE_BEGUN: &str = "\
UPDATE deliveries
SET state = 'pending', due_at = ?, error = ?
WHERE due_at > 0 AND state = 'sending' AND deaths <= 1";

const NEXT_DUE: &str = "\
SELECT due_at
FROM deliveries
WHERE id = ?";

const DUE: Text = Text {
    sqlite: "\
SELECT id
FROM deliveries
WHERE due_at < ?
ORDER BY due_at, id
LIMIT ?",
    mysql: "\
SELECT id
FROM deliveries FORCE INDEX (deliveries_by_due)
WHERE due_at < ?
ORDER BY due_at, id
LIMIT ?",
};

/// What is said of a delivery that waits for its next attempt because the process died.
const DIED: &str = "its sender died while sending it";
/// The longest answer or error that is kept, in characters.
const LONGEST: usize = 500;

/// A delivery to be made.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub id: DeliveryId,
    pub subject: Subject,
    pub address: EmailAddress,
    pub person: Option<(UserId, Name)>,
    pub due_at: Timestamp,
    pub trace: Option<Trace>,
}

/// Keeps deliveries that nobody has begun.
pub(crate) async fn insert(c: &mut Connection<'_>, letters: &[Letter], at: Timestamp) -> PortResult<()> {
    let row = |letter: &Letter| {
        let (kind, subject) = subject_columns(letter.subject);
        let (person, name) = letter.person.clone().unzip();
        let name = name.as_ref().map(Value::from);
        args![
            letter.id,
            kind,
            subject,
            "mail",
            &letter.address,
            person,
            name.unwrap_or(Value::Null),
            DeliveryState::Pending.as_str(),
            0_u32,
            letter.due_at,
            at,
            letter.trace
        ]
    };
    c.later_rows(INSERT, 12, letters.iter().flat_map(row).collect()).await
}

/// Begins those that are due and in nobody's hands, in the order in which they were named. A row that cannot be read is
/// given up, so that it fails alone; one of a kind that is not known is left to a newer version, which made it.
pub(super) async fn begin(
    c: &mut Connection<'_>,
    ids: &[DeliveryId],
    how: Beginning,
    (lease, at): (Duration, Timestamp),
) -> PortResult<Begun> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = c.rows_in(DUE_OF, args![at], list).await?;
    let (mut begun, mut due, mut newer) = (Begun::default(), BTreeMap::new(), Vec::new());
    for row in &rows {
        let id: DeliveryId = row.columns().next()?;
        match read(row) {
            Err(PortError::Unavailable(_)) => newer.push(id),
            Err(error) => begun.failed.push((id, format!("it cannot be read: {error}"))),
            Ok((Beginning::GivenUp, _)) => begun.failed.push((id, Beginning::DIED.to_owned())),
            Ok((Beginning::Alone, _)) if how == Beginning::Together => begun.alone.push(id),
            Ok((_, delivery)) => drop(due.insert(id, delivery)),
        }
    }
    for (id, error) in &begun.failed {
        give_up(c, *id, error, at).await?;
    }
    if !newer.is_empty() {
        let given_up = put_off(c, &newer, &left_to_newer(at), at).await?;
        if given_up > 0 {
            tracing::error!(given_up, "mails were given up because no worker knows what they are about");
        }
    }
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::from_hours(1));
    c.later_in(BEGIN, args![at + lease], due.keys().map(|id| Value::from(*id)).collect()).await?;
    begun.deliveries = ids.iter().filter_map(|id| due.remove(id)).collect();
    Ok(begun)
}

/// While a cluster goes from one version to the next, older workers meet what newer ones made.
fn left_to_newer(at: Timestamp) -> Wait {
    Wait {
        until: at + SignedDuration::from_secs(30),
        error: "it is left to a worker of a newer version, which knows what it is about".to_owned(),
        made_after: at - SignedDuration::from_hours(5 * 24),
        too_long: "after five days no worker knew what it is about".to_owned(),
    }
}

fn read(row: &Row) -> PortResult<(Beginning, Delivery)> {
    let mut columns = row.columns();
    let id = columns.next()?;
    let beginning = Beginning::after(columns.next()?);
    let delivery = Delivery {
        id,
        subject: read_subject(&mut columns)?,
        address: columns.next()?,
        person: columns.next()?,
        name: columns.next()?,
        attempt: columns.next::<u32>()? + 1,
        failures: columns.next()?,
        created_at: columns.next()?,
        trace: columns.next()?,
    };
    Ok((beginning, delivery))
}

/// Makes those that are due wait, or gives up those that have waited too long: how many.
pub(super) async fn put_off(
    c: &mut Connection<'_>,
    ids: &[DeliveryId],
    wait: &Wait,
    at: Timestamp,
) -> PortResult<u64> {
    let list = || ids.iter().map(|id| Value::from(*id)).collect();
    let too_long = args![at, cut(&wait.too_long), at, wait.made_after];
    let given_up = c.run_in(PUT_OFF_TOO_LONG, too_long, list()).await?;
    c.run_in(PUT_OFF, args![wait.until, cut(&wait.error), at, wait.made_after], list()).await?;
    Ok(given_up)
}

pub(super) async fn give_up(
    c: &mut Connection<'_>,
    id: DeliveryId,
    error: &str,
    at: Timestamp,
) -> PortResult<()> {
    c.run(GIVE_UP, args![at, cut(error), id]).await?;
    Ok(())
}

/// Makes what was begun due now, unless a sender died on it before: how many.
pub(super) async fn free_begun(c: &mut Connection<'_>, at: Timestamp) -> PortResult<u64> {
    c.run(FREE_BEGUN, args![at, DIED]).await
}

/// An answer or error as far as it is kept.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// When it may be begun next; `None` too if there is no such delivery.
pub(super) async fn next_due(c: &mut Connection<'_>, id: DeliveryId) -> PortResult<Option<Timestamp>> {
    match c.row(NEXT_DUE, args![id]).await? {
        Some(row) => row.only(),
        None => Ok(None),
    }
}

pub(super) async fn due(
    c: &mut Connection<'_>,
    before: Timestamp,
    limit: usize,
) -> PortResult<Vec<DeliveryId>> {
    let rows = c.rows(DUE, args![before, limit]).await?;
    rows.iter().map(Row::only).collect()
}

const NOTICE: &str = "notice";
const INVITATION: &str = "invitation";
const VERIFY_EMAIL: &str = "verify_email";
const RESET_PASSWORD: &str = "reset_password";
const PASSWORD_CHANGED: &str = "password_changed";
const ACCOUNT_RECOVERED: &str = "recovered";

fn subject_columns(subject: Subject) -> (&'static str, Value) {
    match subject {
        Subject::Notice(id) => (NOTICE, id.into()),
        Subject::Invitation(id) => (INVITATION, id.into()),
        Subject::VerifyEmail(id) => (VERIFY_EMAIL, id.into()),
        Subject::ResetPassword(id) => (RESET_PASSWORD, id.into()),
        Subject::PasswordChanged(id) => (PASSWORD_CHANGED, id.into()),
        Subject::AccountRecovered(id) => (ACCOUNT_RECOVERED, id.into()),
    }
}

fn read_subject(columns: &mut Columns<'_>) -> PortResult<Subject> {
    let (kind, id): (String, [u8; 16]) = (columns.next()?, columns.next()?);
    match kind.as_str() {
        NOTICE => Ok(Subject::Notice(NoticeId::from_bytes(id))),
        INVITATION => Ok(Subject::Invitation(InvitationId::from_bytes(id))),
        VERIFY_EMAIL => Ok(Subject::VerifyEmail(LinkId::from_bytes(id))),
        RESET_PASSWORD => Ok(Subject::ResetPassword(LinkId::from_bytes(id))),
        PASSWORD_CHANGED => Ok(Subject::PasswordChanged(UserId::from_bytes(id))),
        ACCOUNT_RECOVERED => Ok(Subject::AccountRecovered(UserId::from_bytes(id))),
        other => Err(PortError::Unavailable(format!("this version does not know of a {other:?}"))),
    }
}
