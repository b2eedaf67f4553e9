//! Settling: the verdicts on what was handed out, and the leases in between.
//!
//! The fence is the row in `hands`: whoever deletes it settles, and a worker whose lease was taken over finds it gone
//! and changes nothing. Jobs of a hand-out that were given no verdict go back as they were.

use std::collections::HashMap;

use crate::{JobId, Settled, Token, Verdict};

use super::command::LaneRef;
use super::push::seq;
use super::transaction::{Released, Transaction, int, json, millis};

const END_HANDS: &str = "
DELETE FROM hands
WHERE token IN (SELECT value FROM json_each(?1)) AND lane = ?2
RETURNING token, grp, alone, jobs
";

const COPY_DEAD: &str = "
INSERT INTO dead (
    seq, lane, grp_name, error, attempts, history, needs, pushed_at, died_at, unique_key, hold, tag, trace, payload
)
SELECT
    j.seq, j.lane, g.name, coalesce(j.doom, ''), j.attempts, j.history, j.needs, j.pushed_at,
    coalesce(j.doomed_at, ?2), j.unique_key, j.hold, j.tag, j.trace, j.payload
FROM json_each(?1) AS v
CROSS JOIN jobs AS j ON j.seq = v.value
LEFT JOIN groups AS g ON g.id = j.grp
";

const DELETE_JOBS: &str = "
DELETE FROM uniques
WHERE (lane, key) IN (
    SELECT j.lane, j.unique_key
    FROM json_each(?1) AS v
    CROSS JOIN jobs AS j ON j.seq = v.value
    WHERE j.hold = 0
);

DELETE FROM jobs
WHERE seq IN (SELECT value FROM json_each(?1))
";

const CHANGE_JOBS: &str = "
UPDATE jobs
SET hand = NULL,
    state = CASE
        WHEN grp IS NOT NULL THEN 0
        WHEN v.until IS NOT NULL THEN 1
        WHEN coalesce(v.suspected, suspect) = 1 THEN 3
        ELSE 0
    END,
    due = CASE WHEN grp IS NULL THEN v.until END,
    attempts = attempts + v.attempted,
    suspect = coalesce(v.suspected, suspect),
    cohort = CASE WHEN v.suspected IS NULL THEN cohort END,
    crashes = CASE WHEN v.suspected = 0 THEN 0 ELSE crashes END,
    history = CASE
        WHEN v.failure IS NULL THEN history
        ELSE json_insert(
            CASE
                WHEN json_array_length(coalesce(history, '[]')) >= 10 THEN json_remove(history, '$[0]')
                ELSE coalesce(history, '[]')
            END,
            '$[#]', json_object('at', ?2, 'error', v.failure)
        )
    END,
    doom = coalesce(v.doomed, doom),
    doomed_at = CASE WHEN v.doomed IS NULL THEN doomed_at ELSE ?2 END
FROM (
    SELECT
        value ->> 0 AS id, value ->> 1 AS until, value ->> 2 AS attempted, value ->> 3 AS suspected,
        value ->> 4 AS failure, value ->> 5 AS doomed
    FROM json_each(?1)
) AS v
WHERE jobs.seq = v.id
";

const RENEW: &str = "
UPDATE hands
SET expires_at = ?3
WHERE token IN (SELECT value FROM json_each(?1)) AND lane = ?2
RETURNING token
";

/// Longest error kept with a job, in characters.
const ERROR_CHARS: usize = 2_000;

/// A job that stays: its number, due time, attempts spent, suspicion, failure, doom.
type Change = (i64, Option<i64>, i64, Option<i64>, Option<String>, Option<String>);

/// What a set of verdicts comes to.
#[derive(Default)]
struct Sums {
    gone: Vec<i64>,
    dead: Vec<i64>,
    stay: Vec<Change>,
    groups: Vec<Released>,
}

