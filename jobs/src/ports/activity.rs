//! The activity log and the event bus: two sinks of changes outside the database.

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{
    change::Change,
    id::{TaskId, UserId, WorkspaceId},
    page::{Page, PageRequest},
};

/// What entries of the log are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The whole workspace.
    Everything,
    /// What happened to this task.
    Task(TaskId),
    /// What this person did.
    Person(UserId),
}

/// Which entries of the log are wanted; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Where.
    pub workspace: WorkspaceId,
    /// About what.
    pub about: About,
    /// Not before this instant.
    pub since: Option<Timestamp>,
}

/// The log of who did what, kept outside the rows it tells of.
#[async_trait]
pub trait ActivityLog: Send + Sync + 'static {
    /// Adds these changes (at most 500); those that are there stay as they are, so a repeat is harmless.
    async fn append(&self, changes: &[Change]) -> PortResult<()>;
    /// A page of entries, newest first; it ends after about 4 MB of them too.
    async fn entries(&self, query: &ActivityQuery, page: PageRequest) -> PortResult<Page<Change>>;
}

/// Where changes are published as events.
#[async_trait]
pub trait EventBus: Send + Sync + 'static {
    /// Publishes these changes (at most 500). Returns when the bus has all of them; an error means that some may be
    /// missing, and all are given again: an event carries its workspace and `seq`, by which a repeat is known.
    async fn publish(&self, changes: &[Change]) -> PortResult<()>;
}
