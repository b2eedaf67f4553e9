//! Opening what is kept: directory, locks, queue, secret, database, in this order.
//!
//! Each of the three may be shared by settings with another process while the others are not, and none may be served
//! twice: two processes would each have an order of operations of their own, and clear away the other's unfinished mails. So
//! each has its lock, and nothing is touched before all are held.

use std::{path::Path, sync::Arc};

use fairy_jobs::{lane::Sink, link::LinkKey};
use fairy_queue::{
    Queue,
    sqlite::{Mode, OpenError, Options, open},
};
use fairy_store::Store;

use super::Parts;
use crate::{
    Failure,
    config::Config,
    process::{data_dir, lock::Lock, secret},
};

/// The sinks that are in use: there is no event bus in the embedded mode.
pub const SINKS: [Sink; 2] = [Sink::Record, Sink::Notify];

/// What is kept, open.
pub struct Opened {
    /// The lanes, served by this process alone.
    pub queue: Queue,
    /// The rows, with the schema of this version.
    pub store: Store,
    /// The key of links and CSRF tokens.
    pub link_key: LinkKey,
    locks: [Lock; 2],
}

impl Opened {
    /// Opens everything, making what is missing and migrating the database.
    ///
    /// # Errors
    /// When something cannot be used or another process uses it; the line says what to do.
    pub async fn open(config: &Config, parts: &Parts) -> Result<Self, Failure> {
        make_directory(config)?;
        let locks = lock(config)?;
        let queue = serve_queue(config, parts).await?;
        let link_key = secret::link_key(&config.secret, parts.ids.as_ref()).map_err(|error| {
            let directory = config.data_dir.display();
            Failure::new(format_args!("the secret in {directory}/secret.key cannot be used: {error}"))
        })?;
        let store = open_store(config, parts).await?;
        let report = store.migrate().await.map_err(|error| {
            Failure::new(format_args!("{} cannot be migrated: {error}", config.database.display()))
        })?;
        tracing::debug!(?report, "the database has the schema of this version");
        Ok(Self { queue, store, link_key, locks })
    }

    /// Lets go of everything, the locks last.
    pub async fn close(self) {
        self.store.close().await;
        self.queue.close().await;
        drop(self.locks);
    }
}

/// Makes the data directory and tries to write there.
fn make_directory(config: &Config) -> Result<(), Failure> {
    let path = &config.data_dir;
    let unwritable = |error| {
        Failure::new(format_args!(
            "the data directory {} cannot be written: {error}; make it writable or set FAIRY__DATA_DIR to another",
            path.display()
        ))
    };
    data_dir::create(path).and_then(|()| data_dir::probe(path)).map_err(unwritable)?;
    for file in [&config.database, &config.queue] {
        if let Some(parent) = file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            data_dir::create(parent).map_err(|error| {
                Failure::new(format_args!("{} cannot be made: {error}", parent.display()))
            })?;
        }
    }
    Ok(())
}

/// Takes the locks of the data directory and of the database; the queue takes its own.
fn lock(config: &Config) -> Result<[Lock; 2], Failure> {
    let take = |path: &Path, what: &str, variable: &str| {
        let held = Lock::beside(path).map_err(|error| {
            Failure::new(format_args!("the lock of {} cannot be made: {error}", path.display()))
        })?;
        held.ok_or_else(|| taken(what, variable))
    };
    let directory = format!("runs on the data directory {}", absolute(&config.data_dir));
    let database = format!("uses the database {}", absolute(&config.database));
    Ok([
        take(&config.data_dir.join(".data"), &directory, "FAIRY__DATA_DIR")?,
        take(&config.database, &database, "FAIRY__DATABASE__URL")?,
    ])
}

fn taken(what: &str, variable: &str) -> Failure {
    Failure::new(format_args!("another `fairy up` {what}: stop it, or set {variable} to another"))
}

async fn serve_queue(config: &Config, parts: &Parts) -> Result<Queue, Failure> {
    let clock = parts.clock.clone();
    let options = Options {
        path: config.queue.clone(),
        clock: Arc::new(move || clock.now().as_millisecond()),
        mode: Mode::Serve,
    };
    open(options).await.map_err(|error| match error {
        OpenError::Locked(path) => taken(&format!("uses the queue {}", absolute(&path)), "FAIRY__QUEUE__URL"),
        other => Failure::new(format_args!("the queue cannot be opened: {other}")),
    })
}

/// Opens the database without migrating it.
///
/// # Errors
/// When the file cannot be used.
pub async fn open_store(config: &Config, parts: &Parts) -> Result<Store, Failure> {
    let options = fairy_store::Options {
        database: fairy_store::Database::File(config.database.clone()),
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        sinks: SINKS.to_vec(),
    };
    Store::open(options).await.map_err(|error| {
        Failure::new(format_args!("the database {} cannot be opened: {error}", config.database.display()))
    })
}

fn absolute(path: &Path) -> String {
    let whole = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}
