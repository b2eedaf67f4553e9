//! Ports that are counted on their way: the same ports, with a look at the time.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::{OperationId, WorkspaceId},
    operation::{Operation, Outcome},
    page::{Page, PageRequest},
    ports::{
        ActivityLog, ActivityQuery, Applied, EventBus, Ledger, Mail, Mailer, PortError, PortResult,
        SendError, Sent,
    },
};
use jiff::Timestamp;
use tokio::time::Instant;

use super::meters::{Meters, Outlet};

/// A port and who counts its calls.
pub struct Metered<P: ?Sized> {
    /// The port.
    pub port: Arc<P>,
    /// Who counts.
    pub meters: Meters,
}

impl<P: ?Sized> Metered<P> {
    async fn call<T, E>(
        &self,
        outlet: Outlet,
        call: impl Future<Output = Result<T, E>>,
        kind: fn(&E) -> &'static str,
    ) -> Result<T, E> {
        let began = Instant::now();
        let ended = call.await;
        self.meters.called(outlet, began.elapsed(), ended.as_ref().err().map(kind));
        ended
    }
}

#[async_trait]
impl Ledger for Metered<dyn Ledger> {
    async fn apply(
        &self,
        workspace: WorkspaceId,
        operations: &[Operation],
        at: Timestamp,
    ) -> PortResult<Applied> {
        let began = Instant::now();
        let ended = self.port.apply(workspace, operations, at).await;
        let count = ended.as_ref().map(|_| operations.len()).map_err(port_error);
        self.meters.applied(began.elapsed(), count);
        ended
    }

    async fn fail(&self, outcome: &Outcome) -> PortResult<Outcome> {
        self.port.fail(outcome).await
    }

    async fn outcome(&self, id: OperationId) -> PortResult<Option<Outcome>> {
        self.port.outcome(id).await
    }

    async fn known(&self, ids: &[OperationId]) -> PortResult<Vec<OperationId>> {
        self.port.known(ids).await
    }

    async fn outcomes(&self, ids: &[OperationId]) -> PortResult<Vec<Outcome>> {
        self.port.outcomes(ids).await
    }
}

#[async_trait]
impl ActivityLog for Metered<dyn ActivityLog> {
    async fn append(&self, changes: &[Change]) -> PortResult<()> {
        self.call(Outlet::ActivityLog, self.port.append(changes), port_error).await
    }

    async fn entries(&self, query: &ActivityQuery, page: PageRequest) -> PortResult<Page<Change>> {
        self.port.entries(query, page).await
    }
}

#[async_trait]
impl EventBus for Metered<dyn EventBus> {
    async fn publish(&self, changes: &[Change]) -> PortResult<()> {
        self.call(Outlet::Bus, self.port.publish(changes), port_error).await
    }
}

#[async_trait]
impl Mailer for Metered<dyn Mailer> {
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        self.call(Outlet::Mail, self.port.send(mail), send_error).await
    }
}

const fn port_error(error: &PortError) -> &'static str {
    match error {
        PortError::Refused(_) => "refused",
        PortError::Unavailable(_) => "unavailable",
        PortError::Unknown(_) => "unknown",
        PortError::Broken(_) => "broken",
    }
}

const fn send_error(error: &SendError) -> &'static str {
    match error {
        SendError::Temporary { .. } => "temporary",
        SendError::Permanent { .. } => "permanent",
        SendError::Away { .. } => "away",
        SendError::Held { .. } => "held",
    }
}
