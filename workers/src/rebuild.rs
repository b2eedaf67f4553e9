//! Filling the activity log again from the feed: after it was lost, for one that is new, or in doubt.
//!
//! The feed is the truth and the log a copy of it under the same numbers, so whatever is there already is put in its place
//! once more. It may run beside the workers, and be broken off and begun again at any workspace.

use fairy_jobs::{
    id::WorkspaceId,
    ports::{ActivityLog, Feed, PortResult},
};

use crate::follow::PAGE;

/// Workspaces that are looked up at a time.
const WORKSPACES: usize = 500;

/// What was filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refilled {
    /// Workspaces that were gone through.
    pub workspaces: u64,
    /// Changes that were put in the log.
    pub changes: u64,
}

/// Puts all changes of all workspaces in the log, or of those after `after`. `progress` hears of each workspace that is
/// done: where to go on if it is broken off.
///
/// # Errors
/// When the feed or the log is away; what was put stays.
pub async fn rebuild_activity(
    feed: &dyn Feed,
    log: &dyn ActivityLog,
    after: Option<WorkspaceId>,
    mut progress: impl FnMut(WorkspaceId, Refilled),
) -> PortResult<Refilled> {
    let (mut sum, mut last) = (Refilled::default(), after);
    loop {
        let workspaces = feed.workspaces(last, WORKSPACES).await?;
        if workspaces.is_empty() {
            return Ok(sum);
        }
        for workspace in workspaces {
            sum.changes += refill(feed, log, workspace).await?;
            sum.workspaces += 1;
            last = Some(workspace);
            progress(workspace, sum);
        }
    }
}

/// Puts all changes of one workspace in the log; how many.
///
/// # Errors
/// When the feed or the log is away.
pub async fn refill(feed: &dyn Feed, log: &dyn ActivityLog, workspace: WorkspaceId) -> PortResult<u64> {
    let (mut after, mut count) = (0, 0);
    loop {
        let stretch = feed.changes(workspace, after, PAGE).await?;
        log.append(&stretch.changes).await?;
        count += stretch.changes.len() as u64;
        match stretch.changes.last() {
            Some(last) if stretch.more => after = last.seq,
            _ => return Ok(count),
        }
    }
}
