//! What is gone though the rest is there: moved, deleted, or left out of a copy.
//!
//! A new database beside old lanes in a file would answer as if nobody had ever signed up, so nothing opens one. Without lanes or secret
//! one can go on, at a cost that is told before new ones are made. The database is made first at the first start: a crash there
//! leaves none of these.

use std::path::{Path, PathBuf};

use fairy_jobs::ports::PortResult;
use fairy_store::Store;

use crate::{
    Failure,
    config::{Config, SecretSource},
};

/// Files that a database in use should have beside it.
#[derive(Debug, Default)]
pub struct Lost {
    lanes: Option<PathBuf>,
    secret: Option<PathBuf>,
}

impl Lost {
    /// What is not there of what this database was used with.
    pub async fn beside(store: &Store, config: &Config) -> PortResult<Self> {
        let secret = match &config.secret {
            // An empty one is refused where it is read.
            SecretSource::File(path) if !path.exists() => Some(path.clone()),
            SecretSource::File(_) | SecretSource::Text(_) => None,
        };
        let lanes = gone(config.queue.file());
        let any = lanes.is_some() || secret.is_some();
        match any && store.is_in_use().await? {
            true => Ok(Self { lanes, secret }),
            false => Ok(Self::default()),
        }
    }

    /// What it costs to go on without the lanes.
    pub fn lanes(&self) -> Option<String> {
        self.lanes.as_deref().map(|path| {
            format!(
                "{} is not there, or empty, although the database has been in use: operations that were accepted and \
                 not yet applied are in it, and lost with the new one that `fairy up` makes, unless you stop and put \
                 the old one back",
                path.display()
            )
        })
    }

    /// What it costs to go on without the secret.
    pub fn secret(&self) -> Option<String> {
        self.secret.as_deref().map(|path| {
            format!(
                "{} is not there although the database has been in use: with the new one that `fairy up` makes, links in \
                 mails sent before open nothing, unless you stop and put the old one back",
                path.display()
            )
        })
    }
}

/// Refuses to make a database beside lanes that are there, in a file.
///
/// # Errors
/// When the database is gone.
pub fn refuse_without_database(config: &Config) -> Result<(), Failure> {
    let lanes = config.queue.file().filter(|path| is_there(path));
    match (gone(config.database.file()), lanes) {
        (Some(database), Some(lanes)) => Err(Failure::new(format_args!(
            "the database {} is not there, or empty, although the queue {} is there: put it back, or, to begin anew, move \
             the queue away too, or set FAIRY__QUEUE__URL to another",
            database.display(),
            lanes.display()
        ))),
        _ => Ok(()),
    }
}

fn gone(file: Option<&Path>) -> Option<PathBuf> {
    file.filter(|path| !is_there(path)).map(Path::to_owned)
}

/// A file that was emptied is as good as none.
fn is_there(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.len() > 0)
}
