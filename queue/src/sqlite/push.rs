//! Queuing: all pushes of a round in a fixed number of statements.
//!
//! Unique keys and group limits are looked up once for the round and then decided in memory, push by push in order,
//! so that pushes of one round see each other. A refused push leaves no trace in what is then written.

use std::collections::{HashMap, HashSet};

use crate::{Existing, Hold, JobId, NewJob, PushError, Pushed};

use super::command::LaneRef;
use super::fill::{Fill, fill};
use super::transaction::{self, Transaction, millis};

const HELD_KEYS: &str = "
SELECT u.lane, u.key, u.seq, u.tag
FROM json_each(?1) AS v
CROSS JOIN uniques AS u ON u.lane = v.value ->> 0 AND u.key = v.value ->> 1
WHERE u.until IS NULL OR u.until > ?2
";

const FULL_GROUPS: &str = "
SELECT g.lane, g.name, g.held
FROM json_each(?1) AS v
CROSS JOIN groups AS g ON g.lane = v.value ->> 0 AND g.name = v.value ->> 1
WHERE g.held + (v.value ->> 2) > v.value ->> 3
";

const INSERT_JOBS: &str = "
INSERT INTO jobs (seq, lane, grp, state, due, needs, pushed_at, unique_key, hold, tag, trace, payload)
SELECT
    value ->> 0, value ->> 1,
    (SELECT id FROM groups WHERE lane = value ->> 1 AND name = value ->> 2),
    value ->> 3, value ->> 4, value ->> 5, ?2,
    value ->> 6, value ->> 7, value ->> 8, value ->> 9,
    substr(?3, value ->> 10, value ->> 11)
FROM json_each(?1);

INSERT OR REPLACE INTO uniques (lane, key, seq, tag, until)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
FROM json_each(?4)
";

/// One push of a round.
pub(super) type Push<'a> = (&'a LaneRef, &'a [NewJob]);

type Key = (i64, String);

/// A job that will be written.
struct Row<'a> {
    seq: i64,
    lane: i64,
    job: &'a NewJob,
}

/// What the round decides with.
#[derive(Default)]
struct Desk<'a> {
    keys: HashMap<Key, (i64, Option<String>)>,
    /// How many jobs the groups hold that this round might fill; others cannot become full.
    fill: HashMap<Key, u64>,
    rows: Vec<Row<'a>>,
}

