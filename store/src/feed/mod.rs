//! The feed of changes: its rows, its end, and how far each sink has followed it.

mod append;
mod rows;
mod sinks;

use async_trait::async_trait;
use fairy_jobs::{
    id::WorkspaceId,
    lane::Sink,
    ports::{Feed, PortResult, Sinks, Stretch},
};
use jiff::Timestamp;

pub(crate) use self::{
    append::{append, ask_lock, lock, locked},
    rows::by_seq,
    sinks::{enrol, found, mark},
};
use crate::{
    Store,
    driver::{Row, args},
};

/// The most changes that one call answers.
const MOST: usize = 500;

const WORKSPACES: &str = "\
SELECT id
FROM workspaces
WHERE id > ?
ORDER BY id
LIMIT ?";

#[async_trait]
impl Feed for Store {
    async fn changes(&self, workspace: WorkspaceId, after: u64, limit: usize) -> PortResult<Stretch> {
        rows::range(&mut self.read().await?, workspace, after, limit.min(MOST)).await
    }

    async fn seq(&self, workspace: WorkspaceId) -> PortResult<Option<u64>> {
        // Where lists are read, for they are what is waited for.
        let end = append::end(&mut self.browse().await?, workspace).await?;
        Ok(end.map(|end| end.seq))
    }

    async fn workspaces(&self, after: Option<WorkspaceId>, limit: usize) -> PortResult<Vec<WorkspaceId>> {
        let after = after.unwrap_or(WorkspaceId::from_bytes([0; 16]));
        let rows = self.browse().await?.rows(WORKSPACES, args![after, limit.min(MOST)]).await?;
        rows.iter().map(Row::only).collect()
    }
}

#[async_trait]
impl Sinks for Store {
    async fn pending(&self, sink: Sink, workspace: WorkspaceId, limit: usize) -> PortResult<Stretch> {
        let mut c = self.read().await?;
        match sinks::done(&mut c, sink, workspace).await? {
            Some(done) => rows::range(&mut c, workspace, done, limit.min(MOST)).await,
            None => Ok(Stretch::default()),
        }
    }

    async fn mark(&self, sink: Sink, workspace: WorkspaceId, seq: u64) -> PortResult<()> {
        self.write(move |c| Box::pin(mark(c, sink, workspace, seq))).await
    }

    async fn behind(&self, sink: Sink, since: Timestamp, limit: usize) -> PortResult<Vec<WorkspaceId>> {
        sinks::behind(&mut self.read().await?, sink, since, limit.min(MOST)).await
    }
}
