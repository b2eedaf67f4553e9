//! Bringing the schema up to date: one DDL per file, append-only, in the binary.
//!
//! The files of each engine have the same names and give the same schema. A text that was applied never changes: its
//! fingerprint is kept. When several processes start at once, one applies and the others find nothing to do.
//!
//! In SQLite, all that is missing is applied in one transaction of the writer. MySQL commits each DDL by itself, so there a
//! lock by name keeps the others out, and each migration is noted before it begins and after it has ended.

mod ledger;
mod list;
mod steps;

use fairy_jobs::ports::{PortError, PortResult};
use jiff::Timestamp;

pub(crate) use self::{
    ledger::{applied, pending},
    list::ALL,
};
use crate::{
    MigrateError, Store,
    driver::{Connection, mysql},
    feed,
    store::Engine,
};

/// What bringing the schema up to date did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationReport {
    /// The migrations that were applied now, in order.
    pub applied: Vec<&'static str>,
    /// How many had been applied before.
    pub before: usize,
}

impl Store {
    /// Brings the schema up to date, and gives the sinks in use a place in every workspace: a sink that was not in use
    /// before begins with what comes, one that was goes on where it stopped. Harmless when other processes do the same.
    ///
    /// # Errors
    /// When the database does not fit this build, or cannot be written.
    pub async fn migrate(&self) -> Result<MigrationReport, MigrateError> {
        match &self.engine {
            Engine::Sqlite { .. } => self.migrate_whole().await,
            Engine::MySql { opener, .. } => self.migrate_by_steps(opener).await,
        }
    }

    /// The migrations that are not applied yet, in order.
    ///
    /// # Errors
    /// When the database does not fit this build, or cannot be read.
    pub async fn pending_migrations(&self) -> Result<Vec<&'static str>, MigrateError> {
        let mut connection = self.read().await?;
        let missing = pending(&mut connection).await?;
        Ok(missing.iter().map(|(migration, _)| migration.name).collect())
    }

    /// What this build needs and the schema has not yet, in order: where it is empty, a process can work here, also when
    /// the schema is newer.
    ///
    /// # Errors
    /// When what this build needs was changed or taken away, or the database cannot be read.
    pub async fn missing_migrations(&self) -> Result<Vec<&'static str>, MigrateError> {
        ledger::missing(&mut self.read().await?).await
    }

    async fn migrate_whole(&self) -> Result<MigrationReport, MigrateError> {
        let (at, sinks) = (self.clock.now(), self.sinks.clone());
        let done = self.write(move |connection| {
            Box::pin(async move {
                let report = match whole(connection, at).await {
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

    async fn migrate_by_steps(&self, opener: &mysql::Opener) -> Result<MigrationReport, MigrateError> {
        let (at, sinks) = (self.clock.now(), self.sinks.clone());
        let mut alone = opener.alone().await?;
        let mut connection = alone.connection();
        steps::lock(&mut connection).await?;
        let report = steps::run(&mut connection, at).await?;
        // Under the same lock, or two processes would enrol the same sink.
        self.write(move |c| Box::pin(async move { feed::enrol(c, &sinks, at).await })).await?;
        steps::unlock(&mut connection).await?;
        alone.close().await?;
        Ok(report)
    }
}

/// Applies what is missing; the caller's transaction makes it all or nothing.
async fn whole(connection: &mut Connection<'_>, at: Timestamp) -> Result<MigrationReport, MigrateError> {
    ledger::make(connection).await?;
    let missing = pending(connection).await?;
    for (migration, _) in &missing {
        let failed = |reason| MigrateError::Failed { name: migration.name, reason };
        connection.run(migration.sql, vec![]).await.map_err(failed)?;
        ledger::note(connection, migration, at).await.map_err(failed)?;
    }
    Ok(report(missing.iter().map(|(migration, _)| migration.name).collect()))
}

fn report(applied: Vec<&'static str>) -> MigrationReport {
    MigrationReport { before: ALL.len() - applied.len(), applied }
}

/// How many rows say that a migration has ended.
pub(crate) async fn count(connection: &mut Connection<'_>) -> PortResult<usize> {
    let applied = applied(connection).await?;
    Ok(applied.values().filter(|entry| entry.has_ended()).count())
}
