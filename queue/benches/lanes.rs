//! What a lane costs over SQLite, beside the floors of the same machine in the same run.
//!
//! `cargo bench -p fairy-queue --bench lanes` prints figures on standard error and asserts nothing: a figure belongs to the machine it
//! came from. Push and work carry payloads of about 250 bytes; jobs do nothing.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

mod measure;

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use fairy_queue::sqlite::{Mode, Options, open};
use fairy_queue::{LaneSpec, Order};
use measure::{flush_rate, idle, lane, push_bulk, push_one_by_one, rate, work};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};

const TABLE: &str = "
CREATE TABLE t (id INTEGER PRIMARY KEY, lane INT, payload BLOB);
CREATE INDEX t_lane ON t (lane, id);
";

static SINGLE: LaneSpec = lane("single", Order::Plain, 1);
static BATCHED: LaneSpec = lane("batched", Order::Plain, 64);
static GROUPED: LaneSpec = lane("grouped", Order::Grouped, 256);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir_in(std::env::current_dir().unwrap()).unwrap();
    flush_rate(dir.path());
    floor(dir.path()).await;
    let options = Options { path: dir.path().join("queue.db"), clock: Arc::new(clock()), mode: Mode::Serve };
    let queue = open(options).await.unwrap();
    push_one_by_one(&queue, &SINGLE, 1, 500).await;
    push_one_by_one(&queue, &BATCHED, 64, 60_000).await;
    push_one_by_one(&queue, &GROUPED, 64, 60_000).await;
    push_bulk(&queue, &SINGLE, 30_000).await;
    work(&queue, &SINGLE, 64).await;
    work(&queue, &BATCHED, 8).await;
    work(&queue, &GROUPED, 8).await;
    idle(&queue, &SINGLE).await;
    queue.close().await;
}

fn clock() -> impl Fn() -> i64 + Send + Sync {
    let started = Instant::now();
    move || 1_700_000_000_000 + i64::try_from(started.elapsed().as_millis()).unwrap()
}

/// The same rows without a queue: one multi-row insert and one multi-row delete, each in a synced transaction.
async fn floor(dir: &Path) {
    let mut conn = SqliteConnectOptions::new()
        .filename(dir.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql(TABLE).execute(&mut conn).await.unwrap();
    let insert = format!("INSERT INTO t (lane, payload) VALUES {}", vec!["(1, ?)"; 64].join(", "));
    let started = Instant::now();
    for _ in 0..500 {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(insert.clone()));
        for _ in 0..64 {
            query = query.bind(vec![b'7'; 250]);
        }
        query.execute(&mut conn).await.unwrap();
    }
    rate("floor: insert, 64 rows to a synced transaction", 500 * 64, started.elapsed());
    let started = Instant::now();
    for part in 0..500i64 {
        sqlx::query("DELETE FROM t WHERE id > ? AND id <= ?")
            .bind(part * 64)
            .bind(part * 64 + 64)
            .execute(&mut conn)
            .await
            .unwrap();
    }
    rate("floor: delete, 64 rows to a synced transaction", 500 * 64, started.elapsed());
    conn.close().await.unwrap();
}
