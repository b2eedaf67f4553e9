//! Whether the database is well, and copies of it.

mod file;
mod server;

use std::{fmt, path::Path};

use fairy_jobs::ports::{PortError, PortResult};
use jiff::Timestamp;

#[cfg(test)]
pub(crate) use self::file::{PRAGMAS, pragma};
use crate::{Store, migration, store::Engine};

const WORKSPACE: &str = "\
SELECT id
FROM workspaces
LIMIT 1";

/// What a look at the database found; shown as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which engine it is on, with its version.
    pub engine: String,
    /// How many bytes the database has, without its log.
    pub bytes: u64,
    /// Migrations that are applied.
    pub migrations: usize,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (engine, megabytes) = (&self.engine, self.bytes.div_ceil(1024 * 1024));
        let migrations = self.migrations;
        write!(
            f,
            "sound, {megabytes} MB, {migrations} migrations applied, durable at every commit ({engine})"
        )
    }
}

impl Store {
    /// Looks whether the database is as it must be; a file is looked through for damage. `Broken` with what was found.
    pub async fn check(&self) -> PortResult<Health> {
        let mut c = self.read().await?;
        match &self.engine {
            Engine::Sqlite { .. } => file::check(&mut c).await,
            Engine::MySql { .. } => server::check(&mut c).await,
        }
    }

    /// Whether anything may have been accepted for it: there is a workspace. Not where there is no schema yet.
    pub async fn is_in_use(&self) -> PortResult<bool> {
        if migration::count(&mut self.read().await?).await? == 0 {
            return Ok(false);
        }
        Ok(self.read().await?.row(WORKSPACE, vec![]).await?.is_some())
    }

    /// The time by the clock of the server, where there is one: nothing goes by it, but it shows whether clocks agree.
    pub async fn server_time(&self) -> PortResult<Option<Timestamp>> {
        match &self.engine {
            Engine::Sqlite { .. } => Ok(None),
            Engine::MySql { .. } => server::time(&mut self.read().await?).await.map(Some),
        }
    }

    /// Writes a copy of the database as it is at one moment to `path`, where nothing may be; everybody goes on meanwhile,
    /// and other processes may serve the database. A server's database is copied by the server's own tools.
    ///
    /// Of the two files of an embedded Fairy, copy the lanes first and this one second. Then an operation that was
    /// accepted before the copying began is in the copy of the lanes, or it was applied and acknowledged before that copy
    /// was made and so is in this one, made later. It may be in both; when the copies are served, its row in `operations`
    /// answers the repeat. The other way round, what was applied between the two copies would be in neither.
    pub async fn backup_to(&self, path: &Path) -> PortResult<()> {
        match &self.engine {
            Engine::Sqlite { opener, .. } => file::copy(opener, path).await,
            Engine::MySql { .. } => {
                let what =
                    "the database is on a server: copy it with the server's own tools (mysqldump, snapshots)";
                Err(PortError::Broken(what.to_owned()))
            }
        }
    }
}
