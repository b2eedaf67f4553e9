//! What both benches measure, and how they print it.
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each bench uses a part of it")]

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::Monitor;
use async_trait::async_trait;
use fairy_queue::{Answer, Crew, Handler, Job, LaneSpec, NewJob, Order, Queue, RetrySchedule, register};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

const RETRY: RetrySchedule = RetrySchedule::Steps(&[Duration::from_secs(1)]);

/// Jobs in one push of many.
const BULK: usize = 1_000;

/// How long an idle lane is left alone between two pushes.
pub const REST: Duration = Duration::from_millis(2);

pub const fn lane(name: &'static str, order: Order, batch: usize) -> LaneSpec {
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

/// Prints a rate and returns it.
pub fn rate(what: &str, count: usize, time: Duration) -> f64 {
    let rate = count as f64 / time.as_secs_f64();
    eprintln!("{what:<56} {rate:>9.0} /s");
    rate
}

/// Prints percentiles and returns them, the middle one and that which one in a hundred exceeds, in ms.
pub fn percentiles(what: &str, mut times: Vec<Duration>) -> [f64; 2] {
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
    eprintln!("{what:<56} p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
    [at(50), at(99)]
}

pub fn flush_rate(dir: &Path) {
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

/// Into how many groups the jobs of a lane are dealt.
fn groups(lane: &LaneSpec) -> usize {
    if lane.name == "grouped by 10,000" { 10_000 } else { 64 }
}

pub fn job(lane: &LaneSpec, number: usize) -> NewJob {
    let job = NewJob::json(&"x".repeat(250)).unwrap();
    if lane.order == Order::Grouped { job.group(format!("group {}", number % groups(lane))) } else { job }
}

pub async fn push_one_by_one(queue: &Queue, lane: &'static LaneSpec, tasks: usize, count: usize) -> f64 {
    let started = Instant::now();
    let tasks_running: Vec<_> = (0..tasks)
        .map(|task| {
            let queue = queue.clone();
            tokio::spawn(async move {
                for number in 0..count / tasks {
                    queue.push(lane, vec![job(lane, task + number * tasks)]).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks_running {
        task.await.unwrap();
    }
    rate(&format!("push to {}, one by one from {tasks} tasks", lane.name), count, started.elapsed())
}

pub async fn push_bulk(queue: &Queue, lane: &'static LaneSpec, count: usize) -> f64 {
    let started = Instant::now();
    for part in 0..count / BULK {
        queue.push(lane, (0..BULK).map(|number| job(lane, part * BULK + number)).collect()).await.unwrap();
    }
    rate(&format!("push to {}, {BULK} to a push from 1 task", lane.name), count, started.elapsed())
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

pub async fn work(queue: &Queue, lane: &'static LaneSpec, concurrency: usize) -> f64 {
    work_together(std::slice::from_ref(queue), lane, concurrency).await
}

/// Empties a lane with a worker for each handle; returns how many jobs a second.
pub async fn work_together(queues: &[Queue], lane: &'static LaneSpec, concurrency: usize) -> f64 {
    let queue = &queues[0];
    let count = usize::try_from(queue.stats(lane).await.unwrap().waiting).unwrap();
    let handler = Arc::new(Nothing::default());
    let started = Instant::now();
    let monitor = queues.iter().fold(Monitor::new(), |monitor, queue| {
        register(monitor, queue, lane, Arc::clone(&handler), crew(concurrency))
    });
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());
    let mut stats = queue.stats(lane).await.unwrap();
    while stats.waiting + stats.in_flight > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        stats = queue.stats(lane).await.unwrap();
    }
    let workers = queues.len();
    let what = format!("work {}, up to {} at once, {workers} × {concurrency}", lane.name, lane.batch);
    let rate = rate(&what, count, started.elapsed());
    assert_eq!(handler.done.load(Ordering::Relaxed), count);
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
    rate
}

pub async fn idle(queue: &Queue, lane: &'static LaneSpec) -> [f64; 2] {
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
        tokio::time::sleep(REST).await;
    }
    percentiles("idle: push to durable", pushes);
    let starts = percentiles("idle: push to the start of the job", starts);
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
    starts
}
