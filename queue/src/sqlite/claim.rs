//! Handing out: who gets which jobs next.
//!
//! A claim reads index entries of what it can hand out and of nothing else, at most 500 jobs. A suspect (a job that
//! was handed out before without an answer) is only handed out while no other suspect is in hand, in any lane, so that
//! a crash can be laid at one door; see `take_over`.

use std::collections::HashMap;
use std::time::Duration;

use crate::{Ask, Claimed, Doom, Hand, RawJob, Token};

use super::command::LaneRef;
use super::due;
use super::push::job_id;
use super::take_over::take_over;
use super::transaction::{Transaction, int, json, millis};

/// Most jobs in one claim.
const MAX_JOBS: usize = 500;
/// Most index entries of groups looked at in one claim.
const MAX_LOOKS: usize = 1_024;

const PEEK: &str = "
SELECT
    paused,
    EXISTS (SELECT 1 FROM hands WHERE lane = ?1 AND expires_at <= ?2),
    EXISTS (SELECT 1 FROM jobs WHERE lane = ?1 AND state = 1 AND due <= ?2)
        OR EXISTS (SELECT 1 FROM groups WHERE lane = ?1 AND state = 3 AND due <= ?2),
    (
        EXISTS (SELECT 1 FROM jobs WHERE lane = ?1 AND state = 3)
        OR EXISTS (SELECT 1 FROM groups WHERE lane = ?1 AND state = 4 AND paused = 0)
    ) AND NOT EXISTS (SELECT 1 FROM hands WHERE alone = 1)
FROM lanes
WHERE id = ?1
";

const PICK_SUSPECT_PLAIN: &str = "
SELECT NULL, seq, true, false
FROM jobs
WHERE lane = ?1 AND state = 3
ORDER BY seq
LIMIT 1
";

const PICK_SUSPECT_GROUPED: &str = "
SELECT picked.id, j.seq, true, false
FROM (
    SELECT id FROM groups WHERE lane = ?1 AND state = 4 AND paused = 0 ORDER BY turn LIMIT 1
) AS picked
CROSS JOIN jobs AS j ON j.grp = picked.id AND j.state = 0 AND j.grp IS NOT NULL
ORDER BY j.seq
LIMIT 1
";

const PICK_PLAIN: &str = "
SELECT NULL, seq, doom IS NOT NULL, false
FROM jobs
WHERE lane = ?1 AND state = 0
ORDER BY seq
LIMIT ?2
";

const PICK_GROUPED: &str = "
SELECT picked.id, j.seq, j.doom IS NOT NULL, j.suspect
FROM (
    SELECT id, turn FROM groups WHERE lane = ?1 AND state = 1 AND paused = 0 ORDER BY turn LIMIT ?2
) AS picked
CROSS JOIN jobs AS j ON j.seq IN (
    SELECT seq FROM jobs WHERE grp = picked.id AND state = 0 AND grp IS NOT NULL ORDER BY seq LIMIT ?3
)
ORDER BY picked.turn, picked.id, j.seq
LIMIT ?4
";

const TAKE_JOBS: &str = "
UPDATE jobs
SET state = 2, hand = v.token
FROM (SELECT value ->> 0 AS id, value ->> 1 AS token FROM json_each(?1)) AS v
WHERE jobs.seq = v.id
RETURNING seq, payload, attempts, needs, pushed_at, unique_key, tag, trace, doom, doomed_at, history
";

const TAKE_GROUPS: &str = "
UPDATE groups
SET state = 2
WHERE id IN (SELECT value FROM json_each(?1))
RETURNING id, name
";

const INSERT_HANDS: &str = "
INSERT INTO hands (token, lane, grp, alone, expires_at, worker, jobs)
SELECT value ->> 0, ?2, value ->> 1, value ->> 2, ?3, ?4, value ->> 3
FROM json_each(?1);

