//! Opening what is kept: locks, database, secret, queue, in this order, each in a file or on a server, as the settings say;
//! then a look at what is at AWS.
//!
//! Many processes may share a database, so no role but `fairy up` changes its schema: `fairy migrate` does, once for all, and
//! everybody else only looks whether it is there.

use std::{sync::Arc, time::Duration};

use fairy_jobs::{lane::Sink, link::LinkKey, ports::ActivityLog};
use fairy_queue::{Queue, sqlite::Mode};
use fairy_store::{Database, OpenError, Store};
use tokio::time::{error::Elapsed, timeout};

use super::{Cloud, Lost, Parts, Patience, Role, files, lost, servers};
use crate::{
    Failure,
    config::{Config, Place, QueueServer},
    observe::{self, Meters},
    process::{lock::Lock, secret},
};

/// The sinks that are in use. One that comes into use begins with what happens then, and after a pause goes on where it
/// stopped (`Store::migrate`).
pub fn sinks(config: &Config) -> Vec<Sink> {
    let used = |sink: &Sink| *sink != Sink::Publish || config.bus.is_some();
    Sink::ALL.into_iter().filter(used).collect()
}

/// What is kept, open.
pub struct Opened {
    /// The lanes.
    pub queue: Queue,
    /// The rows, with what this version needs of a schema.
    pub store: Store,
    /// The key of links and CSRF tokens.
    pub link_key: LinkKey,
    /// What is at AWS.
    pub cloud: Cloud,
    /// Whether the database and the queue are files.
    in_files: (bool, bool),
    locks: Vec<Lock>,
}

impl Opened {
    /// Opens everything. Files are made where they are missing, and whoever does everything by itself migrates the database.
    ///
    /// # Errors
    /// When something cannot be used or another process uses it; the line says what to do.
    pub async fn open(config: &Config, parts: &Parts, role: &Role) -> Result<Self, Failure> {
        let patience = Patience::of(config.start_within);
        let cloud = Cloud::of(config, parts).await?;
        let locks = files::hold(config).await?;
        let store = open_store(config, parts, &patience).await?;
        match role {
            Role::Up => migrate(config, &store).await?,
            Role::Api | Role::Worker(_) => check_schema(config, &store).await?,
        }
        let lost = Lost::beside(&store, config).await?;
        for loss in [lost.secret(), lost.lanes()].into_iter().flatten() {
            tracing::warn!("{loss}");
        }
        let link_key = secret::link_key(&config.secret, parts.ids.as_ref()).map_err(|error| {
            let directory = config.data_dir.display();
            Failure::new(format_args!("the secret in {directory}/secret.key cannot be used: {error}"))
        })?;
        let queue = match &config.queue {
            Place::File(path) => files::open_queue(path, parts, Mode::Serve).await?,
            Place::Server(server) => serve(server, parts, &patience).await?,
        };
        let queue = queue.traced(observe::in_hand);
        cloud.prepare(role).await?;
        let in_files = (config.database.is_file(), config.queue.is_file());
        Ok(Self { queue, store, link_key, cloud, in_files, locks })
    }

    /// The same, with somebody who counts what happens in the lanes.
    pub fn observed(self, meters: &Meters) -> Self {
        let queue = self.queue.observed(Arc::new(meters.clone()));
        Self { queue, ..self }
    }

    /// The activity log, where the settings put it.
    pub fn activity(&self) -> Arc<dyn ActivityLog> {
        match &self.cloud.table {
            Some(table) => Arc::new(table.clone()),
            None => Arc::new(self.store.clone()),
        }
    }

    /// Lets go of everything, the locks last; rows and lanes may take so long each.
    ///
    /// # Errors
    /// When a file was not closed.
    pub async fn close(self, within: Duration) -> Result<(), String> {
        let (rows_in_file, lanes_in_file) = self.in_files;
        let rows = closed("the database", rows_in_file, &timeout(within, self.store.close()).await);
        let lanes = closed("the queue", lanes_in_file, &timeout(within, self.queue.close()).await);
        drop(self.locks);
        rows.and(lanes)
    }
}

/// A server that does not answer is no fault of who stops: its connections are dropped, and it ends what was under way on
/// them as if the process had been killed.
fn closed(what: &str, is_file: bool, end: &Result<(), Elapsed>) -> Result<(), String> {
    match end {
        Ok(()) => Ok(()),
        Err(_) if is_file => Err(format!("{what} did not close in time")),
        Err(_) => {
            tracing::warn!("connections to {what} did not end in time: they are dropped");
            Ok(())
        }
    }
}

/// The lanes on a server that was looked at.
async fn serve(server: &QueueServer, parts: &Parts, patience: &Patience) -> Result<Queue, Failure> {
    let inspection = servers::look_at(server, &parts.name, patience).await?;
    for warning in inspection.warnings {
        tracing::warn!(server = %server.url, "{warning}");
    }
    servers::open_queue(server, &parts.name)
}

async fn migrate(config: &Config, store: &Store) -> Result<(), Failure> {
    let report = store
        .migrate()
        .await
        .map_err(|error| Failure::new(format_args!("{} cannot be migrated: {error}", config.database)))?;
    tracing::debug!(?report, "the database has the schema of this version");
    Ok(())
}

/// Opens the database without migrating it, waiting for a server that is not there yet.
///
/// # Errors
/// When it cannot be used, or is gone while its lanes are there.
pub async fn open_store(config: &Config, parts: &Parts, patience: &Patience) -> Result<Store, Failure> {
    lost::refuse_without_database(config)?;
    let options = || fairy_store::Options {
        database: match &config.database {
            Place::File(path) => Database::File(path.clone()),
            Place::Server(server) => Database::Server(servers::database(server)),
        },
        clock: parts.clock.clone(),
        ids: parts.ids.clone(),
        sinks: sinks(config),
    };
    let opened = patience.wait("the database", OpenError::may_pass, async || Store::open(options()).await);
    opened.await.map_err(|late| {
        Failure::new(format_args!("the database {} cannot be opened: {late}", config.database))
    })
}

/// Opens the database for a tool, which needs the schema of this version.
///
/// # Errors
/// When it cannot be used, or `fairy migrate` is to be run first.
pub async fn open_ready_store(config: &Config, parts: &Parts) -> Result<Store, Failure> {
    lost::refuse_without_database(config)?;
    if let Some(file) = config.database.file().filter(|file| !file.exists()) {
        return Err(Failure::new(format_args!(
            "there is no database at {} yet: start `fairy up` once, or set FAIRY__DATA_DIR",
            file.display()
        )));
    }
    let store = open_store(config, parts, &Patience::none()).await?;
    check_schema(config, &store).await?;
    Ok(store)
}

/// Whether the schema has what this version needs; it may have more, for older processes go on beside newer ones.
async fn check_schema(config: &Config, store: &Store) -> Result<(), Failure> {
    let place = &config.database;
    match store.missing_migrations().await {
        Ok(missing) if missing.is_empty() => Ok(()),
        Ok(missing) => Err(Failure::new(format_args!(
            "{place} has not the schema of this version, {} migrations are missing: run `fairy migrate`",
            missing.len()
        ))),
        Err(error) => Err(Failure::new(format_args!("{place}: {error}"))),
    }
}

/// Opens the lanes for a tool, which hands nothing out.
///
/// # Errors
/// When they cannot be used.
pub async fn open_queue(config: &Config, parts: &Parts) -> Result<Queue, Failure> {
    match &config.queue {
        Place::File(path) => files::open_queue(path, parts, Mode::Tool).await,
        Place::Server(server) => servers::open_queue(server, &parts.name),
    }
}
