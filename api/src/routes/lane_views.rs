//! What operators are shown of the lanes.

use std::time::Duration;

use fairy_jobs::id::OperationId;
use fairy_queue::{AuditEntry, DeadJob, Failure, JobId, LaneSpec, LaneStats};
use jiff::Timestamp;
use poem_openapi::Object;

use crate::shape::{Instant, Nullable, Shown};

/// A lane.
#[derive(Object)]
#[oai(rename = "Lane")]
pub(crate) struct LaneView {
    /// Its name.
    name: String,
    /// Jobs that could be handed out now.
    waiting: u64,
    /// Jobs held back until later.
    later: u64,
    /// Jobs in the hands of workers.
    in_flight: u64,
    /// Dead letters.
    dead: u64,
    /// For how many seconds the job has waited that waits longest; null if none does.
    oldest_seconds: Nullable<u64>,
    /// Whether the whole lane is paused.
    paused: bool,
    /// How many of its groups are paused by themselves.
    paused_groups: u64,
}

impl LaneView {
    /// A lane in this state.
    pub fn of(lane: &LaneSpec, stats: LaneStats) -> Self {
        Self {
            name: lane.name.to_owned(),
            waiting: stats.waiting,
            later: stats.later,
            in_flight: stats.in_flight,
            dead: stats.dead,
            oldest_seconds: Nullable(stats.oldest.as_ref().map(Duration::as_secs)),
            paused: stats.paused,
            paused_groups: stats.paused_groups,
        }
    }
}

/// A failed attempt.
#[derive(Object)]
#[oai(rename = "FailedAttempt")]
struct FailedAttempt {
    /// When it failed.
    at: Shown<Instant>,
    /// What it failed with.
    error: String,
}

/// A job that was given up.
#[derive(Object)]
#[oai(rename = "DeadLetter")]
pub(crate) struct DeadLetterView {
    /// The job.
    job: String,
    /// The group it is ordered in.
    group: Nullable<String>,
    /// Why it was given up.
    error: String,
    /// How often it was tried.
    attempts: u32,
    /// The last failures before, oldest first.
    history: Vec<FailedAttempt>,
    /// When it was pushed.
    pushed_at: Shown<Instant>,
    /// When it was given up.
    died_at: Shown<Instant>,
    /// Its unique key: of an operation its id.
    key: Nullable<String>,
    /// What it carries, if that was asked for.
    payload: Nullable<String>,
}

impl DeadLetterView {
    /// The letter, with its payload or without.
    pub fn of(job: DeadJob, payload: bool) -> Self {
        let failed = |failure: Failure| FailedAttempt { at: instant(failure.at), error: failure.error };
        let text = payload.then(|| String::from_utf8_lossy(&job.payload).into_owned());
        Self {
            job: job.id.to_string(),
            group: Nullable(job.group),
            error: job.error,
            attempts: job.attempts,
            history: job.history.into_iter().map(failed).collect(),
            pushed_at: instant(job.pushed_at),
            died_at: instant(job.died_at),
            key: Nullable(job.unique_key),
            payload: Nullable(text),
        }
    }
}

/// Something an operator did.
#[derive(Object)]
#[oai(rename = "AuditEntry")]
pub(crate) struct AuditView {
    /// When.
    at: Shown<Instant>,
    /// Who.
    by: String,
    /// What: `pause`, `resume`, `retry_dead` or `discard_dead`.
    action: String,
    /// To which lane.
    lane: String,
    /// To which group or which jobs.
    subject: String,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { at, by, action, lane, subject } = entry;
        Self { at: instant(at), by, action, lane, subject }
    }
}

/// A letter that was done with.
#[derive(Object)]
#[oai(rename = "LetterDone")]
struct LetterDone {
    /// The job.
    job: String,
    /// The operation that asks for the same again, where that is how it is tried again.
    operation: Nullable<Shown<OperationId>>,
}

/// A letter that stays.
#[derive(Object)]
#[oai(rename = "LetterLeft")]
struct LetterLeft {
    /// The job.
    job: String,
    /// Why; reads after the job.
    reason: String,
}

/// What became of dead letters.
#[derive(Default, Object)]
#[oai(rename = "LettersHandled")]
pub(crate) struct HandledView {
    /// It was done to these.
    done: Vec<LetterDone>,
    /// These stay as they were.
    left: Vec<LetterLeft>,
}

impl HandledView {
    /// It was done to this one.
    pub fn done(&mut self, job: &JobId, operation: Option<OperationId>) {
        self.done.push(LetterDone { job: job.to_string(), operation: Nullable(operation.map(Shown)) });
    }

    /// This one stays.
    pub fn left(&mut self, job: &JobId, reason: String) {
        self.left.push(LetterLeft { job: job.to_string(), reason });
    }
}

/// An instant of a lane, as far as the calendar goes.
fn instant(ms: i64) -> Shown<Instant> {
    Shown(Instant(Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)))
}
