//! What the parts of one lane's worker share.

use std::collections::{HashSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use apalis::prelude::WorkerContext;
use futures::FutureExt;
use futures::task::AtomicWaker;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Broker, Crew, Hand, JobId, LaneSpec, Observer, Queue, Settled, Token, Verdict};

/// How often a worker with jobs in hand looks whether apalis is shutting down: it offers no way to be told.
const LOOK: Duration = Duration::from_millis(100);

/// Most jobs fetched ahead of the handler, beyond one hand-out.
const AHEAD: usize = 64;

/// A hand-out on its way through the worker, with the slot it takes.
pub(super) struct Batch {
    /// The jobs.
    pub hand: Hand,
    /// Given back when they are settled.
    pub slot: Option<OwnedSemaphorePermit>,
}

/// Verdicts on their way back.
pub(super) struct Finished {
    /// The verdicts.
    pub settled: Settled,
    /// Given back when they are carried out.
    pub slot: Option<OwnedSemaphorePermit>,
}

/// The worker of one lane, as its parts see it.
pub(super) struct Station {
    /// The store.
    pub broker: Arc<dyn Broker>,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
    /// The lane.
    pub lane: &'static LaneSpec,
    /// How it is worked.
    pub crew: Crew,
    /// Hand-outs that may be held at once: those at work and some waiting.
    pub slots: Arc<Semaphore>,
    /// How many slots there are.
    pub capacity: u32,
    /// Set when a task of this worker panicked.
    pub broken: AtomicBool,
    /// Where verdicts go.
    pub finished: mpsc::Sender<Finished>,
    /// Set when no more is to be taken and what was not begun is to go back.
    pub stop: CancellationToken,
    /// Set when the worker is gone: nothing is worth repeating any more.
    pub over: CancellationToken,
    /// Wakes apalis when a batch is ready.
    pub waker: AtomicWaker,
    /// What apalis knows of this worker.
    pub context: OnceLock<WorkerContext>,
    ready: Mutex<VecDeque<Batch>>,
    held: Mutex<HashSet<Token>>,
}

impl Station {
    /// A station and the place where its verdicts arrive.
    pub fn new(queue: &Queue, lane: &'static LaneSpec, crew: Crew) -> (Self, mpsc::Receiver<Finished>) {
        let concurrency = crew.concurrency.max(1);
        // What waits here when the process is killed comes back as suspects: large batches are not fetched ahead.
        let ahead = (AHEAD / lane.batch.max(1)).clamp(1, concurrency);
        let slots = concurrency + ahead;
        let (finished, receiver) = mpsc::channel(slots);
        let station = Self {
            broker: Arc::clone(queue.broker()),
            observer: Arc::clone(queue.observer()),
            lane,
            crew,
            slots: Arc::new(Semaphore::new(slots)),
            capacity: u32::try_from(slots).unwrap_or(u32::MAX),
            broken: AtomicBool::new(false),
            finished,
            stop: CancellationToken::new(),
            over: CancellationToken::new(),
            waker: AtomicWaker::new(),
            context: OnceLock::new(),
            ready: Mutex::default(),
            held: Mutex::default(),
        };
        (station, receiver)
    }

    /// Makes a batch ready to be worked; its lease is renewed from now on.
    pub fn offer(&self, batch: Batch) {
        self.held().insert(batch.hand.token);
        lock(&self.ready).push_back(batch);
        self.waker.wake();
    }

    /// The batch that is ready longest.
    pub fn next(&self) -> Option<Batch> {
        lock(&self.ready).pop_front()
    }

    /// Hand-outs whose leases are to be renewed.
    pub fn held(&self) -> MutexGuard<'_, HashSet<Token>> {
        lock(&self.held)
    }

    /// Gives back what was not begun, in order.
    pub async fn hand_back(&self) {
        while let Some(Batch { hand, slot }) = self.next() {
            let verdicts = every(&ids(&hand), &Verdict::HandBack);
            let settled = Settled { token: hand.token, verdicts };
            // The receiver outlives the senders except when the worker was dropped; then the lease lapses.
            let _ = self.finished.send(Finished { settled, slot }).await;
        }
    }

    /// Returns when the worker was told to stop and the time for what is in hand has passed.
    pub async fn time_is_up(&self) {
        while !self.context.get().is_some_and(WorkerContext::is_shutting_down) && !self.stop.is_cancelled() {
            tokio::time::sleep(LOOK).await;
        }
        self.stop.cancel();
        self.crew.time_up.cancelled().await;
    }
}

/// Runs a task of the worker; its panic breaks the worker, which is then started again whole.
pub(super) fn spawn(
    station: &Arc<Station>,
    task: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    let station = Arc::clone(station);
    tokio::spawn(async move {
        if AssertUnwindSafe(task).catch_unwind().await.is_err() {
            tracing::error!(lane = station.lane.name, "a task of a worker panicked");
            station.broken.store(true, Ordering::Release);
            station.waker.wake();
        }
    })
}

/// The ids of a hand-out, in order.
pub(super) fn ids(hand: &Hand) -> Vec<JobId> {
    hand.jobs.iter().map(|job| job.id.clone()).collect()
}

/// The same verdict for all.
pub(super) fn every(ids: &[JobId], verdict: &Verdict) -> Vec<(JobId, Verdict)> {
    ids.iter().map(|id| (id.clone(), verdict.clone())).collect()
}

/// No code panics while it holds these locks, and what they guard is sound after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
