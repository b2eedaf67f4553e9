//! Hearing suspects: what was in hand when a worker died is handed out again where the guilty shows.
//!
//! The jobs of one such hand-out are a cohort and come again together, because nearly all of them are innocent: one by
//! one, a worker killed with much in hand would cost its lane thousands of transactions. A cohort whose worker dies as
//! well is taken apart, and its jobs come one by one. Of all these only one is in hand in each lane, so that the next
//! crash says something. Lanes do not wait for each other, for one may be slow; except that an accused, which was alone
//! when its worker died, is not in hand together with another accused of any lane. So who is innocent and ran beside
//! the guilty is blamed for it once, and then gets a hearing of its own; see `take_over`.

use super::command::LaneRef;
use super::hand_out::{Alone, Draft};
use super::transaction::{Transaction, int};

const NEXT_PLAIN: &str = "
SELECT NULL, NULL, seq, cohort, crashes > 0
FROM jobs
WHERE lane = ?1 AND state = 3 AND (
    crashes = 0 OR NOT EXISTS (SELECT 1 FROM hands WHERE alone = 2 AND expires_at > ?2)
)
ORDER BY seq
LIMIT 1
";

const NEXT_GROUPED: &str = "
SELECT picked.id, picked.name, j.seq, j.cohort, j.crashes > 0
FROM (
    SELECT id, name FROM groups WHERE lane = ?1 AND state = 4 AND paused = 0 ORDER BY turn LIMIT 16
) AS picked
CROSS JOIN jobs AS j ON j.seq = (
    SELECT seq FROM jobs WHERE grp = picked.id AND state = 0 AND grp IS NOT NULL ORDER BY seq LIMIT 1
)
WHERE j.crashes = 0 OR NOT EXISTS (SELECT 1 FROM hands WHERE alone = 2 AND expires_at > ?2)
LIMIT 1
";

const COHORT_PLAIN: &str = "
SELECT seq
FROM jobs
WHERE cohort = ?1 AND state = 3
ORDER BY seq
LIMIT ?2
";

const HEAD_OF_GROUP: &str = "
SELECT seq, cohort
FROM jobs
WHERE grp = ?1 AND state = 0 AND grp IS NOT NULL
ORDER BY seq
LIMIT ?2
";

/// A suspect: its group's id and name, its number, its cohort, and whether it is accused.
type Next = (Option<i64>, Option<String>, i64, Option<i64>, bool);

/// Takes the next cohort or suspect of a lane, if one may be handed out now.
pub(super) async fn summon(
    tx: &mut Transaction<'_>,
    id: i64,
    lane: &LaneRef,
) -> Result<Vec<Draft>, sqlx::Error> {
    let text = if lane.grouped { NEXT_GROUPED } else { NEXT_PLAIN };
    let now = tx.now;
    let next: Vec<Next> = tx.statement(text).bind(id).bind(now).rows().await?;
    let Some((group, name, seq, cohort, accused)) = next.into_iter().next() else { return Ok(Vec::new()) };
    let jobs = match cohort {
        Some(cohort) => together(tx, group, cohort, lane.batch).await?,
        None => vec![seq],
    };
    let alone = match (jobs.len() > 1, accused) {
        (true, _) => Alone::Cohort,
        (false, false) => Alone::Suspect,
        (false, true) => Alone::Accused,
    };
    let counters = tx.counters().await?;
    counters.token += 1;
    Ok(vec![Draft { token: counters.token, group, name, alone, jobs }])
}

/// What is left of a cohort, at most a batch; in a group, what of it no other job stands between.
async fn together(
    tx: &mut Transaction<'_>,
    group: Option<i64>,
    cohort: i64,
    batch: usize,
) -> Result<Vec<i64>, sqlx::Error> {
    let Some(group) = group else {
        let jobs: Vec<(i64,)> = tx.statement(COHORT_PLAIN).bind(cohort).bind(int(batch)).rows().await?;
        return Ok(jobs.into_iter().map(|(seq,)| seq).collect());
    };
    let head: Vec<(i64, Option<i64>)> =
        tx.statement(HEAD_OF_GROUP).bind(group).bind(int(batch)).rows().await?;
    Ok(head.into_iter().take_while(|(_, of)| *of == Some(cohort)).map(|(seq, _)| seq).collect())
}
