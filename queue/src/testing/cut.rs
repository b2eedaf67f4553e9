//! A broker that can be cut off from its store, as a process that dies is.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Ask, AuditEntry, Broker, Claimed, DeadPage, Found, JobId, LaneSpec, LaneStats, NewJob, Owed, OwedPage,
    Page, PushError, Pushed, Queue, QueueError, Settled, Token, Which,
};

/// Passes everything on until it is cut; then nothing comes back for ever.
pub struct Cut {
    inner: RwLock<Option<Arc<dyn Broker>>>,
    dead: CancellationToken,
    renewals: watch::Sender<u64>,
    faults: Mutex<VecDeque<Fault>>,
}

/// What a call of the worker machinery meets instead of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The store is away.
    Away,
    /// The code that talks to it panics.
    Panic,
}

impl Cut {
    /// A handle that can be cut off from `queue`.
    pub fn new(queue: &Queue) -> Arc<Self> {
        Arc::new(Self {
            inner: RwLock::new(Some(Arc::clone(queue.broker()))),
            dead: CancellationToken::new(),
            renewals: watch::Sender::new(0),
            faults: Mutex::default(),
        })
    }

    /// From now on no call reaches the store, and none returns.
    pub fn cut(&self) {
        self.inner.write().unwrap_or_else(PoisonError::into_inner).take();
        self.dead.cancel();
    }

    /// How many renewals have been carried out.
    pub fn renewals(&self) -> watch::Receiver<u64> {
        self.renewals.subscribe()
    }

    /// The next claims and settlements meet these instead.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner).extend(faults);
    }

    /// Whether faults are still to be met.
    pub fn has_faults(&self) -> bool {
        !self.faults.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn meet_fault(&self) -> Result<(), QueueError> {
        let fault = self.faults.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        assert_ne!(fault, Some(Fault::Panic), "a panic that a scenario asked for");
        fault.map_or(Ok(()), |_| Err(QueueError("a fault that a scenario asked for".into())))
    }

    async fn inner(&self) -> Arc<dyn Broker> {
        let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner).clone();
        match inner {
            Some(inner) => inner,
            None => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Broker for Cut {
    async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        self.inner().await.push(lane, jobs).await
    }

    async fn find(&self, lane: &LaneSpec, unique_key: &str) -> Result<Option<Found>, QueueError> {
        self.inner().await.find(lane, unique_key).await
    }

    async fn claim(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        self.meet_fault()?;
        self.inner().await.claim(lane, ask).await
    }

    async fn stand_by(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        let inner = self.inner().await;
        tokio::select! {
            claimed = inner.stand_by(lane, ask) => return claimed,
            () = self.dead.cancelled() => {}
        }
        drop(inner);
        std::future::pending().await
    }

    async fn renew(&self, lane: &LaneSpec, tokens: Vec<Token>) -> Result<Vec<Token>, QueueError> {
        let lost = self.inner().await.renew(lane, tokens).await;
        self.renewals.send_modify(|count| *count += 1);
        lost
    }

    async fn settle(&self, lane: &LaneSpec, settled: Vec<Settled>) -> Result<Vec<Token>, QueueError> {
        self.meet_fault()?;
        self.inner().await.settle(lane, settled).await
    }

    async fn stats(&self, lane: &LaneSpec) -> Result<LaneStats, QueueError> {
        self.inner().await.stats(lane).await
    }

    async fn oldest_held(&self, lane: &LaneSpec) -> Result<Option<Duration>, QueueError> {
        self.inner().await.oldest_held(lane).await
    }

    async fn dead(&self, lane: &LaneSpec, page: Page) -> Result<DeadPage, QueueError> {
        self.inner().await.dead(lane, page).await
    }

    async fn retry_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        self.inner().await.retry_dead(lane, which, by).await
    }

    async fn owed(&self, lane: &LaneSpec, after: Option<JobId>, limit: u32) -> Result<OwedPage, QueueError> {
        self.inner().await.owed(lane, after, limit).await
    }

    async fn acquit(&self, lane: &LaneSpec, known: Vec<Owed>) -> Result<(), QueueError> {
        self.inner().await.acquit(lane, known).await
    }

    async fn discard_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        self.inner().await.discard_dead(lane, which, by).await
    }

    async fn pause(
        &self,
        lane: &LaneSpec,
        group: Option<&str>,
        paused: bool,
        by: &str,
    ) -> Result<(), QueueError> {
        self.inner().await.pause(lane, group, paused, by).await
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, QueueError> {
        self.inner().await.audit(limit).await
    }

    fn wake(&self, lane: &LaneSpec) -> watch::Receiver<u64> {
        match self.inner.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(inner) => inner.wake(lane),
            None => watch::Sender::new(0).subscribe(),
        }
    }

    async fn shift_clock(&self, by: Duration) -> Result<(), QueueError> {
        self.inner().await.shift_clock(by).await
    }

    async fn close(&self) {
        self.inner().await.close().await;
    }
}
