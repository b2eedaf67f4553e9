//! What comes back from a push, and from asking after a unique key.
//!
//! The one distinction that matters to a caller who has to answer somebody is between "certainly not written" and
//! "may be written": the first may be answered with a refusal, the second may not.

use crate::JobId;

/// What became of one pushed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The job that now carries the work: a new one, or the holder of the unique key.
    pub id: JobId,
    /// Set when the unique key was held already and nothing new was queued.
    pub existing: Option<Existing>,
}

/// What is known of the job that already held a unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    /// The tag the holder was pushed with.
    pub tag: Option<String>,
}

/// A job found by its unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The job that holds, or held, the key.
    pub id: JobId,
    /// The tag it was pushed with.
    pub tag: Option<String>,
    /// Where it is.
    pub state: FoundState,
}

/// Where a job found by its unique key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundState {
    /// Queued, now or for later.
    Waiting,
    /// In a worker's hands.
    Running,
    /// Among the dead letters.
    Dead,
    /// Settled, while its key is still held for its lifetime.
    Settled,
}

/// Why a push was not accepted; nothing of the batch was queued unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The store could not be reached or has no room; certainly nothing was written.
    #[error("the queue is unavailable: {0}")]
    Unavailable(String),
    /// The answer of the store was lost; the batch may have been written.
    #[error("it is not known whether the push was written: {0}")]
    Unknown(String),
    /// A group would hold more than its limit.
    #[error("group {group} holds its limit of {limit} jobs")]
    GroupFull {
        /// The group that is full.
        group: String,
        /// Most jobs it may hold.
        limit: u64,
    },
    /// A unique key is held for another use, as far as its tag tells ([`NewJob::telling`](crate::NewJob::telling)).
    #[error("the key {key} is held for another use")]
    KeyTaken {
        /// The first such key of the batch.
        key: String,
    },
    /// A payload is larger than its lane allows, or those of the batch together are larger than any store takes.
    #[error("a payload of {size} bytes is over the limit of {limit}")]
    PayloadTooLarge {
        /// Bytes offered.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The batch has too many jobs for one transaction.
    #[error("a batch of {count} jobs is over the limit of {limit}")]
    TooMany {
        /// Jobs offered.
        count: usize,
        /// Jobs allowed.
        limit: usize,
    },
    /// A job does not fit its lane; a mistake in the calling code.
    #[error("{0}")]
    Misfit(String),
}
