//! What can be shown of the notices about a task.
//!
//! Newest first, and before the notices of an operation its actor, who is concerned but never told. All changes of an
//! operation follow each other in the feed, so its notices do in this list.

use std::collections::{BTreeMap, BTreeSet};

use fairy_jobs::{
    change::Change,
    id::{DeliveryId, NoticeId, OperationId, TaskId, UserId, WorkspaceId},
    notice::{DeliveryReceipt, DeliveryState, Reason, Receipt},
    page::{Page, PageRequest},
    ports::{PortError, PortResult},
    text::Name,
};
use jiff::Timestamp;

use crate::{
    accounts::users,
    driver::{Column, Connection, Json, Row, Text, Value, args},
    feed,
    page::{List, Place},
};

const NEWEST: Text = Text {
    sqlite: "\
SELECT id, person, operation, reason, changes, last_seq, not_told
FROM notices
WHERE workspace = ? AND task = ? AND (last_seq, id) < (?, ?)
ORDER BY last_seq DESC, id DESC
LIMIT ?",
    mysql: "\
SELECT id, person, operation, reason, changes, last_seq, not_told
FROM notices FORCE INDEX (notices_by_task)
WHERE workspace = ?1 AND task = ?2 AND (last_seq < ?3 OR (last_seq = ?3 AND id < ?4))
ORDER BY last_seq DESC, id DESC
LIMIT ?5",
};

const DELIVERIES: &str = "\
SELECT subject, id, channel, state, attempts, provider_id, error, finished_at, due_at
FROM deliveries
WHERE subject_kind = 'notice' AND subject IN {list}";

/// What a receipt says of whoever did it.
const ACTOR: &str = "did it";

struct Entry {
    id: NoticeId,
    person: UserId,
    operation: Option<OperationId>,
    reason: Reason,
    changes: Vec<u64>,
    last_seq: u64,
    not_told: Option<String>,
}

pub(super) async fn receipts(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    task: TaskId,
    request: &PageRequest,
) -> PortResult<Page<Receipt>> {
    let list = List::of(&[b"receipts", &workspace.to_bytes(), &task.to_bytes()]);
    let from = list.keyed(request, Place::LAST)?;
    let rows = c.rows(NEWEST, args![workspace, task, from.key, from.id, request.limit.get() + 1]).await?;
    let entries = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    let people: Vec<UserId> = entries.iter().map(|entry| entry.person).collect();
    let names = users::users(c, &people).await?.into_iter().map(|user| (user.id, user.name)).collect();
    let mut deliveries = deliveries(c, &entries).await?;
    // Of the place where the page before ended, too: the actor of an operation is shown once.
    let seen = u64::try_from(from.key).ok().filter(|_| request.cursor.is_some());
    let seqs: Vec<u64> = entries.iter().map(|entry| entry.last_seq).chain(seen).collect();
    let changes: BTreeMap<u64, Change> =
        feed::by_seq(c, workspace, &seqs).await?.into_iter().map(|change| (change.seq, change)).collect();
    // Each person's notice names the changes that concern them; whoever made them made all of these.
    let mut made: BTreeMap<Option<OperationId>, BTreeSet<u64>> = BTreeMap::new();
    for entry in &entries {
        made.entry(entry.operation).or_default().extend(&entry.changes);
    }
    let mut shown = seen.and_then(|seq| changes.get(&seq)).and_then(|change| change.operation);
    let mut items = Vec::new();
    for entry in entries {
        let place = |id| Place { key: i64::try_from(entry.last_seq).unwrap_or(i64::MAX), id };
        if shown.is_none() || shown != entry.operation {
            shown = entry.operation;
            let made = made.get(&entry.operation).into_iter().flatten().copied().collect();
            let actor = changes.get(&entry.last_seq).map(|change| actor(change, made));
            items.extend(actor.map(|receipt| (place(Place::LAST.id), receipt)));
        }
        let told = deliveries.remove(&entry.id).unwrap_or_default();
        items.push((place(entry.id.to_bytes()), receipt(entry, told, &names)?));
    }
    Ok(list.page(items, request, |(place, _)| *place).map(|(_, receipt)| receipt))
}

fn read(row: &Row) -> PortResult<Entry> {
    let mut columns = row.columns();
    Ok(Entry {
        id: columns.next()?,
        person: columns.next()?,
        operation: columns.next()?,
        reason: columns.next()?,
        changes: columns.next::<Json<_>>()?.0,
        last_seq: columns.next()?,
        not_told: columns.next()?,
    })
}

fn actor(change: &Change, changes: Vec<u64>) -> Receipt {
    Receipt {
        notice: None,
        person: change.actor,
        name: change.actor_name.clone(),
        reason: None,
        changes,
        deliveries: Vec::new(),
        not_told: Some(ACTOR.to_owned()),
    }
}

fn receipt(
    entry: Entry,
    deliveries: Vec<DeliveryReceipt>,
    names: &BTreeMap<UserId, Name>,
) -> PortResult<Receipt> {
    let name = names.get(&entry.person).cloned();
    let name = name.ok_or_else(|| PortError::Broken(format!("{} has no account", entry.person)))?;
    let in_vain =
        |delivery: &DeliveryReceipt| matches!(delivery.state, DeliveryState::Dropped | DeliveryState::Failed);
    let last = deliveries.last().filter(|_| deliveries.iter().all(in_vain));
    let not_told = entry.not_told.or_else(|| last.and_then(|delivery| delivery.error.clone()));
    Ok(Receipt {
        notice: Some(entry.id),
        person: entry.person,
        name,
        reason: Some(entry.reason),
        changes: entry.changes,
        deliveries,
        not_told,
    })
}

async fn deliveries(
    c: &mut Connection<'_>,
    entries: &[Entry],
) -> PortResult<BTreeMap<NoticeId, Vec<DeliveryReceipt>>> {
    let ids = entries.iter().map(|entry| Value::from(entry.id)).collect();
    let rows = c.rows_in(DELIVERIES, vec![], ids).await?;
    let mut deliveries: BTreeMap<NoticeId, Vec<DeliveryReceipt>> = BTreeMap::new();
    for row in &rows {
        let mut columns = row.columns();
        let notice = columns.next()?;
        let mut delivery = DeliveryReceipt {
            id: columns.next::<DeliveryId>()?,
            channel: columns.next()?,
            state: columns.next()?,
            attempts: columns.next()?,
            provider_id: columns.next()?,
            error: columns.next()?,
            finished_at: columns.next::<Option<Timestamp>>()?,
            due_at: columns.next()?,
        };
        // While it is being sent, the row's time is the end of the lease.
        delivery.due_at = delivery.due_at.filter(|_| delivery.state == DeliveryState::Pending);
        deliveries.entry(notice).or_default().push(delivery);
    }
    deliveries.values_mut().for_each(|list| list.sort_by_key(|delivery| delivery.id));
    Ok(deliveries)
}

impl Column for DeliveryState {
    fn read(row: &Row, at: usize) -> Option<Self> {
        let name = String::read(row, at)?;
        [Self::Pending, Self::Sending, Self::Sent, Self::Failed, Self::Dropped]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}
