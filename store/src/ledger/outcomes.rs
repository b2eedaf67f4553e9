//! How operations ended, as rows.

use std::borrow::Cow;

use fairy_jobs::{
    id::OperationId,
    operation::{End, Fingerprint, Outcome, ResourceRef},
    ports::{PortError, PortResult},
};
use serde::{Deserialize, Serialize};

use crate::{
    accounts::users::json,
    driver::{Column, Connection, Json, Row, Text, Value, args},
};

const WIDTH: usize = 8;

/// The rows are there, inserted by the claim.
const WRITE: Text = Text {
    sqlite: "\
INSERT INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}
ON CONFLICT (id) DO UPDATE
SET finished_at = excluded.finished_at, outcome = excluded.outcome",
    mysql: "\
INSERT INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}
ON DUPLICATE KEY UPDATE finished_at = VALUES(finished_at), outcome = VALUES(outcome)",
};

const FAIL: Text = Text {
    sqlite: "\
INSERT INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}
ON CONFLICT (id) DO NOTHING",
    mysql: "\
INSERT INTO operations (id, workspace, actor, fingerprint, batch, accepted_at, finished_at, outcome)
VALUES {rows}
ON DUPLICATE KEY UPDATE id = operations.id",
};

/// The rows of one batch are left out: between its claim and its end they have no outcome yet.
const STORED: &str = "\
SELECT id, workspace, actor, fingerprint, accepted_at, finished_at, outcome
FROM operations
WHERE batch <> ? AND id IN {list}";

/// A row is committed together with its outcome.
const KNOWN: &str = "\
SELECT id
FROM operations
WHERE id IN {list}";

/// The token of no batch.
pub(super) const NO_BATCH: [u8; 0] = [];

#[derive(Serialize, Deserialize)]
struct Document<'a> {
    resource: Cow<'a, ResourceRef>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_of: Option<OperationId>,
    end: Cow<'a, End>,
}

/// Writes the outcomes of operations that this batch has claimed.
pub(super) async fn write(c: &mut Connection<'_>, batch: [u8; 16], outcomes: &[Outcome]) -> PortResult<()> {
    let mut values = Vec::with_capacity(outcomes.len() * WIDTH);
    for outcome in outcomes {
        values.extend(row(batch, outcome)?);
    }
    c.later_rows(WRITE, WIDTH, values).await
}

/// Writes an outcome unless the operation has one; the one that holds.
pub(super) async fn fail(c: &mut Connection<'_>, batch: [u8; 16], outcome: &Outcome) -> PortResult<Outcome> {
    c.run_rows(FAIL, WIDTH, row(batch, outcome)?).await?;
    let held = stored(c, NO_BATCH, &[outcome.id]).await?.pop();
    held.ok_or_else(|| PortError::Broken(format!("{} was not kept", outcome.id)))
}

fn row(batch: [u8; 16], outcome: &Outcome) -> PortResult<Vec<Value>> {
    let document = Document {
        resource: Cow::Borrowed(&outcome.resource),
        retry_of: outcome.retry_of,
        end: Cow::Borrowed(&outcome.end),
    };
    Ok(args![
        outcome.id,
        outcome.workspace,
        outcome.actor,
        outcome.fingerprint.to_bytes(),
        batch,
        outcome.accepted_at,
        outcome.finished_at,
        json(&document)?
    ])
}

/// The outcomes of those of these operations that a batch other than this one has decided, in no order.
pub(super) async fn stored<const N: usize>(
    c: &mut Connection<'_>,
    batch: [u8; N],
    ids: &[OperationId],
) -> PortResult<Vec<Outcome>> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = c.rows_in(STORED, args![batch], list).await?;
    rows.iter().map(read).collect()
}

/// Those of these operations that have a row, in no order.
pub(super) async fn known(c: &mut Connection<'_>, ids: &[OperationId]) -> PortResult<Vec<OperationId>> {
    let list = ids.iter().map(|id| Value::from(*id)).collect();
    let rows = c.rows_in(KNOWN, vec![], list).await?;
    rows.iter().map(Row::only).collect()
}

fn read(row: &Row) -> PortResult<Outcome> {
    let mut columns = row.columns();
    let (id, workspace, actor, fingerprint) =
        (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    let (accepted_at, finished_at) = (columns.next()?, columns.next()?);
    let Json(Document { resource, retry_of, end }) = columns.next()?;
    let (resource, end) = (resource.into_owned(), end.into_owned());
    Ok(Outcome { id, workspace, actor, fingerprint, accepted_at, finished_at, resource, retry_of, end })
}

impl Column for Fingerprint {
    fn read(row: &Row, at: usize) -> Option<Self> {
        <[u8; 32]>::read(row, at).map(Self::from_bytes)
    }
}
