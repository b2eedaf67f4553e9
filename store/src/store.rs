//! The store: one database, whatever engine it is on.

use std::{path::PathBuf, sync::Arc};

use fairy_jobs::{
    clock::Clock,
    id::IdSource,
    lane::Sink,
    ports::{PortError, PortResult},
};
use futures::future::BoxFuture;

use crate::{
    OpenError,
    driver::{Connection, mysql, sqlite},
    tasks::Searches,
};

/// How a database is opened.
#[derive(Clone)]
pub struct Options {
    /// Where it is.
    pub database: Database,
    /// Tells the time, for what the store itself notes down.
    pub clock: Arc<dyn Clock>,
    /// Makes the tokens of batches.
    pub ids: Arc<dyn IdSource>,
    /// The sinks in use: only these have something to do when changes are applied.
    pub sinks: Vec<Sink>,
}

/// Where a database is.
#[derive(Clone)]
pub enum Database {
    /// An SQLite file; its directory must exist.
    File(PathBuf),
    /// A database on a server of MySQL or MariaDB.
    Server(mysql::Server),
}

/// All rows, behind the ports of the domain; a clone is another handle to the same database.
#[derive(Clone)]
pub struct Store {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) sinks: Arc<[Sink]>,
    pub(crate) searches: Searches,
    pub(crate) engine: Engine,
}

/// What runs the statements.
#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite { opener: sqlite::Opener, writer: sqlite::Writer, readers: sqlite::Readers },
    MySql { opener: mysql::Opener, writer: mysql::Writer, readers: mysql::Readers, lists: mysql::Readers },
}

impl Store {
    /// Opens the database; a file is made if it is not there. The schema stays as it is until [`Store::migrate`].
    ///
    /// # Errors
    /// When it cannot be used; the line says what to do.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let engine = match &options.database {
            Database::File(path) => Engine::file(path.clone()).await?,
            Database::Server(server) => Engine::server(server).await?,
        };
        Ok(Self {
            clock: options.clock,
            ids: options.ids,
            sinks: options.sinks.into(),
            searches: Searches::default(),
            engine,
        })
    }

    /// Does what waits, then closes the database.
    pub async fn close(self) {
        match self.engine {
            Engine::Sqlite { writer, readers, .. } => {
                writer.close().await;
                readers.close().await;
            }
            Engine::MySql { writer, readers, lists, .. } => {
                writer.close().await;
                readers.close().await;
                lists.close().await;
            }
        }
    }

    /// What the engine understands.
    #[cfg(test)]
    pub(crate) const fn dialect(&self) -> crate::driver::Dialect {
        match &self.engine {
            Engine::Sqlite { .. } => crate::driver::Dialect::Sqlite,
            Engine::MySql { .. } => crate::driver::Dialect::MySql,
        }
    }

    /// Waits until no unit is being written, if nobody begins one.
    #[cfg(test)]
    pub(crate) async fn at_rest(&self) {
        tokio::task::yield_now().await;
        match &self.engine {
            Engine::Sqlite { writer, .. } => writer.write(|_| Box::pin(async { Ok(()) })).await.unwrap(),
            Engine::MySql { writer, .. } => writer.at_rest().await,
        }
    }

    /// A connection to read with; it sees what was written before.
    pub(crate) async fn read(&self) -> PortResult<Connection<'static>> {
        match &self.engine {
            Engine::Sqlite { readers, .. } => readers.acquire().await,
            Engine::MySql { readers, .. } => readers.acquire().await,
        }
    }

    /// A connection for what a person looks through; where there is an endpoint for lists, it may lag a little behind.
    pub(crate) async fn browse(&self) -> PortResult<Connection<'static>> {
        match &self.engine {
            Engine::Sqlite { readers, .. } => readers.acquire().await,
            Engine::MySql { lists, .. } => lists.acquire().await,
        }
    }

    /// A unit of work that writes. It may be run again from the beginning if another one was in its way.
    pub(crate) async fn write<T, F>(&self, work: F) -> PortResult<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Clone + Send + 'static,
    {
        match &self.engine {
            Engine::Sqlite { writer, .. } => writer.write(work).await,
            Engine::MySql { writer, .. } => writer.write(work).await,
        }
    }
}

impl Engine {
    async fn file(path: PathBuf) -> Result<Self, OpenError> {
        let opener = sqlite::Opener::new(&path);
        let failed = |error: sqlx::Error| {
            let (path, reason) = (path.clone(), error.to_string());
            if sqlite::is_damaged(&error) {
                return OpenError::Damaged { path, reason };
            }
            match sqlite::error(error) {
                PortError::Broken(_) => OpenError::Damaged { path, reason },
                _ => OpenError::Unreachable { path, reason },
            }
        };
        let writer = sqlite::Writer::start(opener.clone()).await.map_err(failed)?;
        let readers = opener.readers().await.map_err(failed)?;
        Ok(Self::Sqlite { opener, writer, readers })
    }

    async fn server(server: &mysql::Server) -> Result<Self, OpenError> {
        let opener = mysql::Opener::new(server, &server.url)?;
        opener.try_out().await?;
        let (writer, readers) = (opener.writer(), opener.readers());
        let lists = match &server.reader_url {
            // That lists are away is no reason not to start.
            Some(url) => mysql::Opener::new(server, url)?.readers(),
            None => readers.clone(),
        };
        Ok(Self::MySql { opener, writer, readers, lists })
    }
}