/// Queues the pushes in order and says what became of each.
pub(super) async fn push(
    tx: &mut Transaction<'_>,
    pushes: &[Push<'_>],
) -> Result<Vec<Result<Vec<Pushed>, PushError>>, sqlx::Error> {
    if pushes.is_empty() {
        return Ok(Vec::new());
    }
    let mut desk =
        Desk { keys: held_keys(tx, pushes).await?, fill: full_groups(tx, pushes).await?, rows: vec![] };
    let mut answers = Vec::with_capacity(pushes.len());
    for (lane, jobs) in pushes {
        let id = tx.lane(lane.name)?;
        answers.push(desk.admit(id, lane, jobs, &mut tx.counters.seq));
    }
    write(tx, &desk.rows).await?;
    Ok(answers)
}

impl<'a> Desk<'a> {
    /// Takes a whole push, or nothing of it.
    fn admit(
        &mut self,
        id: i64,
        lane: &LaneRef,
        jobs: &'a [NewJob],
        last: &mut i64,
    ) -> Result<Vec<Pushed>, PushError> {
        self.check_fill(id, lane, jobs)?;
        let mut pushed = Vec::with_capacity(jobs.len());
        for job in jobs {
            let key = job.unique.as_ref().map(|unique| (id, unique.key.clone()));
            if let Some((seq, tag)) = key.as_ref().and_then(|key| self.keys.get(key)) {
                pushed.push(Pushed { id: job_id(*seq), existing: Some(Existing { tag: tag.clone() }) });
                continue;
            }
            *last += 1;
            if let Some(key) = key {
                self.keys.insert(key, (*last, job.tag.clone()));
            }
            if let Some(fill) = job.group.as_ref().and_then(|group| self.fill.get_mut(&(id, group.clone()))) {
                *fill += 1;
            }
            self.rows.push(Row { seq: *last, lane: id, job });
            pushed.push(Pushed { id: job_id(*last), existing: None });
        }
        Ok(pushed)
    }

    fn check_fill(&self, id: i64, lane: &LaneRef, jobs: &[NewJob]) -> Result<(), PushError> {
        let Some(limit) = lane.group_limit else { return Ok(()) };
        let mut more: HashMap<&str, u64> = HashMap::new();
        let mut seen = HashSet::new();
        for job in jobs {
            let key = job.unique.as_ref().map(|unique| (id, unique.key.clone()));
            let is_new = key.is_none_or(|key| !self.keys.contains_key(&key) && seen.insert(key));
            if let (true, Some(group)) = (is_new, &job.group) {
                *more.entry(group).or_default() += 1;
            }
        }
        for (group, added) in more {
            let held = self.fill.get(&(id, group.to_owned())).copied();
            if held.is_some_and(|held| held + added > limit) {
                return Err(PushError::GroupFull { group: group.to_owned(), limit });
            }
        }
        Ok(())
    }
}

async fn held_keys(
    tx: &mut Transaction<'_>,
    pushes: &[Push<'_>],
) -> Result<HashMap<Key, (i64, Option<String>)>, sqlx::Error> {
    let mut keys = Vec::new();
    for (lane, jobs) in pushes {
        let id = tx.lane(lane.name)?;
        keys.extend(
            jobs.iter().filter_map(|job| job.unique.as_ref()).map(|unique| (id, unique.key.as_str())),
        );
    }
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String, i64, Option<String>)> = sqlx::query_as(HELD_KEYS)
        .bind(transaction::json(&keys)?)
        .bind(tx.now)
        .fetch_all(&mut *tx.conn)
        .await?;
    Ok(rows.into_iter().map(|(lane, key, seq, tag)| ((lane, key), (seq, tag))).collect())
}

/// The groups that would be over their limit if every job of the round were new.
async fn full_groups(
    tx: &mut Transaction<'_>,
    pushes: &[Push<'_>],
) -> Result<HashMap<Key, u64>, sqlx::Error> {
    let mut asked: HashMap<(i64, &str), (usize, u64)> = HashMap::new();
    for (lane, jobs) in pushes {
        let Some(limit) = lane.group_limit else { continue };
        let id = tx.lane(lane.name)?;
        for group in jobs.iter().filter_map(|job| job.group.as_deref()) {
            asked.entry((id, group)).or_insert((0, limit)).0 += 1;
        }
    }
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let mut full: HashMap<Key, u64> = HashMap::new();
    let mut rows = Vec::with_capacity(asked.len());
    for ((lane, group), (added, limit)) in asked {
        if added as u64 > limit {
            full.insert((lane, group.to_owned()), 0);
        }
        rows.push((lane, group, added, limit));
    }
    let held: Vec<(i64, String, i64)> =
        sqlx::query_as(FULL_GROUPS).bind(transaction::json(&rows)?).fetch_all(&mut *tx.conn).await?;
    full.extend(held.into_iter().map(|(lane, name, held)| ((lane, name), held.unsigned_abs())));
    Ok(full)
}

async fn write(tx: &mut Transaction<'_>, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    fill_groups(tx, rows).await?;
    let mut payloads = Vec::with_capacity(rows.iter().map(|row| row.job.payload.len()).sum());
    let mut jobs = Vec::with_capacity(rows.len());
    let mut keys = Vec::new();
    for row in rows {
        let job = row.job;
        let due = job.delay.map(|delay| tx.now + millis(delay));
        let hold = job.unique.as_ref().map(|unique| match unique.hold {
            Hold::UntilAcknowledged => 0,
            Hold::For(time) => millis(time).max(1),
        });
        let key = job.unique.as_ref().map(|unique| unique.key.as_str());
        if let (Some(key), Some(hold)) = (key, hold) {
            keys.push((row.lane, key, row.seq, &job.tag, (hold > 0).then(|| tx.now + hold)));
        }
        // `substr` counts from 1.
        let (start, len) = (payloads.len() + 1, job.payload.len());
        payloads.extend_from_slice(&job.payload);
        let state = i64::from(due.is_some());
        jobs.push((
            row.seq, row.lane, &job.group, state, due, job.needs, key, hold, &job.tag, &job.trace, start, len,
        ));
        let delta = tx.delta(row.lane);
        if due.is_some() {
            delta.later += 1;
        } else {
            delta.waiting += 1;
        }
        tx.woken.insert(row.lane);
    }
    sqlx::query(INSERT_JOBS)
        .bind(transaction::json(&jobs)?)
        .bind(tx.now)
        .bind(payloads)
        .bind(transaction::json(&keys)?)
        .execute(&mut *tx.conn)
        .await
        .map(|_| ())
}

/// Counts the jobs of `rows` into their groups.
async fn fill_groups(tx: &mut Transaction<'_>, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    let mut fills: Vec<Fill<'_>> = Vec::new();
    let mut places: HashMap<(i64, &str), usize> = HashMap::new();
    for row in rows {
        let Some(group) = row.job.group.as_deref() else { continue };
        let place = *places.entry((row.lane, group)).or_insert_with(|| {
            fills.push(Fill { lane: row.lane, group, count: 0, ready: false });
            fills.len() - 1
        });
        fills[place].count += 1;
        fills[place].ready |= row.job.delay.is_none();
    }
    fill(tx, &fills).await
}

/// The public form of a sequence number.
pub(super) fn job_id(seq: i64) -> JobId {
    JobId::from(seq.to_string())
}

/// The sequence number in a public id; ids of other stores have none.
pub(super) fn seq(id: &JobId) -> Option<i64> {
    id.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_its_number() {
        assert_eq!(seq(&job_id(42)), Some(42));
        assert_eq!(seq(&JobId::from("1-0".to_owned())), None);
    }
}
