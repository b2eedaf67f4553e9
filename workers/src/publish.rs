//! Lane `publish`: puts changes on the event bus.
//!
//! A repeat is harmless in the way that buses are: an event may come twice, and carries its workspace and `seq`, by which
//! its readers know it. It comes twice only if this process dies between the bus's answer and the mark.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::WorkspaceId,
    lane::Sink,
    ports::{EventBus, PortResult, Sinks},
};

use crate::{
    Services,
    follow::{Follow, Follower},
};

/// Publishes events.
pub(crate) struct Publish {
    pub bus: Arc<dyn EventBus>,
    pub sinks: Arc<dyn Sinks>,
}

/// The handler of the lane, where there is a bus.
pub(crate) fn handler(services: &Services) -> Option<Follow<Publish>> {
    let publish = Publish { bus: services.bus.clone()?, sinks: services.sinks.clone() };
    Some(Follow { sinks: services.sinks.clone(), follower: publish })
}

#[async_trait]
impl Follower for Publish {
    const SINK: Sink = Sink::Publish;

    async fn take_in(&self, workspace: WorkspaceId, changes: &[Change], _more: bool) -> PortResult<()> {
        let seq = changes.last().map_or(0, |change| change.seq);
        self.bus.publish(changes).await?;
        self.sinks.mark(Sink::Publish, workspace, seq).await
    }
}
