//! What an error of the server, or of the way to it, means for whoever asked.
//!
//! Three things are told apart: whether trying again may help, whether the transaction may have been committed, and
//! whether the connection can still be used. Numbers are those of
//! <https://dev.mysql.com/doc/mysql-errors/9.0/en/server-error-reference.html> and, from 1900 to 1999,
//! <https://mariadb.com/docs/server/reference/error-codes>.

use fairy_jobs::ports::PortError;
use sqlx::mysql::MySqlDatabaseError;

const DUPLICATE: u16 = 1062;
const LOCK_WAIT: u16 = 1205;
const DEADLOCK: u16 = 1213;
/// A member of a group or cluster refused the transaction when it was certified.
const NOT_CERTIFIED: u16 = 3101;

/// What came between a transaction and its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::driver) enum Trouble {
    /// Two transactions waited for each other and this one was given up.
    Deadlock,
    /// Another one held a lock for too long.
    LockWait,
    /// A row is there that was not when it was looked for: somebody else was quicker, or it is a defect.
    Overtaken,
    /// What the statement makes is there already, or what it drops is gone.
    Done,
    /// The connection cannot be used any more.
    Lost,
}

impl Trouble {
    /// What this error says of the transaction in which it came, if anything.
    pub fn of(error: &sqlx::Error) -> Option<Self> {
        match number(error) {
            Some(DEADLOCK | NOT_CERTIFIED) => Some(Self::Deadlock),
            Some(LOCK_WAIT) => Some(Self::LockWait),
            Some(DUPLICATE) => Some(Self::Overtaken),
            Some(1050 | 1051 | 1060 | 1061 | 1091) => Some(Self::Done),
            Some(number) if ends_session(number) => Some(Self::Lost),
            Some(_) => None,
            None => (!is_ours(error)).then_some(Self::Lost),
        }
    }

    /// How often a unit of work is tried that meets this. A deadlock ends at once, and of two one goes on; a lock that is
    /// held for three times two seconds outlives the lease of whoever holds it; who was
    /// overtaken knows it at the next look.
    pub const fn tries(self) -> u32 {
        match self {
            Self::Deadlock => 8,
            Self::LockWait => 3,
            Self::Overtaken => 4,
            Self::Done | Self::Lost => 1,
        }
    }
}

/// What a failed statement means.
pub(in crate::driver) fn error(error: &sqlx::Error) -> PortError {
    let text = text(error);
    match number(error) {
        Some(number) if is_away(number) || ends_session(number) => PortError::Unavailable(text),
        None if !is_ours(error) => PortError::Unavailable(text),
        _ => PortError::Broken(text),
    }
}

/// What a failed `COMMIT` means: only where the server says that it refused is it certain that nothing was committed. One
/// that is stopped while it waits for its replicas has committed and answers with an error.
pub(super) fn commit_error(error: &sqlx::Error) -> PortError {
    let text = format!("commit: {}", text(error));
    match number(error) {
        Some(DEADLOCK | LOCK_WAIT | NOT_CERTIFIED) => PortError::Unavailable(text),
        _ => PortError::Unknown(text),
    }
}

/// Whether the server does not let this account in, or not to this database.
pub(super) fn denies(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(1044 | 1045 | 1049 | 1142 | 1698 | 4151))
}

fn number(error: &sqlx::Error) -> Option<u16> {
    Some(error.as_database_error()?.try_downcast_ref::<MySqlDatabaseError>()?.number())
}

/// Errors quote what was written, and what people write belongs in no log.
fn text(error: &sqlx::Error) -> String {
    match (number(error), error.as_database_error()) {
        (Some(number), Some(error)) => {
            let message = error.message();
            let told = match message.rsplit_once(" for key ") {
                Some((_, key)) => format!("there is such a row already, by the key {key}"),
                None => message.split('\'').next().unwrap_or_default().trim_end().to_owned(),
            };
            format!("{told} (error {number})")
        }
        _ => error.to_string(),
    }
}

/// Whether it is the statement or what it answered that does not fit, and not the server or the way to it.
const fn is_ours(error: &sqlx::Error) -> bool {
    use sqlx::Error;
    matches!(
        error,
        Error::Database(_)
            | Error::RowNotFound
            | Error::TypeNotFound { .. }
            | Error::ColumnIndexOutOfBounds { .. }
            | Error::ColumnNotFound(_)
            | Error::ColumnDecode { .. }
            | Error::Encode(_)
            | Error::Decode(_)
    )
}

/// Shutting down, killed, cut for idling; or the server only reads since another has taken its place, and the next
/// connection finds that one.
const fn ends_session(number: u16) -> bool {
    matches!(number, 1053 | 1077..=1080 | 1152 | 1158..=1161 | 1184 | 1290 | 1836 | 1927 | 4031)
}

/// Not the statement's fault, and over once somebody has mended it.
fn is_away(number: u16) -> bool {
    const FULL: [u16; 6] = [1021, 1028, 1037, 1038, 1114, 1206];
    const BUSY: [u16; 9] = [LOCK_WAIT, DEADLOCK, NOT_CERTIFIED, 1040, 1041, 1135, 1203, 1226, 1461];
    const REFUSING: [u16; 8] = [1042, 1043, 1044, 1045, 1049, 1129, 1130, 1142];
    const INTERRUPTED: [u16; 5] = [1317, 1615, 1792, 1969, 3024];
    [FULL.as_slice(), &BUSY, &REFUSING, &INTERRUPTED].iter().any(|numbers| numbers.contains(&number))
}
