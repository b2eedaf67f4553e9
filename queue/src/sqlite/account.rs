//! The account of a lane.

use sqlx::SqlitePool;

use crate::{JobId, Owed, OwedPage};

use super::command::LaneRef;
use super::push::{job_id, seq};
use super::transaction::{Transaction, json};

const OWE: &str = "
INSERT INTO owed (lane, seq, key)
SELECT value ->> 0, value ->> 1, value ->> 2
FROM json_each(?1)
";

const OWED: &str = "
SELECT o.seq, o.key, j.seq IS NOT NULL OR d.seq IS NOT NULL
FROM owed AS o
LEFT JOIN jobs AS j ON j.seq = o.seq
LEFT JOIN dead AS d ON d.seq = o.seq
WHERE o.lane = (SELECT id FROM lanes WHERE name = ?1) AND o.seq > ?2
ORDER BY o.seq
LIMIT ?3
";

const ACQUIT: &str = "
DELETE FROM owed
WHERE lane = ?2 AND seq IN (SELECT value FROM json_each(?1))
";

const WRITE_OFF: &str = "
DELETE FROM owed
WHERE lane = ?2
    AND seq IN (SELECT value FROM json_each(?1))
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.seq = owed.seq)
RETURNING seq
";

/// Enters jobs, each with its lane and its key.
pub(super) fn owe(tx: &mut Transaction<'_>, jobs: &[(i64, i64, &str)]) -> Result<(), sqlx::Error> {
    if !jobs.is_empty() {
        tx.statement(OWE).bind(json(jobs)?);
    }
    Ok(())
}

/// Reads a part of it.
pub(super) async fn owed(
    pool: &SqlitePool,
    lane: &str,
    after: Option<&JobId>,
    limit: u32,
) -> Result<OwedPage, sqlx::Error> {
    let limit = limit.clamp(1, 500);
    let after = after.and_then(seq).unwrap_or(0);
    let rows: Vec<(i64, String, bool)> =
        sqlx::query_as(OWED).bind(lane).bind(after).bind(limit).fetch_all(pool).await?;
    let more = rows.len() == limit as usize;
    let next = rows.last().filter(|_| more).map(|(seq, ..)| job_id(*seq));
    let mut page = OwedPage { next, ..OwedPage::default() };
    for (seq, key, held) in rows {
        match held {
            true => page.held += 1,
            false => page.gone.push(Owed { job: job_id(seq), key }),
        }
    }
    Ok(page)
}

/// Strikes jobs out of it.
pub(super) fn acquit(tx: &mut Transaction<'_>, lane: &LaneRef, known: &[Owed]) -> Result<(), sqlx::Error> {
    let lane = tx.lane(lane.name)?;
    let known: Vec<i64> = known.iter().filter_map(|owed| seq(&owed.job)).collect();
    tx.statement(ACQUIT).bind(json(&known)?).bind(lane);
    Ok(())
}

/// Strikes out those of these jobs that the lane does not hold, because an operator says so.
pub(super) async fn write_off(
    tx: &mut Transaction<'_>,
    lane: i64,
    jobs: &[i64],
) -> Result<Vec<i64>, sqlx::Error> {
    let gone: Vec<(i64,)> = tx.statement(WRITE_OFF).bind(json(jobs)?).bind(lane).rows().await?;
    Ok(gone.into_iter().map(|(seq,)| seq).collect())
}
