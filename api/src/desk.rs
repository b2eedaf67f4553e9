//! What an operator may do with the lanes beyond what the queue itself offers: the API asks the composition root, which knows
//! all lanes and what a retry means in each.

use async_trait::async_trait;
use fairy_jobs::{id::OperationId, ports::PortResult};
use fairy_queue::{JobId, LaneSpec, Which};

/// Where operators are served.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// All lanes, in the order in which an operation passes them.
    fn lanes(&self) -> &'static [&'static LaneSpec];

    /// Tries dead letters again: what became of each that was named or found.
    async fn retry(&self, lane: &'static LaneSpec, which: Which, by: &str) -> PortResult<Vec<Retried>>;
}

/// What became of a dead letter that was to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// The job of the letter.
    pub job: JobId,
    /// How it is tried again, or why it stays a letter.
    pub way: Result<Again, String>,
}

/// How a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is back in its lane.
    Back,
    /// Another operation asks for what this one asked for.
    As {
        /// The operation that failed.
        failed: OperationId,
        /// The new one.
        retry: OperationId,
    },
}
