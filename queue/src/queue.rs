//! The handle that producers, workers and operators hold.
//!
//! It checks what can be checked without the store, so that every broker may rely on it: sizes, the shape of a
//! batch, and that a job fits the order of its lane.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::{
    AuditEntry, Broker, DeadPage, Found, JobId, LaneSpec, LaneStats, NewJob, Observer, Order, Owed, OwedPage,
    Page, PushError, Pushed, Which,
};

/// Most jobs in one push.
const MAX_PUSH: usize = 1_000;
/// Most payload bytes in one push.
const MAX_BYTES: usize = 16 << 20;
/// Longest group name, unique key, tag or trace context in bytes.
const MAX_NAME: usize = 512;

/// A call other than a push that the store could not carry out.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the queue is unavailable: {0}")]
pub struct QueueError(pub String);

/// Says which trace the work in hand belongs to, as its context is written down.
pub type TraceSource = fn() -> Option<String>;

/// A handle to the store that carries the lanes; cheap to clone.
#[derive(Clone)]
pub struct Queue {
    broker: Arc<dyn Broker>,
    observer: Arc<dyn Observer>,
    trace: Option<TraceSource>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Queue")
    }
}

impl Queue {
    /// A queue over `broker`.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, observer: Arc::new(()), trace: None }
    }

    /// The same, with jobs that carry the trace in which they are pushed.
    #[must_use]
    pub fn traced(self, source: TraceSource) -> Self {
        Self { trace: Some(source), ..self }
    }

    /// The same lanes, of which somebody is told what happens through this handle.
    #[must_use]
    pub fn observed(self, observer: Arc<dyn Observer>) -> Self {
        Self { observer, ..self }
    }

    /// The store itself, for the machinery that drives workers.
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// Who is told what happens.
    pub(crate) fn observer(&self) -> &Arc<dyn Observer> {
        &self.observer
    }

    /// Queues a batch: all or none, in order, in one round trip, durable when it returns.
    ///
    /// # Errors
    /// See [`PushError`]; only [`PushError::Unknown`] leaves open whether anything was written.
    pub async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let (count, began) = (jobs.len(), Instant::now());
        let pushed = self.push_checked(lane, jobs).await;
        self.observer.pushed(lane, count, began.elapsed(), pushed.as_ref().err());
        pushed
    }

    async fn push_checked(&self, lane: &LaneSpec, mut jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        if jobs.len() > MAX_PUSH {
            return Err(PushError::TooMany { count: jobs.len(), limit: MAX_PUSH });
        }
        let size = jobs.iter().map(|job| job.payload.len()).sum();
        if size > MAX_BYTES {
            return Err(PushError::PayloadTooLarge { size, limit: MAX_BYTES });
        }
        if let Some(trace) = self.trace.and_then(|source| source()) {
            jobs.iter_mut().filter(|job| job.trace.is_none()).for_each(|job| job.trace = Some(trace.clone()));
        }
        for job in &jobs {
            check(lane, job)?;
        }
        self.broker.push(lane, jobs).await
    }

    /// Looks for a job by its unique key, wherever it is.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(&self, lane: &LaneSpec, unique_key: &str) -> Result<Option<Found>, QueueError> {
        self.broker.find(lane, unique_key).await
    }

    /// Counts a lane.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn stats(&self, lane: &LaneSpec) -> Result<LaneStats, QueueError> {
        self.broker.stats(lane).await
    }

    /// How long ago the oldest job was pushed that the lane still holds, in whatever state; dead letters are not held.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn oldest_held(&self, lane: &LaneSpec) -> Result<Option<Duration>, QueueError> {
        self.broker.oldest_held(lane).await
    }

    /// Lists dead letters, oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn dead(&self, lane: &LaneSpec, page: Page) -> Result<DeadPage, QueueError> {
        self.broker.dead(lane, page).await
    }

    /// Puts dead letters back into their lane; those whose unique key another job holds stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn retry_dead(
        &self,
        lane: &LaneSpec,
        which: Which,
        by: &str,
    ) -> Result<Vec<JobId>, QueueError> {
        self.broker.retry_dead(lane, which, by).await
    }

    /// Reads a part of a lane's account, at most 500 entries, after this job: what has left the lane and nobody has vouched
    /// for.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn owed(
        &self,
        lane: &LaneSpec,
        after: Option<JobId>,
        limit: u32,
    ) -> Result<OwedPage, QueueError> {
        self.broker.owed(lane, after, limit).await
    }

    /// Vouches for these jobs: it is known what became of them.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn acquit(&self, lane: &LaneSpec, known: Vec<Owed>) -> Result<(), QueueError> {
        if known.is_empty() {
            return Ok(());
        }
        self.broker.acquit(lane, known).await
    }

    /// Deletes dead letters, and strikes out of the account whichever of the named jobs are lost.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn discard_dead(
        &self,
        lane: &LaneSpec,
        which: Which,
        by: &str,
    ) -> Result<Vec<JobId>, QueueError> {
        self.broker.discard_dead(lane, which, by).await
    }

    /// Stops handing out jobs of a group, or of the whole lane; pushes are still accepted.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn pause(&self, lane: &LaneSpec, group: Option<&str>, by: &str) -> Result<(), QueueError> {
        self.broker.pause(lane, group, true, by).await
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn resume(&self, lane: &LaneSpec, group: Option<&str>, by: &str) -> Result<(), QueueError> {
        self.broker.pause(lane, group, false, by).await
    }

    /// The last things operators did, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, QueueError> {
        self.broker.audit(limit).await
    }

    /// Finishes what was asked and lets go of the store; later calls fail.
    pub async fn close(&self) {
        self.broker.close().await;
    }
}

fn check(lane: &LaneSpec, job: &NewJob) -> Result<(), PushError> {
    if job.payload.len() > lane.max_payload {
        return Err(PushError::PayloadTooLarge { size: job.payload.len(), limit: lane.max_payload });
    }
    let key = job.unique.as_ref().map(|unique| unique.key.as_str());
    let names = [job.group.as_deref(), key, job.tag.as_deref(), job.trace.as_deref()];
    // Stores end a text at a NUL, so two names could become one.
    if names.into_iter().flatten().any(|name| name.len() > MAX_NAME || name.contains('\0')) {
        let error = format!("a group, key, tag or trace holds a NUL or is longer than {MAX_NAME} bytes");
        return Err(PushError::Misfit(error));
    }
    match (lane.order, &job.group) {
        (Order::Grouped, None) => Err(PushError::Misfit(format!("lane {} needs a group", lane.name))),
        (Order::Plain, Some(_)) => Err(PushError::Misfit(format!("lane {} has no groups", lane.name))),
        _ => Ok(()),
    }
}
