//! Dead letters, and the audit of what operators did to a lane.
//!
//! A job that is given up is kept with its payload, the last error and the failures that led there, because the
//! person who decides about it was not there when it failed.

use serde::{Deserialize, Serialize};

use crate::JobId;

/// A job that was given up, or is about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadJob {
    /// Its id, unchanged by being retried.
    pub id: JobId,
    /// What the handler could not do, as it was pushed.
    pub payload: Vec<u8>,
    /// The group it is ordered in.
    pub group: Option<String>,
    /// Why it was given up.
    pub error: String,
    /// Attempts it had.
    pub attempts: u32,
    /// The last failures before it, oldest first.
    pub history: Vec<Failure>,
    /// When it was pushed, epoch ms.
    pub pushed_at: i64,
    /// When it was given up, epoch ms.
    pub died_at: i64,
    /// Its unique key.
    pub unique_key: Option<String>,
    /// The tag kept with that key.
    pub tag: Option<String>,
    /// Trace context of the producer.
    pub trace: Option<String>,
}

impl DeadJob {
    /// Whether no handler gave it up: its workers died while they had nothing else in hand. If by its content or killed by
    /// somebody else, the lane cannot tell.
    pub fn is_of_crashes(&self) -> bool {
        // As the backends say it.
        self.error == "its worker died three times while it ran alone"
    }
}

/// One failed attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it failed, epoch ms.
    pub at: i64,
    /// What it failed with.
    pub error: String,
}

/// Which part of a list to read.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Start after this one; from the beginning when `None`.
    pub after: Option<JobId>,
    /// Most entries to return; at most 500 are.
    pub limit: u32,
}

/// A part of the dead letters of a lane, oldest first.
#[derive(Debug, Clone, Default)]
pub struct DeadPage {
    /// The letters.
    pub items: Vec<DeadJob>,
    /// Where the next page starts, if there is one.
    pub next: Option<JobId>,
}

/// Which dead letters to act on.
#[derive(Debug, Clone)]
pub enum Which {
    /// These.
    Ids(Vec<JobId>),
    /// The oldest of the lane, at most 500 in one call.
    Oldest(u32),
}

impl Which {
    /// Those that are named, each of which somebody wants to hear of.
    pub fn named(&self) -> &[JobId] {
        match self {
            Self::Ids(jobs) => jobs,
            Self::Oldest(_) => &[],
        }
    }
}

/// One thing an operator did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When, epoch ms.
    pub at: i64,
    /// Who.
    pub by: String,
    /// What: `pause`, `resume`, `retry_dead` or `discard_dead`.
    pub action: String,
    /// To which lane.
    pub lane: String,
    /// To which group or which jobs.
    pub subject: String,
}
