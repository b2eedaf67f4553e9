//! Queuing: all pushes of a round in a fixed number of statements.
//!
//! Unique keys and group limits are looked up once for the round and then decided in memory, push by push in order,
//! so that pushes of one round see each other. A refused push leaves no trace in what is then written.

use std::collections::{HashMap, HashSet};

use crate::{Existing, Hold, JobId, NewJob, PushError, Pushed};

use super::account::owe;
use super::command::LaneRef;
use super::fill::{Fill, fill};
use super::transaction::{self, Transaction, millis};

const LOOK: &str = "
SELECT true, u.lane, u.key, u.seq, u.tag
FROM json_each(?1) AS v
CROSS JOIN uniques AS u ON u.lane = v.value ->> 0 AND u.key = v.value ->> 1
WHERE u.until IS NULL OR u.until > ?2
UNION ALL
SELECT false, g.lane, g.name, g.held, NULL
FROM json_each(?3) AS v
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
    let mut desk = look(tx, pushes).await?;
    let mut answers = Vec::with_capacity(pushes.len());
    for (lane, jobs) in pushes {
        let id = tx.lane(lane.name)?;
        answers.push(desk.admit(id, lane, jobs, &mut tx.counters().await?.seq));
    }
    write(tx, &desk.rows)?;
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
        self.check_keys(id, jobs)?;
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

    fn check_keys(&self, id: i64, jobs: &[NewJob]) -> Result<(), PushError> {
        let mut first: HashMap<&str, Option<&str>> = HashMap::new();
        for job in jobs {
            let Some(unique) = &job.unique else { continue };
            let held = self.keys.get(&(id, unique.key.clone())).map(|(_, tag)| tag.as_deref());
            let holder = held.unwrap_or_else(|| *first.entry(&unique.key).or_insert(job.tag.as_deref()));
            if job.is_not(holder) {
                return Err(PushError::KeyTaken { key: unique.key.clone() });
            }
        }
        Ok(())
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

/// What the round decides with: the keys that are held, and the groups that would be over their limit if every job of
/// the round were new.
async fn look<'a>(tx: &mut Transaction<'_>, pushes: &[Push<'_>]) -> Result<Desk<'a>, sqlx::Error> {
    let (keys, groups) = asked(tx, pushes)?;
    let mut desk = Desk::default();
    if keys.is_empty() && groups.is_empty() {
        return Ok(desk);
    }
    let mut rows = Vec::with_capacity(groups.len());
    for ((lane, group), (added, limit)) in groups {
        if added as u64 > limit {
            desk.fill.insert((lane, group.to_owned()), 0);
        }
        rows.push((lane, group, added, limit));
    }
    let now = tx.now;
    let found: Vec<(bool, i64, String, i64, Option<String>)> = tx
        .statement(LOOK)
        .bind(transaction::json(&keys)?)
        .bind(now)
        .bind(transaction::json(&rows)?)
        .rows()
        .await?;
    for (is_key, lane, name, number, tag) in found {
        if is_key {
            desk.keys.insert((lane, name), (number, tag));
        } else {
            desk.fill.insert((lane, name), number.unsigned_abs());
        }
    }
    Ok(desk)
}

/// A key or a group as a push names it, with the id of its lane.
type Named<'p> = (i64, &'p str);

/// How many jobs of the round join a group, and its limit.
type Joining<'p> = HashMap<Named<'p>, (usize, u64)>;

/// The keys that the round names, and the groups with a limit that it joins.
fn asked<'p>(
    tx: &Transaction<'_>,
    pushes: &[Push<'p>],
) -> Result<(Vec<Named<'p>>, Joining<'p>), sqlx::Error> {
    let (mut keys, mut groups) = (Vec::new(), Joining::new());
    for (lane, jobs) in pushes {
        let id = tx.lane(lane.name)?;
        for job in *jobs {
            keys.extend(job.unique.as_ref().map(|unique| (id, unique.key.as_str())));
            if let (Some(limit), Some(group)) = (lane.group_limit, job.group.as_deref()) {
                groups.entry((id, group)).or_insert((0, limit)).0 += 1;
            }
        }
    }
    Ok((keys, groups))
}

fn write(tx: &mut Transaction<'_>, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    fill_groups(tx, rows)?;
    let mut payloads = Vec::with_capacity(rows.iter().map(|row| row.job.payload.len()).sum());
    let mut jobs = Vec::with_capacity(rows.len());
    let (mut keys, mut owed) = (Vec::new(), Vec::new());
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
        owed.extend(key.filter(|_| job.accountable).map(|key| (row.lane, row.seq, key)));
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
    let now = tx.now;
    tx.statement(INSERT_JOBS)
        .bind(transaction::json(&jobs)?)
        .bind(now)
        .bind(payloads)
        .bind(transaction::json(&keys)?);
    owe(tx, &owed)
}

/// Counts the jobs of `rows` into their groups.
fn fill_groups(tx: &mut Transaction<'_>, rows: &[Row<'_>]) -> Result<(), sqlx::Error> {
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
    fill(tx, &fills)
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
