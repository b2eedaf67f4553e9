//! Why the database could not be opened or brought up to date.

use std::path::PathBuf;

use fairy_jobs::ports::PortError;

/// Why a database could not be opened; one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be made, read or written.
    #[error("{reason}; its directory must exist and be writable ({path})")]
    Unreachable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The file is not a database, or is damaged.
    #[error("{reason}; {path} is not a database of Fairy or is damaged, restore it from a backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The URL of a server cannot be used.
    #[error("the URL cannot be used: {0}; it looks like mysql://user:password@host:3306/database")]
    Url(String),
    /// The server does not answer, or not yet.
    #[error("{reason}; the server at {at} must run and let this account use the database")]
    Away {
        /// Host, port and database.
        at: String,
        /// What it says, or what came instead of an answer.
        reason: String,
    },
    /// The server does not let us in, or not to this database: waiting does not help.
    #[error(
        "{reason}; the server at {at} must let this account use the database, look at user, password and its name"
    )]
    Denied {
        /// Host, port and database.
        at: String,
        /// What it says.
        reason: String,
    },
    /// The server is of a version that is not known to work.
    #[error("the server at {at} is {version}; MySQL 8.0, MariaDB 10.6 or later is needed")]
    TooOld {
        /// Host, port and database.
        at: String,
        /// What it says it is.
        version: String,
    },
}

impl OpenError {
    /// Whether it may be over a little later.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration that was applied had another text then.
    #[error("the migration {0} was applied with another text; this build does not fit the database")]
    Changed(String),
    /// The database knows a migration that this build does not.
    #[error("the database is newer than this build: it has the migration {0}; run a newer fairy")]
    Newer(String),
    /// A statement failed.
    #[error("the migration {name} failed: {reason}")]
    Failed {
        /// Which.
        name: &'static str,
        /// Why.
        reason: PortError,
    },
    /// The database could not be read or written.
    #[error(transparent)]
    Port(#[from] PortError),
}
