//! Which migrations are applied, as rows.

use std::collections::BTreeMap;

use fairy_jobs::ports::PortResult;
use jiff::Timestamp;

use super::list::{ALL, Migration};
use crate::{
    MigrateError,
    driver::{Connection, Text, args},
};

const CREATE: Text = Text {
    sqlite: "\
CREATE TABLE IF NOT EXISTS schema_migrations (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    fingerprint CHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL
)",
    mysql: "\
CREATE TABLE IF NOT EXISTS schema_migrations (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    fingerprint CHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL
) ENGINE = InnoDB CHARACTER SET = utf8mb4 COLLATE = utf8mb4_bin",
};

const EXISTS: Text = Text {
    sqlite: "\
SELECT COUNT(*)
FROM sqlite_master
WHERE type = 'table' AND name = 'schema_migrations'",
    mysql: "\
SELECT COUNT(*)
FROM information_schema.tables
WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'",
};

const SELECT: &str = "\
SELECT name, fingerprint, applied_at
FROM schema_migrations
ORDER BY name
LIMIT 10000";

const NOTE: Text = Text {
    sqlite: "\
INSERT INTO schema_migrations (name, fingerprint, applied_at)
VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE
SET applied_at = excluded.applied_at",
    mysql: "\
INSERT INTO schema_migrations (name, fingerprint, applied_at)
VALUES (?, ?, ?)
ON DUPLICATE KEY UPDATE applied_at = VALUES(applied_at)",
};

/// When a migration was applied that has begun and of whose end nothing is known.
pub(super) const BEGUN: Timestamp = Timestamp::UNIX_EPOCH;

/// What is known of a migration.
pub(crate) struct Entry {
    fingerprint: String,
    applied_at: Timestamp,
}

impl Entry {
    /// Whether its end was noted.
    pub fn has_ended(&self) -> bool {
        self.applied_at != BEGUN
    }
}

pub(super) async fn make(c: &mut Connection<'_>) -> PortResult<()> {
    c.run(CREATE, vec![]).await?;
    Ok(())
}

/// Notes when a migration was applied, or that it is [`BEGUN`].
pub(super) async fn note(c: &mut Connection<'_>, migration: &Migration, at: Timestamp) -> PortResult<()> {
    let fingerprint = migration.fingerprint(c.dialect());
    c.run(NOTE, args![migration.name, fingerprint, at]).await?;
    Ok(())
}

/// What is missing, in order, and whether it was begun; an error if what was applied is not what this build knows.
pub(crate) async fn pending(c: &mut Connection<'_>) -> Result<Vec<(Migration, bool)>, MigrateError> {
    let (missing, beyond) = compare(c).await?;
    match beyond.into_iter().next() {
        Some(name) => Err(MigrateError::Newer(name)),
        None => Ok(missing),
    }
}

/// What this build needs and is not there; an error if what it needs was changed or taken away. What the database has
/// beyond it is no fault: migrations add, so that a process goes on beside newer ones. One whose name begins with `drop_`
/// takes something away, for the time when no older process is left.
pub(super) async fn missing(c: &mut Connection<'_>) -> Result<Vec<&'static str>, MigrateError> {
    let (missing, beyond) = compare(c).await?;
    match beyond.into_iter().find(|name| takes_away(name)) {
        Some(name) => Err(MigrateError::Newer(name)),
        None => Ok(missing.iter().map(|(migration, _)| migration.name).collect()),
    }
}

fn takes_away(name: &str) -> bool {
    name.split_once('_').is_some_and(|(_, what)| what.starts_with("drop_"))
}

/// What is missing, in order, and whether it was begun; and the names of what only the database knows.
async fn compare(c: &mut Connection<'_>) -> Result<(Vec<(Migration, bool)>, Vec<String>), MigrateError> {
    let mut applied = applied(c).await?;
    let mut missing = Vec::new();
    for migration in ALL {
        match applied.remove(migration.name) {
            None => missing.push((*migration, false)),
            Some(entry) if entry.fingerprint != migration.fingerprint(c.dialect()) => {
                return Err(MigrateError::Changed(migration.name.to_owned()));
            }
            Some(entry) if !entry.has_ended() => missing.push((*migration, true)),
            Some(_) => {}
        }
    }
    Ok((missing, applied.into_keys().collect()))
}

/// What is known of each, by its name; nothing in a new database.
pub(crate) async fn applied(c: &mut Connection<'_>) -> PortResult<BTreeMap<String, Entry>> {
    let there: Option<u64> = match c.row(EXISTS, vec![]).await? {
        Some(row) => Some(row.only()?),
        None => None,
    };
    if there != Some(1) {
        return Ok(BTreeMap::new());
    }
    let rows = c.rows(SELECT, vec![]).await?;
    rows.iter()
        .map(|row| {
            let mut columns = row.columns();
            let name = columns.next()?;
            Ok((name, Entry { fingerprint: columns.next()?, applied_at: columns.next()? }))
        })
        .collect()
}
