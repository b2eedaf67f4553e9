//! What is kept in files: their directories, and the locks that keep a second process away from them.
//!
//! Each of data directory, database and queue may be shared by settings with another process while the others are not, and
//! none may be served twice: two processes would each have an order of operations of their own, and each hold the other's
//! deliveries for its own. So each has its lock, and nothing is touched before all are held.

use std::{path::Path, sync::Arc};

use fairy_queue::{
    Queue,
    sqlite::{Mode, OpenError, Options, open},
};

use super::Parts;
use crate::{
    Failure,
    config::{Config, SecretSource},
    process::{data_dir, lock::Lock},
};

/// Makes the directories that are needed, and takes the locks of the data directory and of the database; the queue takes
/// its own. Where nothing is in files, nothing is made or locked.
pub fn hold(config: &Config) -> Result<Vec<Lock>, Failure> {
    let files: Vec<&Path> = [config.database.file(), config.queue.file()].into_iter().flatten().collect();
    if files.is_empty() && !matches!(config.secret, SecretSource::File(_)) {
        return Ok(Vec::new());
    }
    make_directories(&config.data_dir, &files)?;
    let directory = format!("runs on the data directory {}", absolute(&config.data_dir));
    let mut locks = vec![take(&config.data_dir.join(".data"), &directory, "FAIRY__DATA_DIR")?];
    if let Some(file) = config.database.file() {
        let database = format!("uses the database {}", absolute(file));
        locks.push(take(file, &database, "FAIRY__DATABASE__URL")?);
    }
    Ok(locks)
}

/// Makes the data directory and tries to write there; and the directories of the files.
fn make_directories(data_dir: &Path, files: &[&Path]) -> Result<(), Failure> {
    let unwritable = |error| {
        Failure::new(format_args!(
            "the data directory {} cannot be written: {error}; make it writable or set FAIRY__DATA_DIR to another",
            data_dir.display()
        ))
    };
    data_dir::create(data_dir).and_then(|()| data_dir::probe(data_dir)).map_err(unwritable)?;
    for file in files {
        if let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            data_dir::create(parent).map_err(|error| {
                Failure::new(format_args!("{} cannot be made: {error}", parent.display()))
            })?;
        }
    }
    Ok(())
}

fn take(path: &Path, what: &str, variable: &str) -> Result<Lock, Failure> {
    let held = Lock::beside(path).map_err(|error| {
        Failure::new(format_args!("the lock of {} cannot be made: {error}", path.display()))
    })?;
    held.ok_or_else(|| taken(what, variable))
}

fn taken(what: &str, variable: &str) -> Failure {
    Failure::new(format_args!("another `fairy up` {what}: stop it, or set {variable} to another"))
}

/// Opens the lanes in a file, to serve them or only to look in.
pub async fn open_queue(path: &Path, parts: &Parts, mode: Mode) -> Result<Queue, Failure> {
    let clock = parts.clock.clone();
    let clock = Arc::new(move || clock.now().as_millisecond());
    let options = Options { path: path.to_owned(), clock, mode };
    open(options).await.map_err(|error| match error {
        OpenError::Locked(path) => taken(&format!("uses the queue {}", absolute(&path)), "FAIRY__QUEUE__URL"),
        other => Failure::new(format_args!("the queue cannot be opened: {other}")),
    })
}

fn absolute(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}
