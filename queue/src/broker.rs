//! The port: what a store must be able to do to carry lanes.
//!
//! It deals in bytes and verdicts. Decoding, retry schedules, versions and burial are decided above it, once for all
//! stores; what only the store can decide (who holds what, until when, in which order) is decided below it. Each
//! call is one atomic step, and its cost depends on what it moves, never on what waits.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    AuditEntry, DeadPage, Failure, Found, JobId, LaneSpec, LaneStats, NewJob, Owed, OwedPage, Page,
    PushError, Pushed, QueueError, Which,
};

/// Proof of holding one hand-out; void once its lease was taken over (a fencing token).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What a worker asks for.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Most hand-outs to return.
    pub hands: usize,
    /// Who asks, for operators.
    pub worker: String,
}

/// What a worker was given.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// The hand-outs, each with a lease of its own.
    pub hands: Vec<Hand>,
    /// When to ask again even if nothing wakes the worker before; `None` when nothing is due by time alone.
    pub again_in: Option<Duration>,
}

/// Jobs handed out together: at most a batch, and in a grouped lane of one group.
///
/// What is handed out when its worker dies, which nobody answers for, is under suspicion from then on:
///
/// 1. The jobs of such a hand-out are a *cohort*: they come again together, as one hand-out with nothing else in it. In a
///    grouped lane their group waits behind them, as ever.
/// 2. A cohort whose worker dies as well, or a single job after its first crash, is taken apart: each of its jobs is a
///    *suspect* and comes alone.
/// 3. A suspect whose worker dies while it is alone is *accused* and has lost an attempt; after the third time it is
///    doomed, by the store.
///
/// Of each lane at most one cohort or suspect is in hand at a time, and of all lanes at most one accused. Only a crash
/// leads on; every verdict but [`Verdict::HandBack`] and [`Verdict::Isolate`] clears, and a hand-back changes nothing. So
/// recovery costs a hand-out for each that was in hand, and only the one with the culprit is done job by job.
#[derive(Debug, Clone)]
pub struct Hand {
    /// To be shown when settling or renewing.
    pub token: Token,
    /// The jobs, in order; never empty.
    pub jobs: Vec<RawJob>,
}

/// A job as the store keeps it.
#[derive(Debug, Clone)]
pub struct RawJob {
    /// Its id.
    pub id: JobId,
    /// Its payload, undecoded.
    pub payload: Vec<u8>,
    /// Its group.
    pub group: Option<String>,
    /// Failed attempts so far.
    pub attempts: u32,
    /// Set when it is only handed out to be buried, with the cause; such a job comes alone.
    pub doomed: Option<Doom>,
    /// The payload version it needs.
    pub needs: u32,
    /// When it was pushed, epoch ms.
    pub pushed_at: i64,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// The tag kept with that key.
    pub tag: Option<String>,
    /// Trace context of the producer.
    pub trace: Option<String>,
}

/// Why a job is to be buried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doom {
    /// The error that ended it.
    pub error: String,
    /// When that was, epoch ms.
    pub at: i64,
    /// The failures before.
    pub history: Vec<Failure>,
    /// How often its worker died while it was in hand, alone, to be buried; counted anew after any verdict but a
    /// hand-back.
    pub crashes: u32,
}

/// The end of one hand-out: a verdict for each of its jobs.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The hand-out.
    pub token: Token,
    /// Verdicts, in the order of the hand-out.
    pub verdicts: Vec<(JobId, Verdict)>,
}

/// What the store is to do with a job that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Forget it: done or discarded.
    Remove,
    /// An attempt failed: again after `after`.
    Retry {
        /// What it failed with, for the history.
        error: String,
        /// From the store's now.
        after: Duration,
    },
    /// Again after this long, without an attempt; in a grouped lane its group waits with it.
    Snooze(Duration),
    /// Again at once, in its place, as if it had never been handed out.
    HandBack,
    /// As `HandBack`, but as a suspect: to be handed out alone, without having been in a cohort.
    Isolate,
    /// To be handed out once more, alone, for burial only; until then it keeps its place.
    Doom {
        /// Why.
        error: String,
        /// When it counts as an attempt.
        attempted: bool,
    },
    /// Burial is done: put it among the dead letters.
    Bury,
}

/// A store that carries lanes.
///
/// Reads and writes may fail; the machinery above repeats every call except `push`, so all must be safe to repeat.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// Queues a batch in order, all or none, and is durable when it returns.
    async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError>;

    /// Looks for a job by its unique key.
    async fn find(&self, lane: &LaneSpec, unique_key: &str) -> Result<Option<Found>, QueueError>;

    /// Hands out jobs, first taking over what other workers' lapsed leases left.
    async fn claim(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError>;

    /// As `claim`, but answered only with the next push to the lane, in the push's own transaction: who just claimed in vain
    /// is given what it brings without asking again; or with nothing, when it is time to claim. A store that cannot do so
    /// never answers. May be given up at any time: what was handed out to nobody is handed back.
    async fn stand_by(&self, _lane: &LaneSpec, _ask: Ask) -> Result<Claimed, QueueError> {
        std::future::pending().await
    }

    /// Extends the leases of these hand-outs to a full one from now; returns those that are lost.
    async fn renew(&self, lane: &LaneSpec, tokens: Vec<Token>) -> Result<Vec<Token>, QueueError>;

    /// Carries out verdicts where the token still holds; returns the tokens that are lost, whose jobs it left alone.
    async fn settle(&self, lane: &LaneSpec, settled: Vec<Settled>) -> Result<Vec<Token>, QueueError>;

    /// Counts the lane.
    async fn stats(&self, lane: &LaneSpec) -> Result<LaneStats, QueueError>;

    /// How long ago the oldest job was pushed that the lane still holds: waiting, later, in hand, under suspicion, paused,
    /// doomed and not yet buried. `None` if it holds none. May be too long, never too short.
    async fn oldest_held(&self, lane: &LaneSpec) -> Result<Option<Duration>, QueueError>;

    /// Lists dead letters, oldest first.
    async fn dead(&self, lane: &LaneSpec, page: Page) -> Result<DeadPage, QueueError>;

    /// Puts dead letters back into their lane with all attempts before them, except those whose unique key is held
    /// by another job; returns the ids put back.
    async fn retry_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError>;

    /// Reads a part of the lane's account, at most 500 entries.
    async fn owed(&self, lane: &LaneSpec, after: Option<JobId>, limit: u32) -> Result<OwedPage, QueueError>;

    /// Strikes jobs out of the account.
    async fn acquit(&self, lane: &LaneSpec, known: Vec<Owed>) -> Result<(), QueueError>;

    /// Deletes dead letters, and strikes out of the account whichever of the named jobs the lane does not hold; returns
    /// the ids of both.
    async fn discard_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError>;

    /// Stops or restarts handing out, of one group or of the whole lane; pushes are accepted all the while.
    async fn pause(
        &self,
        lane: &LaneSpec,
        group: Option<&str>,
        paused: bool,
        by: &str,
    ) -> Result<(), QueueError>;

    /// The last things operators did, newest first, at most `limit` and at most 500.
    async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, QueueError>;

    /// A value that changes whenever this lane may have become able to hand something out.
    fn wake(&self, lane: &LaneSpec) -> watch::Receiver<u64>;

    /// Moves the clock that leases and due times are judged by; only tests do.
    async fn shift_clock(&self, by: Duration) -> Result<(), QueueError>;

    /// Finishes what was asked and lets go of the store.
    async fn close(&self);
}
