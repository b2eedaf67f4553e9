//! Keeping the database small and well.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;

/// Housekeeping.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Deletes at most 500 rows of each kind that nobody needs any more at `at`: operations that ended over 30 days ago and
    /// were accepted before `settled_before`, ended sessions, tokens and links, invitations that expired over 30 days ago.
    /// How many rows went; 0 = all done.
    ///
    /// The row of an operation is what makes its repeat harmless, so it stays as long as its lane may hand it out again.
    async fn purge(&self, at: Timestamp, settled_before: Timestamp) -> PortResult<u64>;
    /// Whether the database answers.
    async fn ping(&self) -> PortResult<()>;
}

/// What was accepted and is not settled.
#[async_trait]
pub trait Backlog: Send + Sync + 'static {
    /// How long the oldest operation has been in its lane that is still there in any state; `None` if there is none. May be
    /// too long, never too short. Dead letters count as settled.
    async fn oldest(&self) -> PortResult<Option<Duration>>;
}
