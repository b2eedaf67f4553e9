//! MySQL and MariaDB: what sessions and the server are set to.

use fairy_jobs::ports::{PortError, PortResult};
use jiff::Timestamp;

use super::Health;
use crate::{driver::Connection, migration};

/// Settings by which commits are kept and locks do not stay; how they must be, and what goes wrong where they are not.
const SETTINGS: [(&str, &str, &str); 2] = [
    ("innodb_flush_log_at_trx_commit", "1", "commits may be lost"),
    ("innodb_lock_wait_timeout", "2", "whoever stops in a transaction holds up others"),
];

const SYNC_BINLOG: &str = "\
SELECT CAST(@@global.log_bin AS CHAR), CAST(@@global.sync_binlog AS CHAR)";

const SIZE: &str = "\
SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS SIGNED), VERSION()
FROM information_schema.tables
WHERE table_schema = DATABASE()";

const TIME: &str = "\
SELECT CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS SIGNED)";

pub(super) async fn check(c: &mut Connection<'_>) -> PortResult<Health> {
    for (name, wanted, consequence) in SETTINGS {
        let sql = format!("SELECT CAST(@@{name} AS CHAR)");
        let value: String = only(c.row(&sql, vec![]).await?)?.only()?;
        if value != wanted {
            let what = format!("{name} is {value} and must be {wanted}: {consequence}");
            return Err(PortError::Broken(what));
        }
    }
    let row = only(c.row(SYNC_BINLOG, vec![]).await?)?;
    let mut columns = row.columns();
    let (binlog, sync): (String, String) = (columns.next()?, columns.next()?);
    if binlog == "1" && sync != "1" {
        let what =
            format!("sync_binlog is {sync} and must be 1: replicas may miss commits after a power cut");
        return Err(PortError::Broken(what));
    }
    let row = only(c.row(SIZE, vec![]).await?)?;
    let mut columns = row.columns();
    let (bytes, version): (u64, String) = (columns.next()?, columns.next()?);
    let name = if version.contains("MariaDB") { "" } else { "MySQL " };
    let migrations = migration::count(c).await?;
    Ok(Health { engine: format!("{name}{version}"), bytes, migrations })
}

pub(super) async fn time(c: &mut Connection<'_>) -> PortResult<Timestamp> {
    only(c.row(TIME, vec![]).await?)?.only()
}

fn only<T>(row: Option<T>) -> PortResult<T> {
    row.ok_or_else(|| PortError::Broken("a setting of the server answers nothing".to_owned()))
}
