//! Opening the file.

use std::path::PathBuf;
use std::sync::Arc;

use crate::Queue;

/// Where the queue lives and how it is opened.
#[derive(Clone)]
pub struct Options {
    /// The database file; made when missing.
    pub path: PathBuf,
    /// Epoch ms: the clock of leases and due times.
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// Serve it, or only look in.
    pub mode: Mode,
}

/// Who opens the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The one process that hands out jobs; all leases are freed.
    Serve,
    /// An operator's tool, perhaps beside a serving process: reads, retries, discards, pauses, resumes.
    Tool,
}

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves it.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// It was written by a newer version of this program.
    #[error("{path} has version {found}, this program knows {known}")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// The directory or the file cannot be used.
    #[error("{path}: {error}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite says.
        error: String,
    },
}

/// Opens the file, making it when it is missing.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(options: Options) -> Result<Queue, OpenError> {
    Err(OpenError::Unusable {
        path: options.path,
        error: "not built yet".into(),
    })
}
