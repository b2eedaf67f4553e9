//! What is kept in files: their directories, and the locks that keep a second process away from them.
//!
//! Each of data directory, database and queue may be shared by settings with another process while the others are not, and
//! none may be served twice: two processes would each have an order of operations of their own, and each hold the other's
//! deliveries for its own. So each has its lock, and nothing is touched before all are held. A process that was killed holds
//! its locks for a moment longer, so only one that is held for longer than that is another's.

use std::{path::Path, sync::Arc, time::Duration};

use fairy_queue::{
    Queue,
    sqlite::{Mode, OpenError, Options, open},
};
use tokio::time::{Instant, sleep};

use super::Parts;
use crate::{
    Failure,
    config::{Config, SecretSource},
    process::{data_dir, lock::Lock},
};

/// How long a killed process may take to let go of a lock, and how long between two tries.
const DYING: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(50);

/// Makes the directories that are needed, and takes the locks of the data directory and of the database; the queue takes
/// its own. Where nothing is in files, nothing is made or locked.
pub async fn hold(config: &Config) -> Result<Vec<Lock>, Failure> {
    let files: Vec<&Path> = [config.database.file(), config.queue.file()].into_iter().flatten().collect();
    if files.is_empty() && !matches!(config.secret, SecretSource::File(_)) {
        return Ok(Vec::new());
    }
    make_directories(&config.data_dir, &files)?;
    let directory = format!("runs on the data directory {}", absolute(&config.data_dir));
    let mut locks = vec![take(&config.data_dir.join(".data"), &directory, "FAIRY__DATA_DIR").await?];
    if let Some(file) = config.database.file() {
        let database = format!("uses the database {}", absolute(file));
        locks.push(take(file, &database, "FAIRY__DATABASE__URL").await?);
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

async fn take(path: &Path, what: &str, variable: &str) -> Result<Lock, Failure> {
    let lock = when_free(|lock| matches!(lock, Ok(None)), async || Lock::beside(path)).await;
    let lock = lock.map_err(|error| {
        Failure::new(format_args!("the lock of {} cannot be made: {error}", path.display()))
    })?;
    lock.ok_or_else(|| taken(what, variable))
}

/// Tries for a lock until another process has let go of it, or has held it for too long to be dying.
async fn when_free<T>(is_held: impl Fn(&T) -> bool, mut attempt: impl AsyncFnMut() -> T) -> T {
    let until = Instant::now() + DYING;
    loop {
        let answer = attempt().await;
        if !is_held(&answer) || Instant::now() >= until {
            return answer;
        }
        sleep(PAUSE).await;
    }
}

fn taken(what: &str, variable: &str) -> Failure {
    Failure::new(format_args!("another `fairy up` {what}: stop it, or set {variable} to another"))
}

/// Opens the lanes in a file, to serve them or only to look in.
pub async fn open_queue(path: &Path, parts: &Parts, mode: Mode) -> Result<Queue, Failure> {
    let clock = parts.clock.clone();
    let clock: Arc<dyn Fn() -> i64 + Send + Sync> = Arc::new(move || clock.now().as_millisecond());
    let options = || Options { path: path.to_owned(), clock: clock.clone(), mode };
    let is_held = |opened: &Result<Queue, OpenError>| matches!(opened, Err(OpenError::Locked(_)));
    let opened = when_free(is_held, async || open(options()).await).await;
    opened.map_err(|error| match error {
        OpenError::Locked(path) => taken(&format!("uses the queue {}", absolute(&path)), "FAIRY__QUEUE__URL"),
        other => Failure::new(format_args!("the queue cannot be opened: {other}")),
    })
}

fn absolute(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn takes(path: &Path) -> Result<Lock, Failure> {
        take(path, "uses the file", "FAIRY__FILE").await
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_a_dying_process_holds_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fairy.db");
        let dying = takes(&path).await.unwrap();
        let (started, dies) = (Instant::now(), DYING - PAUSE);
        let (next, ()) = tokio::join!(takes(&path), async {
            sleep(dies).await;
            drop(dying);
        });
        let next = next.unwrap();
        assert!(started.elapsed() >= dies);
        let line = takes(&path).await.unwrap_err().to_string();
        assert_eq!(line, "another `fairy up` uses the file: stop it, or set FAIRY__FILE to another");
        drop(next);
    }

    #[tokio::test]
    async fn a_queue_that_a_dying_process_holds_is_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let (path, parts) = (directory.path().join("queue.db"), Parts::default());
        let dying = open_queue(&path, &parts, Mode::Serve).await.unwrap();
        let (next, ()) = tokio::join!(open_queue(&path, &parts, Mode::Serve), dying.close());
        next.unwrap().close().await;
    }
}
