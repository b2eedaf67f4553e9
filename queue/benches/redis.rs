//! What a lane costs over Redis, beside the bare commands from the same client in the same rounds.
//!
//! `FAIRY_TEST_REDIS=redis-server cargo bench -p fairy-queue --bench redis` prints figures and ratios and asserts
//! nothing. Client, worker and server share the machine. Payloads are of about 250 bytes; jobs do nothing.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

mod measure;
#[path = "../tests/server/mod.rs"]
mod server;

use std::time::{Duration, Instant};

use fairy_queue::{LaneSpec, Order};
use measure::{flush_rate, idle, lane, percentiles, push_bulk, push_one_by_one, rate, work};
use redis::Value;
use redis::aio::MultiplexedConnection;
use server::{Engine, Server};

static SINGLE: LaneSpec = lane("single", Order::Plain, 1);
static BATCHED: LaneSpec = lane("batched", Order::Plain, 64);
static GROUPED: LaneSpec = lane("grouped by 64", Order::Grouped, 64);
static MANY: LaneSpec = lane("grouped by 10,000", Order::Grouped, 64);

const COUNT: usize = 64_000;
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    for flush in ["everysec", "always"] {
        println!("\n== appendfsync {flush}");
        let mut rounds: Vec<Vec<(&'static str, f64)>> = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(round(flush).await);
        }
        println!("-- medians");
        for place in 0..rounds[0].len() {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[place].1).collect();
            values.sort_by(f64::total_cmp);
            println!("{:<56} {:>9.2}", rounds[0][place].0, values[ROUNDS / 2]);
        }
    }
}

/// One round of everything, on a server of its own; returns ratios.
async fn round(flush: &str) -> Vec<(&'static str, f64)> {
    let dir = tempfile::tempdir().unwrap();
    flush_rate(dir.path());
    let server = Server::start(Engine::Redis).await;
    server.ask::<()>(&["CONFIG", "SET", "appendfsync", flush]).await;
    let client = redis::Client::open(server.url()).unwrap();
    let mut bare = client.get_multiplexed_async_connection().await.unwrap();
    let add = floor_push(&bare).await;
    let read = floor_work(&mut bare).await;
    let blocking = floor_idle(&client).await;
    server.ask::<()>(&["FLUSHALL"]).await;
    let queue = server.open();
    let single_push = push_one_by_one(&queue, &SINGLE, 64, COUNT).await;
    let single_work = work(&queue, &SINGLE, 64).await;
    push_one_by_one(&queue, &BATCHED, 64, COUNT).await;
    let batched_work = work(&queue, &BATCHED, 8).await;
    push_one_by_one(&queue, &GROUPED, 64, COUNT).await;
    let grouped_work = work(&queue, &GROUPED, 8).await;
    let many_push = push_one_by_one(&queue, &MANY, 64, COUNT).await;
    let many_work = work(&queue, &MANY, 64).await;
    push_bulk(&queue, &SINGLE, COUNT).await;
    work(&queue, &SINGLE, 64).await;
    let start = idle(&queue, &SINGLE).await;
    queue.close().await;
    vec![
        ("push, plain : bare XADD, 64 tasks", single_push / add),
        ("push, 10,000 groups : plain", many_push / single_push),
        ("work, plain one by one at 64 : bare XREADGROUP and XACK", single_work / read),
        ("work, plain in batches : bare XREADGROUP and XACK", batched_work / read),
        ("work, 64 groups : plain in batches", grouped_work / batched_work),
        ("work, 10,000 groups : plain one by one", many_work / single_work),
        ("idle, push to start : bare blocking XREADGROUP", start / blocking),
    ]
}

/// Ids and fields.
type Entries = Vec<(Vec<u8>, Value)>;

async fn floor_push(bare: &MultiplexedConnection) -> f64 {
    let started = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let mut bare = bare.clone();
            tokio::spawn(async move {
                for _ in 0..COUNT / 64 {
                    let mut add = redis::cmd("XADD");
                    add.arg("floor").arg("*").arg("p").arg("x".repeat(250));
                    add.query_async::<()>(&mut bare).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    rate("floor: XADD, one by one from 64 tasks", COUNT, started.elapsed())
}

async fn floor_work(bare: &mut MultiplexedConnection) -> f64 {
    let mut group = redis::cmd("XGROUP");
    group.arg("CREATE").arg("floor").arg("g").arg("0");
    group.query_async::<()>(bare).await.unwrap();
    let started = Instant::now();
    for _ in 0..COUNT / 64 {
        let ids = read_group(bare, 64, None).await;
        let mut done = redis::cmd("XACK");
        done.arg("floor").arg("g").arg(ids);
        done.query_async::<()>(bare).await.unwrap();
    }
    rate("floor: XREADGROUP of 64 and XACK, in turn", COUNT, started.elapsed())
}

async fn read_group(bare: &mut MultiplexedConnection, count: usize, block: Option<u64>) -> Vec<Vec<u8>> {
    let mut read = redis::cmd("XREADGROUP");
    read.arg("GROUP").arg("g").arg("c").arg("COUNT").arg(count);
    if let Some(time) = block {
        read.arg("BLOCK").arg(time);
    }
    read.arg("STREAMS").arg("floor").arg(">");
    let streams: Vec<(String, Entries)> = read.query_async(bare).await.unwrap();
    streams.into_iter().flat_map(|(_, entries)| entries).map(|(id, _)| id).collect()
}

async fn floor_idle(client: &redis::Client) -> f64 {
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let mut reader = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let mut pusher = client.get_multiplexed_async_connection().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..300 {
        let mut blocked = reader.clone();
        let waiting =
            tokio::spawn(async move { (read_group(&mut blocked, 1, Some(0)).await, Instant::now()) });
        tokio::time::sleep(Duration::from_millis(2)).await;
        let started = Instant::now();
        let mut add = redis::cmd("XADD");
        add.arg("floor").arg("*").arg("p").arg("x".repeat(250));
        add.query_async::<()>(&mut pusher).await.unwrap();
        let (ids, at) = waiting.await.unwrap();
        times.push(at - started);
        let mut done = redis::cmd("XACK");
        done.arg("floor").arg("g").arg(ids);
        done.query_async::<()>(&mut reader).await.unwrap();
    }
    percentiles("floor: XADD to a blocking XREADGROUP", times)
}
