//! `fairy admin rebuild-activity`: the activity log made again from the feed, wherever the settings put it.
//!
//! A log that was named only now has nothing of what happened before, and one that was lost has nothing at all; the feed has
//! both. The workers go on meanwhile, for the same change has the same place in the log whoever puts it there. A large
//! installation takes its time, so it says how far it has come in a form from which it goes on.

use std::time::Duration;

use fairy_jobs::{id::WorkspaceId, ports::ActivityLog};
use fairy_store::Store;
use fairy_workers::{Refilled, rebuild_activity};
use tokio::time::Instant;

use super::run::print;
use crate::{
    Failure,
    config::Config,
    stack::{Cloud, Parts},
};

/// How often it says how far it has come, at the most.
const EVERY: Duration = Duration::from_secs(1);

/// Fills the log; the line that says what was done.
pub async fn activity(
    config: &Config,
    parts: &Parts,
    store: &Store,
    after: Option<WorkspaceId>,
) -> Result<String, Failure> {
    let cloud = Cloud::of(config, parts).await?;
    let (log, place): (&dyn ActivityLog, String) = match (&cloud.table, &config.activity) {
        (Some(table), Some(named)) => (table, format!("table {}", named.name)),
        _ => (store, config.database.to_string()),
    };
    let (mut last, mut told) = (after, Instant::now());
    let progress = |workspace: WorkspaceId, so_far: Refilled| {
        last = Some(workspace);
        if told.elapsed() >= EVERY {
            told = Instant::now();
            // Whoever does not read how far it has come still wants it done.
            let _ = print(&format!(
                "{}; after a stop: `fairy admin rebuild-activity --after {workspace}`",
                counted(so_far)
            ));
        }
    };
    match rebuild_activity(store, log, after, progress).await {
        Ok(all) => Ok(format!("the activity log in {place} is filled: {}", counted(all))),
        Err(error) => {
            let again = last.map(|last| format!(" --after {last}")).unwrap_or_default();
            Err(Failure::new(format_args!(
                "the activity log in {place} is filled in part: {error}; go on with `fairy admin rebuild-activity{again}`"
            )))
        }
    }
}

fn counted(refilled: Refilled) -> String {
    format!("{} changes of {} workspaces", refilled.changes, refilled.workspaces)
}
