//! Connections to the queue file, and the settings each must have.
//!
//! The file is WAL, so readers and an operator's tool never wait for the writer. `synchronous` is set by the writer
//! for each transaction (see `writer`), so it is opened with the strictest.

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
        .statement_cache_capacity(128)
        .disable_statement_logging()
}
