//! The feed of changes, and how far each sink has followed it.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{change::Change, id::WorkspaceId, lane::Sink};

/// A stretch of a feed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stretch {
    /// The changes, oldest first.
    pub changes: Vec<Change>,
    /// Whether there may be more behind them.
    pub more: bool,
}

/// Reading the feed.
#[async_trait]
pub trait Feed: Send + Sync + 'static {
    /// The changes after `after`, at most `limit` (≤ 500) and about 4 MB of them.
    async fn changes(&self, workspace: WorkspaceId, after: u64, limit: usize) -> PortResult<Stretch>;
    /// The number of the workspace's last change.
    async fn seq(&self, workspace: WorkspaceId) -> PortResult<Option<u64>>;
    /// The workspaces after this one, or from the first, in the order of their ids; at most `limit` (≤ 500).
    async fn workspaces(&self, after: Option<WorkspaceId>, limit: usize) -> PortResult<Vec<WorkspaceId>>;
}

/// How far the sinks have come. A sink follows each workspace in order, so one number per workspace says it all.
#[async_trait]
pub trait Sinks: Send + Sync + 'static {
    /// The changes that the sink has not done, at most `limit` (≤ 500) and about 4 MB of them.
    async fn pending(&self, sink: Sink, workspace: WorkspaceId, limit: usize) -> PortResult<Stretch>;
    /// The sink has done everything up to `seq`; never goes back.
    async fn mark(&self, sink: Sink, workspace: WorkspaceId, seq: u64) -> PortResult<()>;
    /// Workspaces in which the sink has had something to do since before `since`, longest first, at most `limit` (≤ 500).
    async fn behind(&self, sink: Sink, since: Timestamp, limit: usize) -> PortResult<Vec<WorkspaceId>>;
}
