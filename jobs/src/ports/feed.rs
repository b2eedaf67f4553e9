//! The feed of changes, and how far each sink has followed it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{change::Change, id::WorkspaceId, lane::Sink};

/// Reading the feed.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// The changes after `after`, oldest first, at most `limit` (≤ 500).
    async fn changes(&self, workspace: WorkspaceId, after: u64, limit: usize) -> PortResult<Vec<Change>>;
    /// The number of the workspace's last change.
    async fn seq(&self, workspace: WorkspaceId) -> PortResult<Option<u64>>;
}

/// How far the sinks have come. A sink follows each workspace in order, so one number per workspace says it all.
#[async_trait]
pub trait Sinks: Send + Sync + 'static {
    /// The changes that the sink has not done, oldest first, at most `limit` (≤ 500).
    async fn pending(&self, sink: Sink, workspace: WorkspaceId, limit: usize) -> PortResult<Vec<Change>>;
    /// The sink has done everything up to `seq`; never goes back.
    async fn mark(&self, sink: Sink, workspace: WorkspaceId, seq: u64) -> PortResult<()>;
    /// Workspaces in which the sink has had something to do since before `since`, longest first, at most `limit` (≤ 500).
    async fn behind(&self, sink: Sink, since: Timestamp, limit: usize) -> PortResult<Vec<WorkspaceId>>;
}
