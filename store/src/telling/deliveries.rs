//! Deliveries as rows: one message to one address, with its attempts.
//!
//! `due_at` says when a delivery may be begun next, also while it is being sent: then it is the end of the lease. So one
//! index finds what waits and what a killed sender left behind, and a delivery that needs nothing more has no `due_at`.

use std::{collections::BTreeMap, time::Duration};

use fairy_jobs::{
    email::EmailAddress,
    id::{DeliveryId, InvitationId, LinkId, NoticeId, UserId},
    notice::{Delivery, DeliveryState, Subject},
    ports::{PortError, PortResult},
    text::Name,
};
use jiff::{SignedDuration, Timestamp};

use crate::driver::{Columns, Connection, Row, Value, args};

const INSERT: &str = "\
INSERT INTO deliveries (id, subject_kind, subject, channel, address, person, name, state, attempts, due_at, created_at)
VALUES {rows}";

const DUE_OF: &str = "\
SELECT id, subject_kind, subject, address, person, name, attempts, created_at
FROM deliveries
WHERE due_at <= ? AND id IN {list}";

const BEGIN: &str = "\
UPDATE deliveries
SET state = 'sending', attempts = attempts + 1, due_at = ?
WHERE id IN {list}";

const NEXT_DUE: &str = "\
SELECT due_at
FROM deliveries
WHERE id = ?";

const DUE: &str = "\
SELECT id
FROM deliveries
WHERE due_at < ?
ORDER BY due_at, id
LIMIT ?";

/// A delivery to be made.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub id: DeliveryId,
    pub subject: Subject,
    pub address: EmailAddress,
    pub person: Option<(UserId, Name)>,
    pub due_at: Timestamp,
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
            at
        ]
    };
    c.run_rows(INSERT, 11, letters.iter().flat_map(row).collect()).await?;
    Ok(())
}

/// Begins those that are due and in nobody's hands, in the order in which they were named.
pub(super) async fn begin(
    c: &mut Connection<'_>,
    ids: &[DeliveryId],
    lease: Duration,
    at: Timestamp,
) -> PortResult<Vec<Delivery>> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = c.rows_in(DUE_OF, args![at], list).await?;
    let due = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    let mut due: BTreeMap<_, _> = due.into_iter().map(|delivery| (delivery.id, delivery)).collect();
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::from_hours(1));
    let begun = due.keys().map(|id| Value::from(*id)).collect();
    c.run_in(BEGIN, args![at + lease], begun).await?;
    Ok(ids.iter().filter_map(|id| due.remove(id)).collect())
}

fn read(row: &Row) -> PortResult<Delivery> {
    let mut columns = row.columns();
    Ok(Delivery {
        id: columns.next()?,
        subject: read_subject(&mut columns)?,
        address: columns.next()?,
        person: columns.next()?,
        name: columns.next()?,
        attempt: columns.next::<u32>()? + 1,
        created_at: columns.next()?,
    })
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

fn subject_columns(subject: Subject) -> (&'static str, Value) {
    match subject {
        Subject::Notice(id) => (NOTICE, id.into()),
        Subject::Invitation(id) => (INVITATION, id.into()),
        Subject::VerifyEmail(id) => (VERIFY_EMAIL, id.into()),
        Subject::ResetPassword(id) => (RESET_PASSWORD, id.into()),
    }
}

fn read_subject(columns: &mut Columns<'_>) -> PortResult<Subject> {
    let (kind, id): (String, [u8; 16]) = (columns.next()?, columns.next()?);
    match kind.as_str() {
        NOTICE => Ok(Subject::Notice(NoticeId::from_bytes(id))),
        INVITATION => Ok(Subject::Invitation(InvitationId::from_bytes(id))),
        VERIFY_EMAIL => Ok(Subject::VerifyEmail(LinkId::from_bytes(id))),
        RESET_PASSWORD => Ok(Subject::ResetPassword(LinkId::from_bytes(id))),
        other => Err(PortError::Broken(format!("a delivery is about {other:?}, which is nothing known"))),
    }
}
