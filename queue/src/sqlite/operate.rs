//! What operators do: pause, resume, and decide about dead letters. Everything is written down with who did it.

use std::collections::HashMap;

use crate::{JobId, Which};

use super::account::write_off;
use super::command::{LaneRef, Operation};
use super::fill::{Fill, fill};
use super::push::{job_id, seq};
use super::transaction::{Transaction, int, json};

const PAUSE_LANE: &str = "
UPDATE lanes
SET paused = ?2
WHERE id = ?1
";

const PAUSE_GROUP: &str = "
INSERT INTO groups (lane, name, paused)
VALUES (?1, ?2, ?3)
ON CONFLICT (lane, name) DO UPDATE
SET paused = excluded.paused
";

const FORGET_GROUP: &str = "
DELETE FROM groups
WHERE lane = ?1 AND name = ?2 AND held = 0 AND paused = 0
";

const OLDEST: &str = "
SELECT seq
FROM dead
WHERE lane = ?1
ORDER BY seq
LIMIT min(?2, 500)
";

const RETRYABLE: &str = "
SELECT d.seq, d.grp_name, d.unique_key
FROM json_each(?1) AS v
CROSS JOIN dead AS d ON d.seq = v.value
WHERE d.lane = ?2 AND NOT EXISTS (
    SELECT 1
    FROM uniques AS u
    WHERE u.lane = d.lane AND u.key = d.unique_key AND u.seq <> d.seq AND (u.until IS NULL OR u.until > ?3)
)
ORDER BY d.seq
";

const REVIVE: &str = "
INSERT INTO jobs (seq, lane, grp, state, needs, pushed_at, unique_key, hold, tag, trace, history, payload)
SELECT
    d.seq, d.lane, g.id, 0, d.needs, d.pushed_at, d.unique_key, d.hold, d.tag, d.trace, d.history, d.payload
FROM json_each(?1) AS v
CROSS JOIN dead AS d ON d.seq = v.value
LEFT JOIN groups AS g ON g.lane = d.lane AND g.name = d.grp_name
";

const HOLD_KEYS: &str = "
INSERT OR REPLACE INTO uniques (lane, key, seq, tag)
SELECT d.lane, d.unique_key, d.seq, d.tag
FROM json_each(?1) AS v
CROSS JOIN dead AS d ON d.seq = v.value
WHERE d.hold = 0
";

const DISCARD: &str = "
DELETE FROM dead
WHERE seq IN (SELECT value FROM json_each(?1)) AND lane = ?2
RETURNING seq
";

const NOTE: &str = "
INSERT INTO audit (at, by, action, lane, subject)
VALUES (?1, ?2, ?3, ?4, ?5);

DELETE FROM audit
WHERE id <= (SELECT max(id) FROM audit) - 10000
";

/// Does it, notes it, and returns the jobs it concerned; where letters were meant and none was there, nothing was done.
pub(super) async fn operate(
    tx: &mut Transaction<'_>,
    lane: &LaneRef,
    operation: &Operation,
    by: &str,
) -> Result<Vec<JobId>, sqlx::Error> {
    let id = tx.lane(lane.name)?;
    tx.wake_all = true;
    let (action, jobs) = match operation {
        Operation::Pause(group, paused) => {
            pause(tx, id, group.as_deref(), *paused);
            let action = if *paused { "pause" } else { "resume" };
            note(tx, lane, by, action, group.clone().unwrap_or_default());
            return Ok(Vec::new());
        }
        Operation::Retry(which) => ("retry_dead", retry(tx, id, which).await?),
        Operation::Discard(which) => ("discard_dead", discard(tx, id, which).await?),
    };
    if !jobs.is_empty() {
        note(tx, lane, by, action, json(&jobs)?);
    }
    Ok(jobs.into_iter().map(job_id).collect())
}

fn note(tx: &mut Transaction<'_>, lane: &LaneRef, by: &str, action: &'static str, subject: String) {
    let now = tx.now;
    tx.statement(NOTE).bind(now).bind(by.to_owned()).bind(action).bind(lane.name).bind(subject);
}

fn pause(tx: &mut Transaction<'_>, lane: i64, group: Option<&str>, paused: bool) {
    let Some(group) = group else {
        tx.statement(PAUSE_LANE).bind(lane).bind(paused);
        return;
    };
    tx.statement(PAUSE_GROUP).bind(lane).bind(group.to_owned()).bind(paused);
    tx.statement(FORGET_GROUP).bind(lane).bind(group.to_owned());
}

async fn chosen(tx: &mut Transaction<'_>, lane: i64, which: &Which) -> Result<Vec<i64>, sqlx::Error> {
    match which {
        Which::Ids(ids) => Ok(ids.iter().filter_map(seq).take(500).collect()),
        Which::Oldest(count) => {
            let oldest: Vec<(i64,)> = tx.statement(OLDEST).bind(lane).bind(*count).rows().await?;
            Ok(oldest.into_iter().map(|(seq,)| seq).collect())
        }
    }
}

async fn retry(tx: &mut Transaction<'_>, lane: i64, which: &Which) -> Result<Vec<i64>, sqlx::Error> {
    let asked = chosen(tx, lane, which).await?;
    let now = tx.now;
    let rows: Vec<(i64, Option<String>, Option<String>)> =
        tx.statement(RETRYABLE).bind(json(&asked)?).bind(lane).bind(now).rows().await?;
    let mut keys = std::collections::HashSet::new();
    let mut counts: HashMap<String, i64> = HashMap::new();
    let mut jobs = Vec::new();
    for (seq, group, key) in rows {
        if key.is_some_and(|key| !keys.insert(key)) {
            continue;
        }
        jobs.push(seq);
        if let Some(group) = group {
            *counts.entry(group).or_default() += 1;
        }
    }
    let fills: Vec<Fill<'_>> =
        counts.iter().map(|(group, count)| Fill { lane, group, count: *count, ready: true }).collect();
    fill(tx, &fills)?;
    let list = json(&jobs)?;
    for text in [REVIVE, HOLD_KEYS] {
        tx.statement(text).bind(list.clone());
    }
    let _: Vec<(i64,)> = tx.statement(DISCARD).bind(list).bind(lane).rows().await?;
    let delta = tx.delta(lane);
    delta.dead -= int(jobs.len());
    delta.waiting += int(jobs.len());
    Ok(jobs)
}

async fn discard(tx: &mut Transaction<'_>, lane: i64, which: &Which) -> Result<Vec<i64>, sqlx::Error> {
    let asked = chosen(tx, lane, which).await?;
    let gone: Vec<(i64,)> = tx.statement(DISCARD).bind(json(&asked)?).bind(lane).rows().await?;
    tx.delta(lane).dead -= int(gone.len());
    let mut gone: Vec<i64> = gone.into_iter().map(|(seq,)| seq).collect();
    let lost = write_off(tx, lane, &asked).await?;
    let more: Vec<i64> = lost.into_iter().filter(|seq| !gone.contains(seq)).collect();
    gone.extend(more);
    Ok(gone)
}
