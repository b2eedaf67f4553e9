//! Handing out: which jobs are next.
//!
//! A claim reads index entries of what it can hand out and of nothing else, at most 500 jobs.
//!
//! What is under suspicion is left out here and comes first, as one hand-out of its own; see `suspect`.

use std::time::Duration;

use crate::{Ask, Claimed};

use super::command::LaneRef;
use super::due;
use super::hand_out::{Alone, Draft, Taking, note, take, taken};
use super::suspect::summon;
use super::take_over::take_over;
use super::transaction::{Transaction, int};

/// Most jobs in one claim.
const MAX_JOBS: usize = 500;
/// Most groups in one claim.
const MAX_GROUPS: usize = 64;

const PEEK: &str = "
SELECT
    paused,
    EXISTS (SELECT 1 FROM hands WHERE lane = ?1 AND expires_at <= ?2),
    EXISTS (SELECT 1 FROM jobs WHERE lane = ?1 AND state = 1 AND due <= ?2)
        OR EXISTS (SELECT 1 FROM groups WHERE lane = ?1 AND state = 3 AND due <= ?2),
    (
        EXISTS (SELECT 1 FROM jobs WHERE lane = ?1 AND state = 3)
        OR EXISTS (SELECT 1 FROM groups WHERE lane = ?1 AND state = 4 AND paused = 0)
    ) AND NOT EXISTS (SELECT 1 FROM hands WHERE lane = ?1 AND alone IN (1, 2, 3) AND expires_at > ?2),
    (
        SELECT min(at)
        FROM (
            SELECT min(due) AS at FROM jobs WHERE lane = ?1 AND state = 1
            UNION ALL
            SELECT min(due) FROM groups WHERE lane = ?1 AND state = 3
            UNION ALL
            SELECT min(expires_at) FROM hands WHERE lane = ?1
        )
    )
FROM lanes
WHERE id = ?1
";

const PICK_PLAIN: &str = "
SELECT NULL, NULL, seq, doom IS NOT NULL, false
FROM jobs
WHERE lane = ?1 AND state = 0
ORDER BY seq
LIMIT ?2
";

const PICK_GROUPED: &str = "
WITH picked AS MATERIALIZED (
    SELECT id, name, turn FROM groups WHERE lane = ?1 AND state = 1 AND paused = 0 ORDER BY turn LIMIT ?2
)
SELECT picked.id, picked.name, j.seq, j.doom IS NOT NULL, j.suspect = 1
FROM picked
CROSS JOIN jobs AS j ON j.seq IN (
    SELECT seq
    FROM jobs
    WHERE grp = picked.id AND state = 0 AND grp IS NOT NULL
    ORDER BY seq
    LIMIT min(?3, 1 + 1000 / (SELECT count(*) FROM picked))
)
ORDER BY picked.turn, picked.id, j.seq
LIMIT ?4
";

/// A job that may be handed out: its group's id and name, its number, whether it must be alone, and whether it is a
/// suspect.
type Pick = (Option<i64>, Option<String>, i64, bool, bool);

/// What is handed out to one claim, while its jobs are still being read.
#[derive(Default)]
pub(super) struct Claiming {
    drafts: Vec<Draft>,
    taking: Option<Taking>,
    again_in: Option<Duration>,
}

impl Claiming {
    /// Reads the jobs.
    pub async fn claimed(self, tx: &mut Transaction<'_>) -> Result<Claimed, sqlx::Error> {
        let hands = match self.taking {
            Some(taking) => taken(tx, &self.drafts, taking).await?,
            None => Vec::new(),
        };
        Ok(Claimed { hands, again_in: self.again_in })
    }
}