/// Carries out the verdicts of hand-outs that still hold; returns the tokens that do not.
pub(super) async fn settle(
    tx: &mut Transaction<'_>,
    lane: &LaneRef,
    settled: &[Settled],
) -> Result<Vec<Token>, sqlx::Error> {
    let id = tx.lane(lane.name)?;
    let tokens: Vec<u64> = settled.iter().map(|one| one.token.0).collect();
    let ended: Vec<(i64, Option<i64>, bool, String)> =
        tx.statement(END_HANDS).bind(json(&tokens)?).bind(id).rows().await?;
    let mut verdicts: HashMap<u64, &[(JobId, Verdict)]> =
        settled.iter().map(|one| (one.token.0, one.verdicts.as_slice())).collect();
    let mut sums = Sums::default();
    for (token, group, alone, jobs) in &ended {
        let jobs: Vec<i64> =
            serde_json::from_str(jobs).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let given = verdicts.remove(&token.unsigned_abs()).unwrap_or_default();
        sums.add(tx.now, *group, &jobs, given);
        tx.wake_all |= *alone;
    }
    carry_out(tx, id, lane.grouped, &sums)?;
    Ok(verdicts.into_keys().map(Token).collect())
}

impl Sums {
    fn add(&mut self, now: i64, group: Option<i64>, jobs: &[i64], given: &[(JobId, Verdict)]) {
        let given: HashMap<i64, &Verdict> =
            given.iter().filter_map(|(job, verdict)| Some((seq(job)?, verdict))).collect();
        let (mut gone, mut until) = (0, None);
        for job in jobs {
            let verdict = given.get(job).copied().unwrap_or(&Verdict::HandBack);
            match verdict {
                Verdict::Remove => self.gone.push(*job),
                Verdict::Bury => self.dead.push(*job),
                _ => {
                    let change = change(now, *job, verdict);
                    until = until.max(change.1);
                    self.stay.push(change);
                    continue;
                }
            }
            gone += 1;
        }
        self.groups.extend(group.map(|group| (group, gone, until)));
    }
}

fn change(now: i64, job: i64, verdict: &Verdict) -> Change {
    let cut = |text: &String| text.chars().take(ERROR_CHARS).collect::<String>();
    match verdict {
        Verdict::Retry { error, after } => {
            (job, Some(now + millis(*after)), 1, Some(0), Some(cut(error)), None)
        }
        Verdict::Snooze(time) => (job, Some(now + millis(*time)), 0, Some(0), None, None),
        Verdict::Isolate => (job, None, 0, Some(1), None, None),
        Verdict::Doom { error, attempted } => {
            (job, None, i64::from(*attempted), Some(0), None, Some(cut(error)))
        }
        Verdict::HandBack | Verdict::Remove | Verdict::Bury => (job, None, 0, None, None, None),
    }
}

fn carry_out(tx: &mut Transaction<'_>, lane: i64, grouped: bool, sums: &Sums) -> Result<(), sqlx::Error> {
    let now = tx.now;
    if !sums.dead.is_empty() {
        tx.statement(COPY_DEAD).bind(json(&sums.dead)?).bind(now);
    }
    let leaving: Vec<i64> = sums.gone.iter().chain(&sums.dead).copied().collect();
    if !leaving.is_empty() {
        tx.statement(DELETE_JOBS).bind(json(&leaving)?);
    }
    if !sums.stay.is_empty() {
        tx.statement(CHANGE_JOBS).bind(json(&sums.stay)?).bind(now);
        tx.woken.insert(lane);
    }
    let later = if grouped { 0 } else { int(sums.stay.iter().filter(|change| change.1.is_some()).count()) };
    let delta = tx.delta(lane);
    delta.in_flight -= int(leaving.len() + sums.stay.len());
    delta.dead += int(sums.dead.len());
    delta.later += later;
    delta.waiting += int(sums.stay.len()) - later;
    tx.release_groups(lane, &sums.groups)
}

/// Extends leases to a full one from now; returns the tokens that no longer hold.
pub(super) async fn renew(
    tx: &mut Transaction<'_>,
    lane: &LaneRef,
    tokens: &[Token],
) -> Result<Vec<Token>, sqlx::Error> {
    let id = tx.lane(lane.name)?;
    let asked: Vec<u64> = tokens.iter().map(|token| token.0).collect();
    let until = tx.now + millis(lane.lease);
    let held: Vec<(i64,)> = tx.statement(RENEW).bind(json(&asked)?).bind(id).bind(until).rows().await?;
    let held: std::collections::HashSet<u64> =
        held.into_iter().map(|(token,)| token.unsigned_abs()).collect();
    Ok(tokens.iter().copied().filter(|token| !held.contains(&token.0)).collect())
}
