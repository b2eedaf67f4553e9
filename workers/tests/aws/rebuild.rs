//! Filling the log again from the feed.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::WorkspaceId,
    ports::{ActivityLog as _, Feed, PortResult, Stretch},
    testing::activity::feed,
};
use fairy_workers::{Refilled, rebuild_activity};

use crate::{
    dynamodb::{all, log},
    world::Account,
};

/// A feed in memory, of small pages.
struct Feeds(BTreeMap<WorkspaceId, Vec<Change>>);

#[async_trait]
impl Feed for Feeds {
    async fn changes(&self, workspace: WorkspaceId, after: u64, limit: usize) -> PortResult<Stretch> {
        let changes = self.0[&workspace].iter().filter(|change| change.seq > after);
        let mut changes: Vec<Change> = changes.take(limit.min(30) + 1).cloned().collect();
        let more = changes.len() > limit.min(30);
        changes.truncate(limit.min(30));
        Ok(Stretch { changes, more })
    }

    async fn seq(&self, workspace: WorkspaceId) -> PortResult<Option<u64>> {
        Ok(self.0.get(&workspace).map(|changes| changes.len() as u64))
    }

    async fn workspaces(&self, after: Option<WorkspaceId>, limit: usize) -> PortResult<Vec<WorkspaceId>> {
        let workspaces = self.0.keys().filter(|id| after.is_none_or(|after| **id > after));
        Ok(workspaces.take(limit.min(2)).copied().collect())
    }
}

#[tokio::test]
async fn a_log_is_filled_again_whatever_it_holds() {
    let Some(account) = Account::on_ministack().await else { return };
    let log = log(&account, None, 0);
    log.create_table().await.unwrap();
    let lengths = [(1, 70), (2, 0), (3, 30), (4, 31), (5, 1)];
    let id = |n: u8| WorkspaceId::from_bytes([n; 16]);
    let feeds = Feeds(lengths.map(|(n, length)| (id(n), feed(id(n), length))).into());
    log.append(&feeds.0[&id(1)][20..45]).await.unwrap();
    let mut done = Vec::new();
    let sum = rebuild_activity(&feeds, &log, None, |workspace, _| done.push(workspace)).await.unwrap();
    assert_eq!(sum, Refilled { workspaces: 5, changes: 132 });
    assert_eq!(done, feeds.0.keys().copied().collect::<Vec<_>>());
    for (workspace, changes) in &feeds.0 {
        assert_eq!(&all(&log, *workspace).await, changes);
    }
    let rest = rebuild_activity(&feeds, &log, Some(done[2]), |_, _| {}).await.unwrap();
    assert_eq!(rest, Refilled { workspaces: 2, changes: 32 });
}