/// Hands out what the lane has, up to what is asked.
pub(super) async fn claim(
    tx: &mut Transaction<'_>,
    lane: &LaneRef,
    ask: &Ask,
) -> Result<Claiming, sqlx::Error> {
    let id = tx.lane(lane.name)?;
    let (mut seen, mut picked) = look(tx, id, lane, ask.hands).await?;
    let (paused, lapsed, due, ..) = seen;
    if lapsed {
        take_over(tx, id, lane.batch).await?;
    }
    if paused {
        return Ok(Claiming::default());
    }
    if due {
        due::promote(tx, id).await?;
    }
    if lapsed || due {
        (seen, picked) = look(tx, id, lane, ask.hands).await?;
    }
    let (_, lapsed, due, suspect, next) = seen;
    let mut drafts = if suspect { summon(tx, id, lane).await? } else { Vec::new() };
    let more = ask.hands.saturating_sub(drafts.len());
    if let Some(summoned) = drafts.first() {
        let room = MAX_JOBS - summoned.jobs.len();
        picked = pick(tx, id, lane, more, room).await?;
    }
    let (picks, cut) = picked;
    drafts.extend(draft(&mut tx.counters().await?.token, &picks, lane.batch, more));
    let taking = take(tx, id, &drafts)?;
    let ends = note(tx, id, lane, &drafts, ask)?;
    let next = next.into_iter().chain(ends).min();
    let next = next.map(|at| Duration::from_millis(u64::try_from(at - tx.now).unwrap_or(0)));
    let again_in = if lapsed || due || cut { Some(Duration::ZERO) } else { next };
    Ok(Claiming { drafts, taking, again_in })
}

/// What a lane looks like: whether it is paused, a lease has lapsed, something is due, a suspect may be heard, and when,
/// epoch ms, something falls due or lapses next.
type Seen = (bool, bool, bool, bool, Option<i64>);

/// Looks at the lane, and at what could be handed out if nothing else comes first, which is nearly always so.
async fn look(
    tx: &mut Transaction<'_>,
    lane: i64,
    of: &LaneRef,
    hands: usize,
) -> Result<(Seen, Picked), sqlx::Error> {
    let now = tx.now;
    let seen = tx.statement(PEEK).bind(lane).bind(now).ask();
    let picked = pick(tx, lane, of, hands, MAX_JOBS).await?;
    let seen = tx.rows(seen).await?.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    Ok((seen, picked))
}

/// Jobs that may be handed out, and whether a bound of this claim, and not the lane, was reached.
type Picked = (Vec<Pick>, bool);

/// Looks for jobs to hand out.
async fn pick(
    tx: &mut Transaction<'_>,
    id: i64,
    lane: &LaneRef,
    hands: usize,
    room: usize,
) -> Result<Picked, sqlx::Error> {
    if hands == 0 || room == 0 {
        return Ok((Vec::new(), hands > 0));
    }
    if lane.grouped {
        let picks: Vec<Pick> = tx
            .statement(PICK_GROUPED)
            .bind(id)
            .bind(int(hands.min(MAX_GROUPS)))
            .bind(int(lane.batch))
            .bind(int(room))
            .rows()
            .await?;
        let cut = picks.len() == room || (hands > MAX_GROUPS && !picks.is_empty());
        return Ok((picks, cut));
    }
    let wanted = hands.saturating_mul(lane.batch);
    let most = wanted.min(room);
    let picks: Vec<Pick> = tx.statement(PICK_PLAIN).bind(id).bind(int(most)).rows().await?;
    let cut = picks.len() == most && most < wanted;
    Ok((picks, cut))
}

/// Cuts picks into hand-outs: of one group, not over a batch, a doomed job alone, nothing of a group after a suspect.
fn draft(last: &mut i64, picks: &[Pick], batch: usize, most: usize) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut sealed = true;
    let mut barred = None;
    for (group, name, seq, alone, suspect) in picks {
        let same = drafts.last().is_some_and(|last| last.group == *group);
        let joins = same && !sealed && !alone && drafts.last().is_some_and(|last| last.jobs.len() < batch);
        if group.is_some() && (*suspect || barred == Some(*group) || (same && !joins)) {
            barred = Some(*group);
            continue;
        }
        if !joins {
            if drafts.len() >= most {
                break;
            }
            *last += 1;
            let token = *last;
            drafts.push(Draft {
                token,
                group: *group,
                name: name.clone(),
                alone: Alone::No,
                jobs: Vec::new(),
            });
        }
        sealed = *alone;
        if let Some(last) = drafts.last_mut() {
            last.jobs.push(*seq);
        }
    }
    drafts
}
