//! Whether the database is well, and copies of it.

use std::{fmt, fs::File, path::Path};

use fairy_jobs::ports::{PortError, PortResult};

use crate::{
    Store,
    driver::{Connection, Row, Value},
    migration,
};

/// What a look at the database found; shown as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// How many bytes the database has, without its log.
    pub bytes: u64,
    /// Migrations that are applied.
    pub migrations: usize,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes.div_ceil(1024 * 1024);
        write!(f, "sound, {megabytes} MB, {} migrations applied, durable at every commit", self.migrations)
    }
}

/// What every connection must have (`driver::sqlite`), by pragma.
pub(crate) const PRAGMAS: [(&str, &str); 3] =
    [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1")];

impl Store {
    /// Looks through the whole database for damage; `Broken` with what was found.
    pub async fn check(&self) -> PortResult<Health> {
        let mut c = self.read().await?;
        for (name, wanted) in PRAGMAS {
            let value = pragma(&mut c, name).await?;
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
        let sizes = (pragma(&mut c, "page_count").await?, pragma(&mut c, "page_size").await?);
        let bytes = sizes.0.parse::<u64>().unwrap_or(0) * sizes.1.parse::<u64>().unwrap_or(0);
        let migrations = migration::applied(&mut c).await?.len();
        Ok(Health { bytes, migrations })
    }

    /// Writes a copy of the database as it is at one moment to `path`, where nothing may be; everybody goes on meanwhile,
    /// and other processes may serve the database.
    ///
    /// Of the two files of an embedded Fairy, copy the lanes first and this one second. Then an operation that was
    /// accepted before the copying began is in the copy of the lanes, or it was applied and acknowledged before that copy
    /// was made and so is in this one, made later. It may be in both; when the copies are served, its row in `operations`
    /// answers the repeat. The other way round, what was applied between the two copies would be in neither.
    pub async fn backup_to(&self, path: &Path) -> PortResult<()> {
        let target = path.to_str().ok_or_else(|| PortError::Broken("the path is not UTF-8".to_owned()))?;
        self.opener.alone("VACUUM INTO ?", vec![Value::from(target)]).await?;
        let path = path.to_owned();
        let synced = tokio::task::spawn_blocking(move || File::open(&path)?.sync_all()).await;
        let failed = |why: String| PortError::Unavailable(format!("the copy is not durable: {why}"));
        synced.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
    }
}

/// What a pragma says, as text.
pub(crate) async fn pragma(c: &mut Connection<'_>, name: &'static str) -> PortResult<String> {
    // Pragmas answer numbers or texts, each as what it is; the cast makes all of them text.
    let sql = format!("SELECT CAST({name} AS TEXT)\nFROM pragma_{name}");
    let row = c.row(&sql, vec![]).await?;
    row.ok_or_else(|| PortError::Broken(format!("there is no pragma {name}")))?.only()
}
