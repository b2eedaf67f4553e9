//! How attempts ended.

use std::collections::BTreeMap;

use fairy_jobs::{
    id::DeliveryId,
    notice::DeliveryState,
    ports::{Attempt, PortResult},
};
use jiff::Timestamp;

use super::deliveries::cut;
use crate::driver::{Connection, Row, Text, Value, args};

const SENDING: Text = Text {
    sqlite: "\
SELECT id, subject_kind, subject, channel, address, attempts, failures, created_at
FROM deliveries
WHERE state = 'sending' AND id IN {list}",
    mysql: "\
SELECT id, subject_kind, subject, channel, address, attempts, failures, created_at
FROM deliveries FORCE INDEX (PRIMARY)
WHERE state = 'sending' AND id IN {list}
FOR UPDATE",
};

/// The rows were just read under the same lock; what is not set keeps its value.
const SETTLE: Text = Text {
    sqlite: "\
INSERT INTO deliveries (id, subject_kind, subject, channel, address, attempts, created_at, failures, deaths, state, due_at, finished_at, provider_id, error)
VALUES {rows}
ON CONFLICT (id) DO UPDATE
SET failures = excluded.failures, deaths = excluded.deaths, state = excluded.state, due_at = excluded.due_at,
    finished_at = excluded.finished_at, provider_id = excluded.provider_id, error = excluded.error",
    mysql: "\
INSERT INTO deliveries (id, subject_kind, subject, channel, address, attempts, created_at, failures, deaths, state, due_at, finished_at, provider_id, error)
VALUES {rows}
ON DUPLICATE KEY UPDATE
    failures = VALUES(failures), deaths = VALUES(deaths), state = VALUES(state), due_at = VALUES(due_at),
    finished_at = VALUES(finished_at), provider_id = VALUES(provider_id), error = VALUES(error)",
};

struct Sending {
    kind: String,
    subject: [u8; 16],
    channel: String,
    address: String,
    attempts: u32,
    failures: u32,
    created_at: Timestamp,
}

/// Records the ends of attempts; one whose lease ran out and that somebody else has begun since is left alone.
pub(super) async fn settle(
    c: &mut Connection<'_>,
    ends: &[(DeliveryId, u32, Attempt)],
    at: Timestamp,
) -> PortResult<()> {
    let list = ends.iter().map(|(id, ..)| Value::from(*id)).collect();
    let rows = c.rows_in(SENDING, vec![], list).await?;
    let sending = rows.iter().map(read).collect::<PortResult<BTreeMap<DeliveryId, Sending>>>()?;
    let mut settled = BTreeMap::new();
    for (id, attempt, end) in ends {
        if let Some(held) = sending.get(id).filter(|held| held.attempts == *attempt) {
            settled.insert(*id, row(*id, held, end, at));
        }
    }
    c.later_rows(SETTLE, 14, settled.into_values().flatten().collect()).await
}

fn read(row: &Row) -> PortResult<(DeliveryId, Sending)> {
    let mut columns = row.columns();
    let id = columns.next()?;
    let sending = Sending {
        kind: columns.next()?,
        subject: columns.next()?,
        channel: columns.next()?,
        address: columns.next()?,
        attempts: columns.next()?,
        failures: columns.next()?,
        created_at: columns.next()?,
    };
    Ok((id, sending))
}

fn row(id: DeliveryId, held: &Sending, end: &Attempt, at: Timestamp) -> Vec<Value> {
    let (state, due_at, provider_id, error) = match end {
        Attempt::Sent { provider_id } => (DeliveryState::Sent, None, Some(cut(provider_id)), None),
        Attempt::Later { due_at, error } | Attempt::Waits { due_at, error } => {
            (DeliveryState::Pending, Some(*due_at), None, Some(cut(error)))
        }
        Attempt::Failed { error } => (DeliveryState::Failed, None, None, Some(cut(error))),
        Attempt::Dropped { reason } => (DeliveryState::Dropped, None, None, Some(cut(reason))),
    };
    let failures = held.failures + u32::from(matches!(end, Attempt::Later { .. }));
    let finished_at = if due_at.is_none() { Some(at) } else { None };
    args![
        id,
        held.kind.as_str(),
        held.subject,
        held.channel.as_str(),
        held.address.as_str(),
        held.attempts,
        held.created_at,
        failures,
        0_u32,
        state.as_str(),
        due_at,
        finished_at,
        provider_id,
        error
    ]
}
