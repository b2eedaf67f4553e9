//! Who was told of a task's changes, when and how, or why not.

use std::sync::Arc;

use fairy_jobs::{
    id::{DeliveryId, NoticeId, UserId},
    notice::{DeliveryReceipt, DeliveryState, Reason, Receipt},
    problem::Problem,
    rights::Action,
    text::Name,
};
use poem_openapi::{Object, OpenApi, param::Path};

use super::Topic;
use crate::{
    auth::Caller,
    front::Front,
    shape::{
        CALLER, Instant, ListOf, Nullable, PageParams, Params, QUERY, Refused, Reply, Shown, Shows, TARGET,
    },
};

/// What can be shown of one person and some changes.
#[derive(Object)]
#[oai(rename = "Receipt")]
pub(crate) struct ReceiptView {
    /// The notice; null where the person was not to be told at all.
    notice: Nullable<Shown<NoticeId>>,
    /// Who.
    person: ReceiverView,
    /// Why they are concerned; null for who made the changes.
    reason: Nullable<Shown<Reason>>,
    /// The changes, by `seq`.
    changes: Vec<u64>,
    /// The messages, oldest first.
    deliveries: Vec<DeliveryView>,
    /// Why they were not told; null where they were, or may be still.
    not_told: Nullable<String>,
}

/// Somebody who is told, or not.
#[derive(Object)]
#[oai(rename = "Receiver")]
struct ReceiverView {
    /// Their id.
    id: Shown<UserId>,
    /// What they are called.
    name: Shown<Name>,
}

/// One message.
#[derive(Object)]
#[oai(rename = "Delivery")]
struct DeliveryView {
    /// Its id.
    id: Shown<DeliveryId>,
    /// By which way: `mail`.
    channel: String,
    /// How far it is: `pending` waits for its next attempt, `sending` was begun, `sent` was taken over by the mail server
    /// or written to a file, `failed` was refused or given up, `dropped` was not sent because the reason for it is gone.
    state: Shown<DeliveryState>,
    /// How often it was begun.
    attempts: u32,
    /// What the mail server answered when it took it over, or the file's name.
    provider_id: Nullable<String>,
    /// Why it was not sent, or not yet: what became of the last attempt, or what it waits for.
    error: Nullable<String>,
    /// When it was sent, or given up.
    finished_at: Nullable<Shown<Instant>>,
    /// When the next attempt is due, while it is `pending`.
    due_at: Nullable<Shown<Instant>>,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        Self {
            notice: Nullable(receipt.notice.map(Shown)),
            person: ReceiverView { id: Shown(receipt.person), name: Shown(receipt.name) },
            reason: Nullable(receipt.reason.map(Shown)),
            changes: receipt.changes,
            deliveries: receipt.deliveries.into_iter().map(DeliveryView::from).collect(),
            not_told: Nullable(receipt.not_told),
        }
    }
}

impl From<DeliveryReceipt> for DeliveryView {
    fn from(delivery: DeliveryReceipt) -> Self {
        Self {
            id: Shown(delivery.id),
            channel: delivery.channel,
            state: Shown(delivery.state),
            attempts: delivery.attempts,
            provider_id: Nullable(delivery.provider_id),
            error: Nullable(delivery.error),
            finished_at: Nullable(delivery.finished_at.map(Instant).map(Shown)),
            due_at: Nullable(delivery.due_at.map(Instant).map(Shown)),
        }
    }
}

/// The receipts.
pub(crate) struct ReceiptRoutes(pub Arc<Front>);

#[OpenApi(tag = "Topic::History")]
impl ReceiptRoutes {
    /// Show who was told of a task's changes
    ///
    /// Newest first: per person when and how, or why not; what concerns nobody but whoever did it tells nobody, and is not
    /// listed, nor is who watches, which tells nobody. Of a deleted task by its id. While the mail server cannot be used,
    /// messages wait up to five days, which costs no attempt.
    #[oai(path = "/workspaces/:ws/tasks/:task/receipts", method = "get", operation_id = "list_receipts")]
    async fn list(
        &self,
        caller: Caller,
        ws: Path<String>,
        task: Path<String>,
        params: Params<PageParams>,
    ) -> Result<Reply<Shows<ListOf<ReceiptView>>>, Refused<{ CALLER | TARGET | QUERY }>> {
        let place = self.0.place(&caller, &ws.0, Action::Read).await?;
        let (task, certain) = self.0.task_with_history(place.workspace, &task.0).await?;
        let page = self.0.services.notices.receipts(place.workspace, task, params.page()?).await?;
        if page.items.is_empty() && !certain {
            return Err(Problem::not_found("task").into());
        }
        Ok(Reply::show(&ListOf::of(page, ReceiptView::from)))
    }
}
