//! The store: one database, its writer and its readers.

use std::{path::PathBuf, sync::Arc};

use fairy_jobs::{
    clock::Clock,
    id::IdSource,
    lane::Sink,
    ports::{PortError, PortResult},
};
use futures::future::BoxFuture;

use crate::{
    MigrateError, MigrationReport, OpenError,
    driver::{self, Connection, Writer, sqlite::Opener, sqlite::Readers},
    feed, migration,
    tasks::Searches,
};

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// The database file; its directory must exist.
    pub path: PathBuf,
    /// Tells the time, for what the store itself notes down.
    pub clock: Arc<dyn Clock>,
    /// Makes the tokens of batches.
    pub ids: Arc<dyn IdSource>,
    /// The sinks in use: only these have something to do when changes are applied.
    pub sinks: Vec<Sink>,
}

/// All rows, behind the ports of the domain; a clone is another handle to the same database.
#[derive(Clone)]
pub struct Store {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) sinks: Arc<[Sink]>,
    pub(crate) opener: Opener,
    pub(crate) searches: Searches,
    writer: Writer,
    readers: Readers,
}

impl Store {
    /// Opens the database file, making it if it is not there; the schema stays as it is until [`Store::migrate`].
    pub async fn open_sqlite(options: Options) -> Result<Self, OpenError> {
        let opener = Opener::new(&options.path);
        let failed = |error: sqlx::Error| {
            let (path, reason) = (options.path.clone(), error.to_string());
            if driver::sqlite::is_damaged(&error) {
                return OpenError::Damaged { path, reason };
            }
            match driver::sqlite::error(error) {
                PortError::Broken(_) => OpenError::Damaged { path, reason },
                _ => OpenError::Unreachable { path, reason },
            }
        };
        let writer = Writer::start(opener.clone()).await.map_err(failed)?;
        let readers = opener.readers().await.map_err(failed)?;
        Ok(Self {
            clock: options.clock,
            ids: options.ids,
            sinks: options.sinks.into(),
            opener,
            searches: Searches::default(),
            writer,
            readers,
        })
    }

    /// Brings the schema up to date, and gives the sinks in use a place in every workspace: a sink that was not in use
    /// before begins with what comes, one that was goes on where it stopped. Harmless when other processes do the same.
    pub async fn migrate(&self) -> Result<MigrationReport, MigrateError> {
        let (at, sinks) = (self.clock.now(), self.sinks.clone());
        let done = self.write(move |connection| {
            Box::pin(async move {
                let report = match migration::migrate(connection, at).await {
                    Ok(report) => report,
                    // What failed must be rolled back, and a unit is rolled back by an error of a port.
                    Err(error) => return Err(PortError::Broken(error.to_string())),
                };
                feed::enrol(connection, &sinks, at).await?;
                Ok(report)
            })
        });
        match done.await {
            Ok(report) => Ok(report),
            // Told again in its own words, if it is what is in the database that does not fit.
            Err(error) => {
                self.pending_migrations().await?;
                Err(error.into())
            }
        }
    }

    /// The migrations that are not applied yet, in order.
    pub async fn pending_migrations(&self) -> Result<Vec<&'static str>, MigrateError> {
        let mut connection = self.read().await?;
        let missing = migration::pending(&mut connection).await?;
        Ok(missing.iter().map(|migration| migration.name).collect())
    }

    /// Does what waits, then closes the database.
    pub async fn close(self) {
        self.writer.close().await;
        self.readers.close().await;
    }

    /// A connection to read with.
    pub(crate) async fn read(&self) -> PortResult<Connection<'static>> {
        self.readers.acquire().await
    }

    /// A unit of work that writes.
    pub(crate) async fn write<T, F>(&self, work: F) -> PortResult<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Send + 'static,
    {
        self.writer.write(work).await
    }
}
