//! What a handler is given and what it answers.
//!
//! A handler sees decoded jobs and says what became of each; everything else (leases, retries, dead letters,
//! fencing) happens around it. It must tolerate a repeat: a lane delivers at least once.

use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;

use crate::{DeadJob, JobId};

/// The code that does the jobs of one lane.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// What a payload decodes to.
    type Job: DeserializeOwned + Send + 'static;

    /// Does a batch, in order, and returns one answer for each job in the same order.
    ///
    /// In a grouped lane the batch is of one group, and a job that is not [`Answer::Done`] should have its
    /// followers answered [`Answer::HandBack`]. A panic is a failed attempt. A missing answer is a `Retry`.
    async fn handle(&self, batch: Vec<Job<Self::Job>>) -> Vec<Answer>;

    /// Called before a job is put among the dead letters, whatever the cause; repeated until it succeeds, or until it
    /// has killed its worker three times while nothing else was under suspicion. Then nobody is told but the log.
    ///
    /// # Errors
    /// With a reason, and the burial is tried again later; in a grouped lane the followers wait until it is done.
    async fn bury(&self, _dead: &DeadJob) -> Result<(), String> {
        Ok(())
    }
}

/// One job in a handler's hands.
#[derive(Debug, Clone)]
pub struct Job<J> {
    /// Its id in the lane.
    pub id: JobId,
    /// The decoded payload.
    pub payload: J,
    /// The group it is ordered in.
    pub group: Option<String>,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Whether a failure now is final.
    pub last_attempt: bool,
    /// When it was pushed, epoch ms.
    pub pushed_at: i64,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// Trace context of the producer.
    pub trace: Option<String>,
}

/// What became of one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It failed; try again by the lane's schedule, or after what the other side asked for if that is longer.
    Retry {
        /// What it failed with.
        error: String,
        /// The other side's `Retry-After`.
        after: Option<Duration>,
    },
    /// Not now: again after this long, without an attempt.
    Snooze(Duration),
    /// Not by me: again at once, in its place, without an attempt.
    HandBack,
    /// It has become pointless; forget it.
    Discard {
        /// Why, for the log.
        reason: String,
    },
    /// It can never succeed; put it among the dead letters.
    Dead {
        /// Why.
        error: String,
    },
}
