//! Bringing the schema up to date: one DDL per file, append-only, in the binary.
//!
//! The files of each engine have the same names and give the same schema. All that is missing is applied in one
//! transaction of the writer, so when several processes start at once, one applies and the others find nothing to do, and
//! a migration that fails leaves the schema as it was. A text that was applied never changes: its fingerprint is kept.
//! (MySQL commits each DDL by itself; there a lock by name keeps the others out, and a failed run is taken up again.)

use std::collections::BTreeMap;

use fairy_jobs::{operation::Fingerprint, ports::PortResult};
use jiff::Timestamp;

use crate::{
    driver::{Connection, args},
    error::MigrateError,
};

/// One file of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

/// What bringing the schema up to date did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MigrationReport {
    /// The migrations that were applied now, in order.
    pub applied: Vec<&'static str>,
    /// How many had been applied before.
    pub before: usize,
}

macro_rules! migrations {
    ($($name:literal,)*) => {
        &[$(Migration {
            name: $name,
            sql: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
        },)*]
    };
}

/// All of them, in order.
pub(crate) const SQLITE: &[Migration] = migrations![
    "0001_users",
    "0002_sessions",
    "0003_sessions_by_user",
    "0004_sessions_by_end",
    "0005_tokens",
    "0006_tokens_by_user",
    "0007_tokens_by_end",
    "0008_links",
    "0009_links_by_end",
    "0010_workspaces",
    "0011_members",
    "0012_members_by_joining",
    "0013_members_by_person",
    "0014_member_handles",
    "0015_projects",
    "0016_invitations",
    "0017_invitations_by_age",
    "0018_invitations_by_end",
    "0019_operations",
    "0020_operations_by_end",
    "0021_tasks",
    "0022_tasks_by_creation",
    "0023_tasks_by_update",
    "0024_tasks_by_due",
    "0025_tasks_by_priority",
    "0026_task_keys",
    "0027_task_assignees",
    "0028_task_assignees_by_creation",
    "0029_task_assignees_by_due",
    "0030_task_assignees_by_priority",
    "0031_task_labels",
    "0032_task_labels_by_creation",
    "0033_task_labels_by_due",
    "0034_task_labels_by_priority",
    "0035_comments",
    "0036_comments_by_age",
    "0037_changes",
    "0038_sinks",
    "0039_sinks_by_wait",
    "0040_activity",
    "0041_activity_by_task",
    "0042_activity_by_actor",
    "0043_notices",
    "0044_notices_by_task",
    "0045_notice_changes",
    "0046_deliveries",
    "0047_deliveries_by_due",
    "0048_deliveries_by_subject",
    "0049_deliveries_deaths",
    "0050_deliveries_failures",
];

const CREATE_LEDGER: &str = "\
CREATE TABLE IF NOT EXISTS schema_migrations (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    fingerprint CHAR(64) NOT NULL,
    applied_at BIGINT NOT NULL
)";

const LEDGER: &str = "\
SELECT name, fingerprint
FROM schema_migrations
ORDER BY name
LIMIT 10000";

const NOTE: &str = "\
INSERT INTO schema_migrations (name, fingerprint, applied_at)
VALUES (?, ?, ?)";

const HAS_LEDGER: &str = "\
SELECT COUNT(*)
FROM sqlite_master
WHERE type = 'table' AND name = 'schema_migrations'";

/// Applies what is missing; the caller's transaction makes it all or nothing.
pub(crate) async fn migrate(
    connection: &mut Connection<'_>,
    at: Timestamp,
) -> Result<MigrationReport, MigrateError> {
    connection.run(CREATE_LEDGER, vec![]).await?;
    let missing = pending(connection).await?;
    for migration in &missing {
        let failed = |reason| MigrateError::Failed { name: migration.name, reason };
        connection.run(migration.sql, vec![]).await.map_err(failed)?;
        let note = args![migration.name, fingerprint(migration), at];
        connection.run(NOTE, note).await.map_err(failed)?;
    }
    Ok(MigrationReport {
        before: SQLITE.len() - missing.len(),
        applied: missing.iter().map(|migration| migration.name).collect(),
    })
}

/// What is missing, in order; an error if what was applied is not what this build knows.
pub(crate) async fn pending(connection: &mut Connection<'_>) -> Result<Vec<Migration>, MigrateError> {
    let mut applied = applied(connection).await?;
    let mut missing = Vec::new();
    for migration in SQLITE {
        match applied.remove(migration.name) {
            None => missing.push(*migration),
            Some(text) if text == fingerprint(migration) => {}
            Some(_) => return Err(MigrateError::Changed(migration.name.to_owned())),
        }
    }
    match applied.pop_first() {
        Some((name, _)) => Err(MigrateError::Newer(name)),
        None => Ok(missing),
    }
}

/// What is applied: the fingerprint of each by its name; nothing in a new database.
pub(crate) async fn applied(connection: &mut Connection<'_>) -> PortResult<BTreeMap<String, String>> {
    let there: Option<u64> = match connection.row(HAS_LEDGER, vec![]).await? {
        Some(row) => Some(row.only()?),
        None => None,
    };
    if there != Some(1) {
        return Ok(BTreeMap::new());
    }
    let rows = connection.rows(LEDGER, vec![]).await?;
    rows.iter()
        .map(|row| {
            let mut columns = row.columns();
            Ok((columns.next()?, columns.next()?))
        })
        .collect()
}

fn fingerprint(migration: &Migration) -> String {
    Fingerprint::of(&[migration.sql.as_bytes()]).to_string()
}
