//! Opening the file: who may serve it, and what is done first.
//!
//! A lock file beside the database is held for as long as the file is served, because two processes that hand out
//! the same jobs would each believe the other dead. Whoever gets the lock knows that all leases are those of a
//! process that is gone, and lets them lapse at once instead of waiting.

use std::fs::{File as Disk, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use crate::Queue;

use super::broker::File;
use super::connect;
use super::notice::{Time, Wakes};
use super::schema;
use super::take_over::lapse_all;
use super::writer::Writer;

/// Where the queue lives and how it is opened.
#[derive(Clone)]
pub struct Options {
    /// The database file; made when missing, in a directory that must be there.
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
    /// An operator's tool, perhaps beside a serving process: everything but handing out.
    Tool,
}

/// What only tests change.
#[derive(Debug, Clone, Default)]
pub struct Knobs {
    /// Never sync: to prove that the power-cut test can fail.
    pub never_sync: bool,
    /// Largest size of the file in pages: a full disk.
    pub max_pages: Option<u32>,
    /// Counts the steps of SQLite's machine on the writing connection, in hundreds.
    pub steps: Option<Arc<AtomicU64>>,
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

/// Opens the file, making it when it is missing and is to be served; must be called within a tokio runtime.
///
/// # Errors
/// See [`OpenError`].
pub async fn open(options: Options) -> Result<Queue, OpenError> {
    open_with(options, Knobs::default()).await
}

/// Opens the file as [`open`] does, with what only tests change.
///
/// # Errors
/// See [`OpenError`].
pub async fn open_with(options: Options, knobs: Knobs) -> Result<Queue, OpenError> {
    let Options { path, clock, mode } = options;
    let serves = mode == Mode::Serve;
    let lock = if serves { Some(lock(&path)?) } else { None };
    let unusable = |error: sqlx::Error| OpenError::Unusable { path: path.clone(), error: error.to_string() };
    let mut conn = connect::writer(&path, serves).await.map_err(unusable)?;
    let found = schema::version(&mut conn).await.map_err(unusable)?;
    if found > schema::VERSION {
        return Err(OpenError::TooNew { path, found, known: schema::VERSION });
    }
    if found < schema::VERSION {
        if !serves {
            return Err(OpenError::Unusable { path, error: not_served_yet(found).into() });
        }
        schema::bring_up(&mut conn).await.map_err(unusable)?;
    }
    if serves {
        lapse_all(&mut conn).await.map_err(unusable)?;
    }
    let readers = connect::readers(&path).await.map_err(unusable)?;
    let time = Arc::new(Time { clock, offset: AtomicI64::new(0) });
    let wakes = Arc::new(Wakes::default());
    let writer = Writer { path: path.clone(), time: Arc::clone(&time), wakes: Arc::clone(&wakes), knobs };
    writer.turn_knobs(&mut conn).await.map_err(unusable)?;
    let commands = writer.start(conn, lock).map_err(|error| unusable(sqlx::Error::Io(error)))?;
    Ok(Queue::new(Arc::new(File { commands, readers, time, wakes, serves })))
}

const fn not_served_yet(found: i64) -> &'static str {
    match found {
        0 => "there is no queue in this file",
        _ => "the file is of an older version; it is brought up to date when it is next served",
    }
}

/// Takes the lock, which the system frees with the process however it ends.
fn lock(path: &Path) -> Result<Disk, OpenError> {
    let beside = path.with_extension("lock");
    let unusable =
        |error: std::io::Error| OpenError::Unusable { path: beside.clone(), error: error.to_string() };
    let file = Disk::options().create(true).truncate(false).write(true).open(&beside).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}
