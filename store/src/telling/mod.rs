//! Telling people: notices, the deliveries that carry them, and what can be shown of both.

mod contents;
pub(crate) mod deliveries;
mod notices;
mod receipts;
mod settle;

use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    id::{DeliveryId, TaskId, WorkspaceId},
    notice::{Beginning, Delivery, Notice, Receipt},
    page::{Page, PageRequest},
    ports::{Attempt, Begun, Deliveries, DeliveryContent, NewDelivery, Notices, PortResult, Told, Wait},
};
use jiff::Timestamp;

pub(crate) use self::deliveries::Letter;
use crate::Store;

/// The most deliveries that one call begins or reads.
const MOST_AT_ONCE: usize = 100;
/// The most deliveries that one call finds.
const MOST_DUE: usize = 500;

#[async_trait]
impl Notices for Store {
    async fn tell(
        &self,
        workspace: WorkspaceId,
        notices: &[(Notice, NewDelivery)],
        seq: u64,
        at: Timestamp,
    ) -> PortResult<Told> {
        let notices = notices.to_vec();
        self.write(move |c| Box::pin(async move { notices::tell(c, workspace, &notices, (seq, at)).await }))
            .await
    }

    async fn receipts(
        &self,
        workspace: WorkspaceId,
        task: TaskId,
        page: PageRequest,
    ) -> PortResult<Page<Receipt>> {
        receipts::receipts(&mut self.browse().await?, workspace, task, &page).await
    }
}

#[async_trait]
impl Deliveries for Store {
    async fn begin(
        &self,
        ids: &[DeliveryId],
        how: Beginning,
        lease: Duration,
        at: Timestamp,
    ) -> PortResult<Begun> {
        let ids = ids.iter().copied().take(MOST_AT_ONCE).collect::<Vec<_>>();
        self.write(move |c| Box::pin(async move { deliveries::begin(c, &ids, how, (lease, at)).await })).await
    }

    async fn put_off(&self, ids: &[DeliveryId], wait: &Wait, at: Timestamp) -> PortResult<u64> {
        let ids = ids.iter().copied().take(MOST_AT_ONCE).collect::<Vec<_>>();
        let wait = wait.clone();
        self.write(move |c| Box::pin(async move { deliveries::put_off(c, &ids, &wait, at).await })).await
    }

    async fn give_up(&self, id: DeliveryId, error: &str, at: Timestamp) -> PortResult<()> {
        let error = error.to_owned();
        self.write(move |c| Box::pin(async move { deliveries::give_up(c, id, &error, at).await })).await
    }

    async fn free_begun(&self, at: Timestamp) -> PortResult<u64> {
        self.write(move |c| Box::pin(async move { deliveries::free_begun(c, at).await })).await
    }

    async fn contents(&self, deliveries: &[Delivery]) -> PortResult<Vec<DeliveryContent>> {
        contents::contents(&mut self.read().await?, deliveries).await
    }

    async fn settle(&self, ends: &[(DeliveryId, u32, Attempt)], at: Timestamp) -> PortResult<()> {
        let ends = ends.to_vec();
        self.write(move |c| Box::pin(async move { settle::settle(c, &ends, at).await })).await
    }

    async fn next_due(&self, id: DeliveryId) -> PortResult<Option<Timestamp>> {
        deliveries::next_due(&mut self.read().await?, id).await
    }

    async fn due(&self, before: Timestamp, limit: usize) -> PortResult<Vec<DeliveryId>> {
        deliveries::due(&mut self.read().await?, before, limit.min(MOST_DUE)).await
    }
}
