//! Connections to the queue file, and the settings each must have.
//!
//! The file is WAL, so readers and an operator's tool never wait for the writer. `synchronous` is set by the writer
//! for what it writes (see `round`), so it is opened with the strictest.

use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

/// How long a connection waits for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// The writing connection.
pub(super) async fn writer(path: &Path, create: bool) -> Result<SqliteConnection, sqlx::Error> {
    options(path).create_if_missing(create).pragma("cache_size", "-16384").connect().await
}

/// Connections that only read.
pub(super) async fn readers(path: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = options(path).pragma("query_only", "ON").pragma("cache_size", "-2048");
    PoolOptions::new().max_connections(2).idle_timeout(Duration::from_secs(60)).connect_with(options).await
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "16777216")
        .statement_cache_capacity(512)
        .disable_statement_logging()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: &str = "
    SELECT journal_mode, synchronous, timeout, query_only
    FROM pragma_journal_mode, pragma_synchronous, pragma_busy_timeout, pragma_query_only
    ";

    #[tokio::test]
    async fn every_connection_has_its_settings() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("queue.db");
        let mut writer = writer(&path, true).await.unwrap();
        let readers = readers(&path).await.unwrap();
        let mut first = readers.acquire().await.unwrap();
        let mut second = readers.acquire().await.unwrap();
        for (conn, reads) in [(&mut writer, false), (&mut *first, true), (&mut *second, true)] {
            let settings: (String, i64, i64, bool) =
                sqlx::query_as(SETTINGS).fetch_one(&mut *conn).await.unwrap();
            assert_eq!(settings, ("wal".to_owned(), 2, 5_000, reads), "2 is FULL");
            let checkpoint: i64 =
                sqlx::query_scalar("PRAGMA wal_autocheckpoint").fetch_one(&mut *conn).await.unwrap();
            assert_eq!(checkpoint, 4_000);
        }
    }
}
