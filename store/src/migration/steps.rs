//! Migrations where each DDL commits by itself.
//!
//! A process may be killed between the DDL and the note that it has ended. Each DDL alone is done whole or not at all (both
//! engines are so since the versions that we need), so of a migration that was begun, only its one DDL is in doubt; it is
//! run again, and when it then says that its table, column or index is there already, it was done.

use fairy_jobs::ports::{PortError, PortResult};
use jiff::Timestamp;

use super::{
    MigrationReport,
    ledger::{self, BEGUN},
    report,
};
use crate::{MigrateError, driver::Connection};

/// Names of locks are the server's, so the database's name is in it, shortened as they must be.
const LOCK: &str = "\
SELECT GET_LOCK(CONCAT('fairy:', LEFT(SHA2(DATABASE(), 256), 32)), 600)";

const UNLOCK: &str = "\
SELECT RELEASE_LOCK(CONCAT('fairy:', LEFT(SHA2(DATABASE(), 256), 32)))";

/// Waits until no other process changes the schema of this database. The lock goes with the connection.
pub(crate) async fn lock(c: &mut Connection<'_>) -> PortResult<()> {
    let got: Option<Option<u64>> = c.row(LOCK, vec![]).await?.map(|row| row.only()).transpose()?;
    if got == Some(Some(1)) {
        return Ok(());
    }
    Err(PortError::Unavailable("another process has been changing the schema for ten minutes".to_owned()))
}

pub(crate) async fn unlock(c: &mut Connection<'_>) -> PortResult<()> {
    c.row(UNLOCK, vec![]).await?;
    Ok(())
}

/// Applies what is missing, under the lock.
pub(super) async fn run(c: &mut Connection<'_>, at: Timestamp) -> Result<MigrationReport, MigrateError> {
    ledger::make(c).await?;
    let missing = ledger::pending(c).await?;
    for (migration, begun) in &missing {
        let failed = |reason| MigrateError::Failed { name: migration.name, reason };
        ledger::note(c, migration, BEGUN).await.map_err(failed)?;
        if let Err(error) = c.run(migration.sql, vec![]).await
            && !(*begun && c.was_done())
        {
            return Err(failed(error));
        }
        ledger::note(c, migration, at).await.map_err(failed)?;
    }
    Ok(report(missing.iter().map(|(migration, _)| migration.name).collect()))
}
