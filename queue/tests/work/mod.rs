//! Lanes, jobs and workers for tests on servers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fairy_queue::redis::Ear;
use fairy_queue::testing::{Probe, start, until};
use fairy_queue::{
    Answer, Ask, Hand, Hold, LaneSpec, NewJob, Order, Queue, RetrySchedule, Settled, Token, Verdict,
};
use tokio::sync::Semaphore;

pub const fn lane(name: &'static str, order: Order, batch: usize, lease: Duration) -> LaneSpec {
    let retry = RetrySchedule::Steps(&[]);
    LaneSpec { name, order, lease, batch, retry, group_limit: None, max_payload: 65_536 }
}

pub static PLAIN: LaneSpec = lane("plain", Order::Plain, 10, Duration::from_secs(15));
pub static GROUPED: LaneSpec = lane("grouped", Order::Grouped, 10, Duration::from_secs(15));
pub static SHORT: LaneSpec = lane("short", Order::Plain, 1, Duration::from_secs(1));

pub fn item(value: u64) -> NewJob {
    NewJob::json(&value).unwrap()
}

pub async fn claim(queue: &Queue, lane: &LaneSpec) -> Vec<Hand> {
    queue.broker().claim(lane, Ask { hands: 1, worker: "test".into() }).await.unwrap().hands
}

pub async fn settle(queue: &Queue, lane: &LaneSpec, hand: &Hand, verdict: Verdict) -> Vec<Token> {
    let verdicts = hand.jobs.iter().map(|job| (job.id.clone(), verdict.clone())).collect();
    queue.broker().settle(lane, vec![Settled { token: hand.token, verdicts }]).await.unwrap()
}

pub async fn drained(queue: &Queue, lane: &LaneSpec) {
    until(async || match queue.stats(lane).await {
        Ok(stats) => stats.waiting + stats.later + stats.in_flight == 0,
        Err(_) => false,
    })
    .await;
}

/// How often each item was done, by whatever handler.
pub fn times<'a>(probes: impl IntoIterator<Item = &'a Arc<Probe>>) -> HashMap<u64, usize> {
    let mut times = HashMap::new();
    for item in probes.into_iter().flat_map(|probe| probe.items()) {
        *times.entry(item).or_default() += 1;
    }
    times
}

pub fn doing() -> Arc<Probe> {
    Arc::new(Probe::each(|_| Answer::Done))
}

/// A handler that waits until it is let go.
pub fn gated() -> (Arc<Probe>, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let probe = Probe::batch(move |jobs| {
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            drop(gate.acquire().await);
            vec![Answer::Done; jobs.len()]
        })
    });
    (Arc::new(probe), gate)
}

/// Pushes until it is known to be accepted; a repeat meets its own key.
pub async fn push_surely(queue: &Queue, lane: &LaneSpec, number: u64, group: Option<String>) {
    let hold = Hold::For(Duration::from_secs(3_600));
    let job = NewJob { group, ..item(number).unique(number.to_string(), hold) };
    while queue.push(lane, vec![job.clone()]).await.is_err() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Workers of two processes, while something happens to their servers.
pub struct Done([Arc<Probe>; 2]);

impl Done {
    fn count(&self) -> usize {
        self.0.iter().map(|probe| probe.items().len()).sum()
    }

    /// Waits until so many more jobs are done.
    pub async fn more(&self, jobs: usize) {
        let before = self.count();
        until(async || self.count() > before + jobs).await;
    }
}

/// Two processes push and work while `faults` happen: whatever was accepted is done once.
pub async fn conserves(
    queues: [&Queue; 2],
    lane: &'static LaneSpec,
    groups: Option<u64>,
    faults: impl AsyncFnOnce(&Done),
) {
    let times = keeps(queues, lane, groups, faults).await;
    assert!(times.values().all(|times| *times == 1), "nothing is done twice");
}

/// The same, but it may be done more often; returns how often each job was.
pub async fn keeps(
    queues: [&Queue; 2],
    lane: &'static LaneSpec,
    groups: Option<u64>,
    faults: impl AsyncFnOnce(&Done),
) -> HashMap<u64, usize> {
    let done = Done([doing(), doing()]);
    let running = [0, 1].map(|process| start(queues[process], lane, &done.0[process], 4));
    let pushed = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let pushing: Vec<_> = (0..8)
        .map(|pusher| {
            let (queue, pushed, over) = (queues[pusher % 2].clone(), Arc::clone(&pushed), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let number = pushed.fetch_add(1, Ordering::Relaxed);
                    let group = groups.map(|groups| format!("group {}", number % groups));
                    push_surely(&queue, lane, number, group).await;
                }
            })
        })
        .collect();
    faults(&done).await;
    over.store(true, Ordering::Relaxed);
    for pushing in pushing {
        pushing.await.unwrap();
    }
    drained(queues[0], lane).await;
    for running in running {
        running.stop().await;
    }
    let times = times(&done.0);
    assert_eq!(times.len() as u64, pushed.load(Ordering::Relaxed), "nothing is lost");
    times
}

/// What somebody heard, and how often they began to listen.
#[derive(Default)]
pub struct Heard {
    pub messages: Mutex<Vec<(String, Vec<u8>)>>,
    pub times: AtomicU64,
}

impl Ear for Heard {
    fn hear(&self, channel: &str, message: &[u8]) {
        self.messages.lock().unwrap().push((channel.to_owned(), message.to_vec()));
    }

    fn listening(&self) {
        self.times.fetch_add(1, Ordering::Relaxed);
    }
}