SELECT min(at)
FROM (
    SELECT min(due) AS at FROM jobs WHERE lane = ?2 AND state = 1
    UNION ALL
    SELECT min(due) FROM groups WHERE lane = ?2 AND state = 3
    UNION ALL
    SELECT min(expires_at) FROM hands WHERE lane = ?2
)
";

/// A job to hand out: its group, its number, whether it must be alone, whether it is a suspect.
type Pick = (Option<i64>, i64, bool, bool);

/// A hand-out in the making: its token, group, whether it takes the suspects' place, and its jobs.
type Draft = (i64, Option<i64>, bool, Vec<i64>);

type Row = (
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
);

/// Hands out what the lane has, up to what is asked.
pub(super) async fn claim(
    tx: &mut Transaction<'_>,
    lane: &LaneRef,
    ask: &Ask,
) -> Result<Claimed, sqlx::Error> {
    let id = tx.lane(lane.name)?;
    let (paused, mut lapsed, mut due, mut suspect) = peek(tx, id).await?;
    if paused {
        return Ok(Claimed::default());
    }
    if lapsed {
        take_over(tx, id, lane.batch).await?;
    }
    if due {
        due::promote(tx, id).await?;
    }
    if lapsed || due {
        (_, lapsed, due, suspect) = peek(tx, id).await?;
    }
    let mut drafts = Vec::new();
    if suspect {
        let text = if lane.grouped { PICK_SUSPECT_GROUPED } else { PICK_SUSPECT_PLAIN };
        let picks: Vec<Pick> = sqlx::query_as(text).bind(id).fetch_all(&mut *tx.conn).await?;
        draft(tx, &mut drafts, &picks, lane.batch, 1);
        drafts.iter_mut().for_each(|draft: &mut Draft| draft.2 = true);
    }
    let (picks, cut) = pick(tx, id, lane, ask.hands.saturating_sub(drafts.len())).await?;
    draft(tx, &mut drafts, &picks, lane.batch, ask.hands);
    let hands = take(tx, id, &drafts).await?;
    let next = note(tx, id, lane, &drafts, ask).await?;
    let again_in = if lapsed || due || cut { Some(Duration::ZERO) } else { next };
    Ok(Claimed { hands, again_in })
}

async fn peek(tx: &mut Transaction<'_>, lane: i64) -> Result<(bool, bool, bool, bool), sqlx::Error> {
    sqlx::query_as(PEEK).bind(lane).bind(tx.now).fetch_one(&mut *tx.conn).await
}

/// Looks for jobs to hand out; also says whether a bound of this claim, and not the lane, was reached.
async fn pick(
    tx: &mut Transaction<'_>,
    id: i64,
    lane: &LaneRef,
    hands: usize,
) -> Result<(Vec<Pick>, bool), sqlx::Error> {
    if hands == 0 {
        return Ok((Vec::new(), false));
    }
    if lane.grouped {
        let most = (MAX_LOOKS / lane.batch).max(1);
        let picks: Vec<Pick> = sqlx::query_as(PICK_GROUPED)
            .bind(id)
            .bind(int(hands.min(most)))
            .bind(int(lane.batch))
            .bind(int(MAX_JOBS))
            .fetch_all(&mut *tx.conn)
            .await?;
        let cut = picks.len() == MAX_JOBS || (hands > most && !picks.is_empty());
        return Ok((picks, cut));
    }
    let wanted = hands.saturating_mul(lane.batch);
    let most = wanted.min(MAX_JOBS);
    let picks: Vec<Pick> =
        sqlx::query_as(PICK_PLAIN).bind(id).bind(int(most)).fetch_all(&mut *tx.conn).await?;
    let cut = picks.len() == most && most < wanted;
    Ok((picks, cut))
}

