//! Keeping the database small and well.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;

/// Housekeeping.
#[async_trait]
pub trait Upkeep: Send + Sync + 'static {
    /// Deletes at most 500 rows of each kind that nobody needs any more at `at`: operations that ended over 30 days ago,
    /// ended sessions, tokens and links, invitations that expired over 30 days ago. How many rows went; 0 = all done.
    async fn purge(&self, at: Timestamp) -> PortResult<u64>;
    /// Whether the database answers.
    async fn ping(&self) -> PortResult<()>;
}
