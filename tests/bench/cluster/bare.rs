//! The floors under a lane: bare commands over a stream, by the client that the lanes use.

use std::time::{Duration, Instant};

use redis::{AsyncConnectionConfig, Client, Value, aio::MultiplexedConnection};

use crate::measure::{REST, percentiles, rate};

/// Ids and fields.
type Entries = Vec<(Vec<u8>, Value)>;

async fn add(connection: &mut MultiplexedConnection) {
    let mut add = redis::cmd("XADD");
    add.arg("floor").arg("*").arg("p").arg("x".repeat(250));
    add.query_async::<()>(connection).await.unwrap();
}

async fn acknowledge(connection: &mut MultiplexedConnection, ids: Vec<Vec<u8>>) {
    let mut done = redis::cmd("XACK");
    done.arg("floor").arg("g").arg(ids);
    done.query_async::<()>(connection).await.unwrap();
}

/// `XADD`, one by one from 64 tasks over one connection.
pub async fn push(client: &Client, count: usize) -> f64 {
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let started = Instant::now();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let mut connection = connection.clone();
            tokio::spawn(async move {
                for _ in 0..count / 64 {
                    add(&mut connection).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    rate("floor: XADD, one by one from 64 tasks", count, started.elapsed())
}

/// `XREADGROUP` of 64 and `XACK`, in turn, over what was pushed.
pub async fn work(client: &Client, count: usize) -> f64 {
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut group = redis::cmd("XGROUP");
    group.arg("CREATE").arg("floor").arg("g").arg("0");
    group.query_async::<()>(&mut connection).await.unwrap();
    let started = Instant::now();
    for _ in 0..count / 64 {
        let ids = read_group(&mut connection, 64, None).await;
        acknowledge(&mut connection, ids).await;
    }
    rate("floor: XREADGROUP of 64 and XACK, in turn", count, started.elapsed())
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

/// `XADD` to a reader that blocks, on a connection of its own: p50 and p99 from before the one to after the other.
pub async fn idle(client: &Client) -> [f64; 2] {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut reader = client.get_multiplexed_async_connection_with_config(&config).await.unwrap();
    let mut pusher = client.get_multiplexed_async_connection().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..300 {
        let mut blocked = reader.clone();
        let waiting =
            tokio::spawn(async move { (read_group(&mut blocked, 1, Some(0)).await, Instant::now()) });
        tokio::time::sleep(REST).await;
        let started = Instant::now();
        add(&mut pusher).await;
        let (ids, at) = waiting.await.unwrap();
        times.push(at - started);
        acknowledge(&mut reader, ids).await;
    }
    percentiles("floor: XADD to a blocking XREADGROUP", times)
}

/// One `XADD` after a rest, until it is answered: what a push of a single job cannot be below.
pub async fn single_push(client: &Client, samples: usize, rest: Duration) -> Vec<Duration> {
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut times = Vec::new();
    for _ in 0..samples {
        tokio::time::sleep(rest).await;
        let started = Instant::now();
        add(&mut connection).await;
        times.push(started.elapsed());
    }
    times
}
