//! Hand-outs: jobs marked as in hand, read, and noted with a lease.

use std::collections::HashMap;

use crate::{Ask, Doom, Hand, RawJob, Token};

use super::command::LaneRef;
use super::push::job_id;
use super::transaction::{Asked, Transaction, int, json, millis};

const TAKE_JOBS: &str = "
UPDATE jobs
SET state = 2, hand = v.token
FROM (SELECT value ->> 0 AS id, value ->> 1 AS token FROM json_each(?1)) AS v
WHERE jobs.seq = v.id
RETURNING seq, payload, attempts, needs, pushed_at, unique_key, tag, trace, doom, doomed_at, history,
    crashes
";

const NOTE_HANDS: &str = "
UPDATE groups
SET state = 2
WHERE id IN (SELECT value ->> 1 FROM json_each(?1));

INSERT INTO hands (token, lane, grp, alone, expires_at, worker, jobs)
SELECT value ->> 0, ?2, value ->> 1, value ->> 2, ?3, ?4, value ->> 3
FROM json_each(?1)
";

/// Whether a hand-out takes a place of which there is only one; as numbered in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    /// It is one of many.
    No = 0,
    /// The one suspect of its lane.
    Suspect = 1,
    /// The one accused of all lanes.
    Accused = 2,
    /// The one suspect of its lane, but several jobs.
    Cohort = 3,
}

/// A hand-out in the making.
pub(super) struct Draft {
    /// Its fencing token.
    pub token: i64,
    /// The group it is of.
    pub group: Option<i64>,
    /// That group's name.
    pub name: Option<String>,
    /// Whether it takes a place for suspects.
    pub alone: Alone,
    /// Its jobs, in order.
    pub jobs: Vec<i64>,
}

/// A job as it is taken.
pub(super) type Row = (
    i64,
    Vec<u8>,
    u32,
    u32,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<String>,
    u32,
);

/// Jobs that are being marked as in hand and read.
pub(super) type Taking = Asked<Row>;

/// Marks the jobs as in hand and asks for them.
pub(super) fn take(
    tx: &mut Transaction<'_>,
    id: i64,
    drafts: &[Draft],
) -> Result<Option<Taking>, sqlx::Error> {
    if drafts.is_empty() {
        return Ok(None);
    }
    let pairs: Vec<(i64, i64)> =
        drafts.iter().flat_map(|draft| draft.jobs.iter().map(|seq| (*seq, draft.token))).collect();
    let delta = tx.delta(id);
    delta.waiting -= int(pairs.len());
    delta.in_flight += int(pairs.len());
    Ok(Some(tx.statement(TAKE_JOBS).bind(json(&pairs)?).ask()))
}

/// The hand-outs with the jobs that were taken for them.
pub(super) async fn taken(
    tx: &mut Transaction<'_>,
    drafts: &[Draft],
    taking: Taking,
) -> Result<Vec<Hand>, sqlx::Error> {
    let rows = tx.rows(taking).await?;
    let mut rows: HashMap<i64, Row> = rows.into_iter().map(|row| (row.0, row)).collect();
    let hand = |draft: &Draft| {
        let name = draft.name.as_ref();
        let jobs = draft.jobs.iter().filter_map(|seq| rows.remove(seq)).map(|row| raw(row, name)).collect();
        Hand { token: Token(draft.token.unsigned_abs()), jobs }
    };
    Ok(drafts.iter().map(hand).collect())
}

/// Notes the hand-outs with their leases, and returns when those end, epoch ms; `None` when there are none.
pub(super) fn note(
    tx: &mut Transaction<'_>,
    id: i64,
    lane: &LaneRef,
    drafts: &[Draft],
    ask: &Ask,
) -> Result<Option<i64>, sqlx::Error> {
    if drafts.is_empty() {
        return Ok(None);
    }
    let row = |draft: &'_ Draft| (draft.token, draft.group, draft.alone as i64, draft.jobs.clone());
    let hands: Vec<(i64, Option<i64>, i64, Vec<i64>)> = drafts.iter().map(row).collect();
    let ends = tx.now + millis(lane.lease);
    tx.statement(NOTE_HANDS).bind(json(&hands)?).bind(id).bind(ends).bind(ask.worker.clone());
    Ok(Some(ends))
}

fn raw(row: Row, group: Option<&String>) -> RawJob {
    let (seq, payload, attempts, needs, pushed_at, unique_key, tag, trace, doom, doomed_at, history, crashes) =
        row;
    let doomed = doom.map(|error| Doom {
        error,
        at: doomed_at.unwrap_or(pushed_at),
        history: history.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
        crashes,
    });
    let group = group.cloned();
    RawJob { id: job_id(seq), payload, group, attempts, doomed, needs, pushed_at, unique_key, tag, trace }
}
