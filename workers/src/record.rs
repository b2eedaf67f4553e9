//! Lane `record`: copies changes into the activity log.
//!
//! A repeat is harmless: the log keeps an entry per workspace and `seq` and leaves what is there as it is, and the mark
//! never goes back.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::WorkspaceId,
    lane::Sink,
    ports::{ActivityLog, PortResult, Sinks},
};

use crate::{
    Services,
    follow::{Follow, Follower},
};

/// Writes the activity log.
pub(crate) struct Record {
    pub activity: Arc<dyn ActivityLog>,
    pub sinks: Arc<dyn Sinks>,
}

/// The handler of the lane.
pub(crate) fn handler(services: &Services) -> Follow<Record> {
    let record = Record { activity: services.activity.clone(), sinks: services.sinks.clone() };
    Follow { sinks: services.sinks.clone(), follower: record }
}

#[async_trait]
impl Follower for Record {
    const SINK: Sink = Sink::Record;

    async fn take_in(&self, workspace: WorkspaceId, changes: &[Change], _more: bool) -> PortResult<()> {
        let seq = changes.last().map_or(0, |change| change.seq);
        self.activity.append(changes).await?;
        self.sinks.mark(Sink::Record, workspace, seq).await
    }
}
