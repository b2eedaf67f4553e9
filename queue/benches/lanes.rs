//! What a lane costs over SQLite, beside the floors of the same machine in the same run.
//!
//! `cargo bench -p fairy-queue --bench lanes` prints figures and asserts nothing: a figure belongs to the machine it
//! came from. Push and work carry payloads of about 250 bytes; jobs do nothing.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::Monitor;
use async_trait::async_trait;
use fairy_queue::sqlite::{Mode, Options, open};
use fairy_queue::{Answer, Crew, Handler, Job, LaneSpec, NewJob, Order, Queue, RetrySchedule, register};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const TABLE: &str = "
CREATE TABLE t (id INTEGER PRIMARY KEY, lane INT, payload BLOB);
CREATE INDEX t_lane ON t (lane, id);
";

const RETRY: RetrySchedule = RetrySchedule::Steps(&[Duration::from_secs(1)]);

const fn lane(name: &'static str, order: Order, batch: usize) -> LaneSpec {
    let lease = Duration::from_secs(15);
    LaneSpec {
        name,
        order,
        lease,
        batch,
        retry: RETRY,
        group_limit: Some(u64::MAX >> 1),
        max_payload: 65_536,
    }
}

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

fn rate(what: &str, count: usize, time: Duration) {
    println!("{what:<52} {:>9.0} /s", count as f64 / time.as_secs_f64());
}

fn percentiles(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
    println!("{what:<52} p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}

fn flush_rate(dir: &Path) {
    let mut file = File::create(dir.join("flush")).unwrap();
    let mut times = Vec::new();
    for _ in 0..300 {
        file.write_all(&[7; 4_096]).unwrap();
        let started = Instant::now();
        file.sync_data().unwrap();
        times.push(started.elapsed());
    }
    percentiles("floor: fdatasync of 4 KiB appended", times);
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

fn job(lane: &LaneSpec, number: usize) -> NewJob {
    let job = NewJob::json(&"x".repeat(250)).unwrap();
    if lane.order == Order::Grouped { job.group(format!("group {}", number % 64)) } else { job }
}

async fn push_one_by_one(queue: &Queue, lane: &'static LaneSpec, tasks: usize, count: usize) {
    let started = Instant::now();
    let tasks_running: Vec<_> = (0..tasks)
        .map(|task| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for number in 0..count / tasks {
                    queue.push(lane, vec![job(lane, task + number * 7)]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks_running {
        task.await.unwrap();
    }
    rate(&format!("push to {}, one by one from {tasks} tasks", lane.name), count, started.elapsed());
}

async fn push_bulk(queue: &Queue, lane: &'static LaneSpec, count: usize) {
    let started = Instant::now();
    for part in 0..count / 500 {
        queue.push(lane, (0..500).map(|number| job(lane, part * 500 + number)).collect()).await.unwrap();
    }
    rate(&format!("push to {}, 500 to a push from 1 task", lane.name), count, started.elapsed());
}

/// Does nothing and counts.
#[derive(Default)]
struct Nothing {
    done: AtomicUsize,
    one: Notify,
}

#[async_trait]
impl Handler for Nothing {
    type Job = String;

    async fn handle(&self, batch: Vec<Job<String>>) -> Vec<Answer> {
        self.done.fetch_add(batch.len(), Ordering::Relaxed);
        self.one.notify_one();
        vec![Answer::Done; batch.len()]
    }
}

fn crew(concurrency: usize) -> Crew {
    Crew { name: "bench".into(), concurrency, version: 1, time_up: CancellationToken::new() }
}

async fn work(queue: &Queue, lane: &'static LaneSpec, concurrency: usize) {
    let count = usize::try_from(queue.stats(lane).await.unwrap().waiting).unwrap();
    let handler = Arc::new(Nothing::default());
    let started = Instant::now();
    let monitor = register(Monitor::new(), queue, lane, Arc::clone(&handler), crew(concurrency));
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());
    let mut stats = queue.stats(lane).await.unwrap();
    while stats.waiting + stats.in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        stats = queue.stats(lane).await.unwrap();
    }
    let what = format!("work {}, up to {} at once, concurrency {concurrency}", lane.name, lane.batch);
    rate(&what, count, started.elapsed());
    assert_eq!(handler.done.load(Ordering::Relaxed), count);
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
}

async fn idle(queue: &Queue, lane: &'static LaneSpec) {
    let handler = Arc::new(Nothing::default());
    let monitor = register(Monitor::new(), queue, lane, Arc::clone(&handler), crew(8));
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());
    let (mut pushes, mut starts) = (Vec::new(), Vec::new());
    for number in 0..300 {
        let started = Instant::now();
        let begun = handler.one.notified();
        queue.push(lane, vec![job(lane, number)]).await.unwrap();
        pushes.push(started.elapsed());
        begun.await;
        starts.push(started.elapsed());
        let mut stats = queue.stats(lane).await.unwrap();
        while stats.in_flight > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            stats = queue.stats(lane).await.unwrap();
        }
    }
    percentiles("idle: push to durable", pushes);
    percentiles("idle: push to the start of the job", starts);
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
}