/// Cuts picks into hand-outs: of one group, not over a batch, a doomed job alone, nothing from a suspect on.
fn draft(tx: &mut Transaction<'_>, drafts: &mut Vec<Draft>, picks: &[Pick], batch: usize, most: usize) {
    let mut sealed = true;
    let mut blocked = None;
    for (group, seq, alone, suspect) in picks {
        if group.is_some() && blocked == Some(*group) {
            continue;
        }
        let joins =
            drafts.last().is_some_and(|last| !sealed && !alone && last.1 == *group && last.3.len() < batch);
        if *suspect || (group.is_some() && !joins && drafts.last().is_some_and(|last| last.1 == *group)) {
            blocked = Some(*group);
            continue;
        }
        if !joins {
            if drafts.len() >= most {
                break;
            }
            tx.counters.token += 1;
            drafts.push((tx.counters.token, *group, false, Vec::new()));
        }
        sealed = *alone;
        if let Some(last) = drafts.last_mut() {
            last.3.push(*seq);
        }
    }
}

/// Marks the jobs as in hand and reads them.
async fn take(tx: &mut Transaction<'_>, id: i64, drafts: &[Draft]) -> Result<Vec<Hand>, sqlx::Error> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let pairs: Vec<(i64, i64)> =
        drafts.iter().flat_map(|draft| draft.3.iter().map(|seq| (*seq, draft.0))).collect();
    let rows: Vec<Row> = sqlx::query_as(TAKE_JOBS).bind(json(&pairs)?).fetch_all(&mut *tx.conn).await?;
    let groups: Vec<i64> = drafts.iter().filter_map(|draft| draft.1).collect();
    let names: HashMap<i64, String> = if groups.is_empty() {
        HashMap::new()
    } else {
        let named: Vec<(i64, String)> =
            sqlx::query_as(TAKE_GROUPS).bind(json(&groups)?).fetch_all(&mut *tx.conn).await?;
        named.into_iter().collect()
    };
    let delta = tx.delta(id);
    delta.waiting -= int(pairs.len());
    delta.in_flight += int(pairs.len());
    let mut rows: HashMap<i64, Row> = rows.into_iter().map(|row| (row.0, row)).collect();
    let hand = |draft: &Draft| {
        let group = draft.1.and_then(|group| names.get(&group));
        let jobs = draft.3.iter().filter_map(|seq| rows.remove(seq)).map(|row| raw(row, group)).collect();
        Hand { token: Token(draft.0.unsigned_abs()), jobs }
    };
    Ok(drafts.iter().map(hand).collect())
}

/// Notes the hand-outs with their leases; returns how long until something of the lane falls due or lapses.
async fn note(
    tx: &mut Transaction<'_>,
    id: i64,
    lane: &LaneRef,
    drafts: &[Draft],
    ask: &Ask,
) -> Result<Option<Duration>, sqlx::Error> {
    let hands: Vec<(i64, Option<i64>, i64, &[i64])> =
        drafts.iter().map(|draft| (draft.0, draft.1, i64::from(draft.2), draft.3.as_slice())).collect();
    let next: Option<i64> = sqlx::query_scalar(INSERT_HANDS)
        .bind(json(&hands)?)
        .bind(id)
        .bind(tx.now + millis(lane.lease))
        .bind(&ask.worker)
        .fetch_one(&mut *tx.conn)
        .await?;
    Ok(next.map(|at| Duration::from_millis(u64::try_from(at - tx.now).unwrap_or(0))))
}

fn raw(row: Row, group: Option<&String>) -> RawJob {
    let (seq, payload, attempts, needs, pushed_at, unique_key, tag, trace, doom, doomed_at, history) = row;
    let doom = doom.map(|error| Doom {
        error,
        at: doomed_at.unwrap_or(pushed_at),
        history: history.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
    });
    let group = group.cloned();
    RawJob {
        id: job_id(seq),
        payload,
        group,
        attempts,
        doomed: doom,
        needs,
        pushed_at,
        unique_key,
        tag,
        trace,
    }
}
