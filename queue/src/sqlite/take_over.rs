//! Taking over from workers that fell silent.
//!
//! The lease of a hand-out lapsed, or the file was opened after a crash: nobody answered for its jobs, and they come
//! under suspicion (see `suspect`). A hand-out of several becomes a cohort; a cohort is taken apart. Only what was alone
//! as a suspect is blamed: it loses an attempt, and at the third time it is doomed. What ran beside it in other hand-outs
//! may have done it once, but not a second time: by then both are accused, and those are never in hand together. Its
//! neighbours lose nothing.
//!
//! A burial is judged alike: a doomed job that is in hand at a crash becomes a suspect, and the crashes while it is alone
//! are counted anew. How many are too many is decided by who buries.

use super::hand_out::Alone;
use super::transaction::{Released, Transaction, int, json};

const LAPSED_HANDS: &str = "
DELETE FROM hands
WHERE token IN (
    SELECT token FROM hands WHERE lane = ?1 AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3
)
RETURNING token, grp, alone, jobs
";

const SUSPECT_JOBS: &str = "
UPDATE jobs
SET hand = NULL,
    suspect = 1,
    cohort = v.cohort,
    attempts = CASE WHEN doom IS NULL THEN attempts + v.blame ELSE attempts END,
    crashes = CASE WHEN doom IS NULL AND crashes + v.blame >= 3 THEN 0 ELSE crashes + v.blame END,
    doom = CASE
        WHEN doom IS NULL AND crashes + v.blame >= 3 THEN 'its worker died three times while it ran alone'
        ELSE doom
    END,
    doomed_at = CASE WHEN doom IS NULL AND crashes + v.blame >= 3 THEN ?2 ELSE doomed_at END,
    state = CASE WHEN grp IS NULL THEN 3 ELSE 0 END
FROM (SELECT value ->> 0 AS id, value ->> 1 AS blame, value ->> 2 AS cohort FROM json_each(?1)) AS v
WHERE jobs.seq = v.id
";

const LAPSE_ALL: &str = "
UPDATE hands
SET expires_at = 0
";

/// Takes over at most about 500 jobs of a lane whose leases have lapsed.
pub(super) async fn take_over(tx: &mut Transaction<'_>, lane: i64, batch: usize) -> Result<(), sqlx::Error> {
    let now = tx.now;
    let most = int((500 / batch).max(1));
    let lapsed: Vec<(i64, Option<i64>, i64, String)> =
        tx.statement(LAPSED_HANDS).bind(lane).bind(now).bind(most).rows().await?;
    let mut jobs: Vec<(i64, i64, Option<i64>)> = Vec::new();
    let mut groups: Vec<Released> = Vec::new();
    for (token, group, alone, held) in &lapsed {
        let held: Vec<i64> =
            serde_json::from_str(held).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let blame = i64::from(*alone == Alone::Suspect as i64 || *alone == Alone::Accused as i64);
        let cohort = (*alone == Alone::No as i64 && held.len() > 1).then_some(*token);
        jobs.extend(held.into_iter().map(|seq| (seq, blame, cohort)));
        groups.extend(group.map(|group| (group, 0, None)));
        tx.wake_all |= *alone > 0;
    }
    tx.statement(SUSPECT_JOBS).bind(json(&jobs)?).bind(now);
    let delta = tx.delta(lane);
    delta.in_flight -= int(jobs.len());
    delta.waiting += int(jobs.len());
    tx.woken.insert(lane);
    tx.release_groups(lane, &groups)
}

/// Makes every lease lapse: for the start of the one process that serves the file.
pub(super) async fn lapse_all(conn: &mut sqlx::SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query(LAPSE_ALL).execute(conn).await.map(|_| ())
}
