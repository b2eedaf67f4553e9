//! What a scenario is given: a store, a handle to it, and words for what tests do all the time.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Answer, Ask, Broker, Claimed, Hand, JobId, LaneSpec, LaneStats, NewJob, Queue, Settled, Token, Verdict,
};

use super::cut::Cut;

/// A store under test; what one handle leaves in it, the next finds.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens it as a process does at its start.
    ///
    /// Leases that a handle before left may lapse at once; where they lapse by the clock, [`Broker::shift_clock`] must hold
    /// for all handles.
    async fn open(&self) -> Queue;
}

/// How large the large scenarios are.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Groups that take turns.
    pub groups: usize,
    /// Jobs of the group that has too many.
    pub heavy: usize,
    /// Jobs that become due at once.
    pub due: usize,
}

impl Scale {
    /// What the promises speak of.
    pub const FULL: Self = Self { groups: 10_000, heavy: 1_000_000, due: 100_000 };
    /// Small enough for every run of the tests.
    pub const QUICK: Self = Self { groups: 2_000, heavy: 20_000, due: 10_000 };
}

/// A store and a handle to it that can die.
pub struct World {
    store: Box<dyn Store>,
    /// The handle.
    pub queue: Queue,
    /// What cuts it off.
    pub cut: Arc<Cut>,
}

/// Longer than every lease of the suite that is meant to lapse.
pub const LAPSE: Duration = Duration::from_secs(120);

impl World {
    /// A world on a store.
    pub async fn new(store: Box<dyn Store>) -> Self {
        let cut = Cut::new(&store.open().await);
        Self { store, queue: Queue::new(Arc::clone(&cut) as Arc<dyn Broker>), cut }
    }

    /// The process dies, another starts, and all leases lapse.
    pub async fn crash(&mut self) {
        self.cut.cut();
        self.cut = Cut::new(&self.store.open().await);
        self.queue = Queue::new(Arc::clone(&self.cut) as Arc<dyn Broker>);
        self.pass(LAPSE).await;
    }

    /// Time passes for the store.
    pub async fn pass(&self, time: Duration) {
        self.queue.broker().shift_clock(time).await.unwrap();
    }

    /// Pushes one job.
    pub async fn push(&self, lane: &LaneSpec, job: NewJob) -> JobId {
        self.queue.push(lane, vec![job]).await.unwrap().remove(0).id
    }

    /// Pushes jobs with payloads 0 to `count` in order, as few pushes as possible.
    pub async fn push_many(&self, lane: &LaneSpec, group: Option<&str>, count: usize) {
        let numbers: Vec<usize> = (0..count).collect();
        for part in numbers.chunks(1_000) {
            let jobs = part.iter().map(|number| NewJob { group: group.map(str::to_owned), ..item(number) });
            self.queue.push(lane, jobs.collect()).await.unwrap();
        }
    }

    /// Claims once.
    pub async fn claim(&self, lane: &LaneSpec, hands: usize) -> Claimed {
        self.queue.broker().claim(lane, Ask { hands, worker: "suite".into() }).await.unwrap()
    }

    /// Claims exactly one hand-out.
    pub async fn take(&self, lane: &LaneSpec) -> Hand {
        let mut hands = self.claim(lane, 1).await.hands;
        assert_eq!(hands.len(), 1, "something is to be handed out");
        hands.remove(0)
    }

    /// Claims and expects nothing.
    pub async fn nothing(&self, lane: &LaneSpec) {
        let hands = self.claim(lane, 10).await.hands;
        assert!(hands.is_empty(), "nothing is to be handed out, but {hands:?} was");
    }

    /// Settles with the same verdict for every job; returns whether the token still held.
    pub async fn settle(&self, lane: &LaneSpec, hand: &Hand, verdict: Verdict) -> bool {
        let verdicts = hand.jobs.iter().map(|job| (job.id.clone(), verdict.clone())).collect();
        self.settle_each(lane, hand.token, verdicts).await
    }

    /// Settles a hand-out; returns whether the token still held.
    pub async fn settle_each(&self, lane: &LaneSpec, token: Token, verdicts: Vec<(JobId, Verdict)>) -> bool {
        let settled = vec![Settled { token, verdicts }];
        self.queue.broker().settle(lane, settled).await.unwrap().is_empty()
    }

    /// Counts a lane.
    pub async fn stats(&self, lane: &LaneSpec) -> LaneStats {
        self.queue.stats(lane).await.unwrap()
    }

    /// Waits until a lane holds nothing that is queued, later or in hand.
    pub async fn drained(&self, lane: &LaneSpec) {
        super::until(async || {
            let stats = self.stats(lane).await;
            stats.waiting + stats.later + stats.in_flight == 0
        })
        .await;
    }
}

/// A job whose payload is `value`.
pub fn item(value: impl serde::Serialize) -> NewJob {
    NewJob::json(&value).unwrap()
}

/// The payloads of a hand-out.
pub fn items(hand: &Hand) -> Vec<u64> {
    hand.jobs.iter().map(|job| serde_json::from_slice(&job.payload).unwrap()).collect()
}

/// A failed attempt.
pub fn retry() -> Answer {
    Answer::Retry { error: "not yet".into(), after: None }
}
