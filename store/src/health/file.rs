//! SQLite: what its pragmas say, damage, and copies.

use std::{fs::File, path::Path};

use fairy_jobs::ports::{PortError, PortResult};

use super::Health;
use crate::{
    driver::{Connection, Row, Value, sqlite::Opener},
    migration,
};

/// What every connection must have (`driver::sqlite`), by pragma.
pub(crate) const PRAGMAS: [(&str, &str); 3] =
    [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")];

pub(super) async fn check(c: &mut Connection<'_>) -> PortResult<Health> {
    for (name, wanted) in PRAGMAS {
        let value = pragma(c, name).await?;
        if value != wanted {
            let what = format!("{name} is {value} and must be {wanted}: commits may be lost");
            return Err(PortError::Broken(what));
        }
    }
    let found = c.rows("PRAGMA quick_check(10)", vec![]).await?;
    let found = found.iter().map(Row::only).collect::<PortResult<Vec<String>>>()?;
    if found != ["ok"] {
        return Err(PortError::Broken(format!("the database is damaged: {}", found.join("; "))));
    }
    let sizes = (pragma(c, "page_count").await?, pragma(c, "page_size").await?);
    let bytes = sizes.0.parse::<u64>().unwrap_or(0) * sizes.1.parse::<u64>().unwrap_or(0);
    let version = c.row("SELECT sqlite_version()", vec![]).await?;
    let version = version.map(|row| row.only::<String>()).transpose()?.unwrap_or_default();
    let migrations = migration::count(c).await?;
    Ok(Health { engine: format!("SQLite {version}"), bytes, migrations })
}

pub(super) async fn copy(opener: &Opener, path: &Path) -> PortResult<()> {
    let target = path.to_str().ok_or_else(|| PortError::Broken("the path is not UTF-8".to_owned()))?;
    opener.alone("VACUUM INTO ?", vec![Value::from(target)]).await?;
    let path = path.to_owned();
    let synced = tokio::task::spawn_blocking(move || File::open(&path)?.sync_all()).await;
    let failed = |why: String| PortError::Unavailable(format!("the copy is not durable: {why}"));
    synced.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

/// What a pragma says, as text.
pub(crate) async fn pragma(c: &mut Connection<'_>, name: &'static str) -> PortResult<String> {
    // Pragmas answer numbers or texts, each as what it is; the cast makes all of them text.
    let sql = format!("SELECT CAST({name} AS TEXT)\nFROM pragma_{name}");
    let row = c.row(&sql, vec![]).await?;
    row.ok_or_else(|| PortError::Broken(format!("there is no pragma {name}")))?.only()
}
