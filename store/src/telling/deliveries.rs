//! Deliveries as rows: one message to one address, with its attempts.

use fairy_jobs::{
    email::EmailAddress,
    id::{DeliveryId, UserId},
    notice::{DeliveryState, Subject},
    ports::PortResult,
    text::Name,
};
use jiff::Timestamp;

use crate::driver::{Connection, Value, args};

const INSERT: &str = "\
INSERT INTO deliveries (id, subject_kind, subject, channel, address, person, name, state, attempts, due_at, created_at)
VALUES {rows}";

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
        let state = DeliveryState::Pending.as_str();
        let name = name.as_ref().map(Value::from);
        args![
            letter.id,
            kind,
            subject,
            "mail",
            &letter.address,
            person,
            name.unwrap_or(Value::Null),
            state,
            0_u32,
            letter.due_at,
            at
        ]
    };
    c.run_rows(INSERT, 11, letters.iter().flat_map(row).collect()).await?;
    Ok(())
}

/// `subject_kind` and `subject`.
pub(super) fn subject_columns(subject: Subject) -> (&'static str, Value) {
    match subject {
        Subject::Notice(id) => ("notice", id.into()),
        Subject::Invitation(id) => ("invitation", id.into()),
        Subject::VerifyEmail(id) => ("verify_email", id.into()),
        Subject::ResetPassword(id) => ("reset_password", id.into()),
    }
}
