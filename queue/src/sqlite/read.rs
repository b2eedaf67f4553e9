//! Reading beside the writer: what is asked of a lane without changing it.

use std::time::Duration;

use sqlx::SqlitePool;

use crate::{AuditEntry, DeadJob, DeadPage, Found, FoundState, LaneStats, Page};

use super::push::{job_id, seq};

const FIND_KEY: &str = "
SELECT u.seq, u.tag, j.seq IS NOT NULL, j.hand IS NOT NULL, d.seq IS NOT NULL
FROM uniques AS u
LEFT JOIN jobs AS j ON j.seq = u.seq
LEFT JOIN dead AS d ON d.seq = u.seq
WHERE u.lane = (SELECT id FROM lanes WHERE name = ?1) AND u.key = ?2 AND (u.until IS NULL OR u.until > ?3)
";

const FIND_DEAD: &str = "
SELECT seq, tag
FROM dead
WHERE lane = (SELECT id FROM lanes WHERE name = ?1) AND unique_key = ?2
ORDER BY seq DESC
LIMIT 1
";

/// The oldest of what waits (state 0), and of what waits alone since a crash (state 3): each is the first of its index.
const STATS: &str = "
SELECT
    waiting, later, in_flight, dead, paused,
    (SELECT pushed_at FROM jobs WHERE lane = lanes.id AND state = 0 ORDER BY seq LIMIT 1),
    (SELECT pushed_at FROM jobs WHERE lane = lanes.id AND state = 3 ORDER BY seq LIMIT 1),
    (SELECT count(*) FROM groups WHERE lane = lanes.id AND paused = 1)
FROM lanes
WHERE name = ?1
";

/// Numbers are given in the order of pushing. Each state has its index; what is in hand is listed by the hand-outs.
const OLDEST_HELD: &str = "
WITH lane AS MATERIALIZED (
    SELECT id FROM lanes WHERE name = ?1
)
SELECT pushed_at
FROM jobs
WHERE seq = (
    SELECT min(picked.first)
    FROM (
        SELECT min(seq) AS first FROM jobs WHERE lane = (SELECT id FROM lane) AND state = 0
        UNION ALL
        SELECT min(seq) FROM jobs WHERE lane = (SELECT id FROM lane) AND state = 1
        UNION ALL
        SELECT min(seq) FROM jobs WHERE lane = (SELECT id FROM lane) AND state = 3
        UNION ALL
        SELECT min(v.value)
        FROM hands AS h
        CROSS JOIN json_each(h.jobs) AS v
        WHERE h.lane = (SELECT id FROM lane)
    ) AS picked
)
";

const DEAD: &str = "
SELECT
    seq, payload, grp_name, error, attempts, history, pushed_at, died_at, unique_key, tag, trace
FROM dead
WHERE lane = (SELECT id FROM lanes WHERE name = ?1) AND seq > ?2
ORDER BY seq
LIMIT ?3
";

const AUDIT: &str = "
SELECT at, by, action, lane, subject
FROM audit
ORDER BY id DESC
LIMIT ?1
";

/// Looks for a job by its unique key: first among the keys held, then among the dead letters.
pub(super) async fn find(
    pool: &SqlitePool,
    lane: &str,
    key: &str,
    now: i64,
) -> Result<Option<Found>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let held: Option<(i64, Option<String>, bool, bool, bool)> =
        sqlx::query_as(FIND_KEY).bind(lane).bind(key).bind(now).fetch_optional(&mut *tx).await?;
    if let Some((seq, tag, queued, in_hand, dead)) = held {
        let state = match (queued, in_hand, dead) {
            (true, true, _) => FoundState::Running,
            (true, false, _) => FoundState::Waiting,
            (false, _, true) => FoundState::Dead,
            (false, _, false) => FoundState::Settled,
        };
        return Ok(Some(Found { id: job_id(seq), tag, state }));
    }
    let dead: Option<(i64, Option<String>)> =
        sqlx::query_as(FIND_DEAD).bind(lane).bind(key).fetch_optional(&mut *tx).await?;
    Ok(dead.map(|(seq, tag)| Found { id: job_id(seq), tag, state: FoundState::Dead }))
}

/// Counts a lane; one that was never used is empty.
pub(super) async fn stats(pool: &SqlitePool, lane: &str, now: i64) -> Result<LaneStats, sqlx::Error> {
    type Row = (i64, i64, i64, i64, bool, Option<i64>, Option<i64>, i64);
    let row: Option<Row> = sqlx::query_as(STATS).bind(lane).fetch_optional(pool).await?;
    let Some((waiting, later, in_flight, dead, paused, oldest, suspect, paused_groups)) = row else {
        return Ok(LaneStats::default());
    };
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    Ok(LaneStats {
        waiting: count(waiting),
        later: count(later),
        in_flight: count(in_flight),
        dead: count(dead),
        oldest: oldest.into_iter().chain(suspect).min().map(|at| Duration::from_millis(count(now - at))),
        paused,
        paused_groups: count(paused_groups),
    })
}

/// The age of the oldest job that is not settled. Only of later jobs every index entry is read; grouped lanes keep what
/// failed in its place, so they have few.
pub(super) async fn oldest_held(
    pool: &SqlitePool,
    lane: &str,
    now: i64,
) -> Result<Option<Duration>, sqlx::Error> {
    let pushed_at: Option<i64> = sqlx::query_scalar(OLDEST_HELD).bind(lane).fetch_optional(pool).await?;
    Ok(pushed_at.map(|at| Duration::from_millis(u64::try_from(now - at).unwrap_or(0))))
}

type DeadRow = (
    i64,
    Vec<u8>,
    Option<String>,
    String,
    u32,
    Option<String>,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Lists dead letters.
pub(super) async fn dead(pool: &SqlitePool, lane: &str, page: &Page) -> Result<DeadPage, sqlx::Error> {
    let limit = page.limit.clamp(1, 500);
    let after = page.after.as_ref().and_then(seq).unwrap_or(0);
    let rows: Vec<DeadRow> =
        sqlx::query_as(DEAD).bind(lane).bind(after).bind(limit + 1).fetch_all(pool).await?;
    let more = rows.len() > limit as usize;
    let items: Vec<DeadJob> = rows.into_iter().take(limit as usize).map(letter).collect();
    let next = if more { items.last().map(|last| last.id.clone()) } else { None };
    Ok(DeadPage { items, next })
}

fn letter(row: DeadRow) -> DeadJob {
    let (seq, payload, group, error, attempts, history, pushed_at, died_at, unique_key, tag, trace) = row;
    let history = history.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let id = job_id(seq);
    DeadJob { id, payload, group, error, attempts, history, pushed_at, died_at, unique_key, tag, trace }
}

/// The last things operators did.
pub(super) async fn audit(pool: &SqlitePool, limit: u32) -> Result<Vec<AuditEntry>, sqlx::Error> {
    let rows: Vec<(i64, String, String, String, String)> =
        sqlx::query_as(AUDIT).bind(limit.min(500)).fetch_all(pool).await?;
    let entry = |(at, by, action, lane, subject)| AuditEntry { at, by, action, lane, subject };
    Ok(rows.into_iter().map(entry).collect())
}
