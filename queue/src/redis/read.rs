//! What is asked of a lane without changing it.

use std::time::Duration;

use crate::{AuditEntry, DeadPage, Found, FoundState, JobId, LaneSpec, LaneStats, Order, Page};

use super::failure::Failure;
use super::link::Link;
use super::record::letter;
use super::reply::{bytes, list, maybe_text, number, text, texts};
use super::script::{Call, DEAD, FIND, OLDEST, STATS};

/// Looks for a job by its unique key.
pub(super) async fn find(link: &Link, lane: &str, key: &str) -> Result<Option<Found>, Failure> {
    let mut call = Call::new(&FIND, &link.key(lane));
    call.arg(key);
    let mut items = list(link.look(&call).await?)?.into_iter();
    let (Some(id), Some(tag), Some(place)) = (items.next(), items.next(), items.next()) else {
        return Ok(None);
    };
    let state = match text(place)?.as_str() {
        "running" => FoundState::Running,
        "waiting" => FoundState::Waiting,
        "dead" => FoundState::Dead,
        _ => FoundState::Settled,
    };
    Ok(Some(Found { id: JobId::from(text(id)?), tag: maybe_text(tag)?, state }))
}

/// Counts a lane.
pub(super) async fn stats(link: &Link, lane: &str) -> Result<LaneStats, Failure> {
    let items = list(link.look(&Call::new(&STATS, &link.key(lane))).await?)?;
    let numbers = items.iter().map(number).collect::<Result<Vec<i64>, Failure>>()?;
    let [waiting, later, in_flight, dead, paused, paused_groups, oldest] = numbers[..] else {
        return Err(Failure::Unknown("the server counted something else".into()));
    };
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(LaneStats {
        waiting: count(waiting),
        later: count(later),
        in_flight: count(in_flight),
        dead: count(dead),
        oldest: u64::try_from(oldest).ok().map(Duration::from_millis),
        paused: paused == 1,
        paused_groups: count(paused_groups),
    })
}

/// The age of the oldest job that is not settled.
pub(super) async fn oldest_held(link: &Link, lane: &LaneSpec) -> Result<Option<Duration>, Failure> {
    let mut call = Call::new(&OLDEST, &link.key(lane.name));
    call.arg(u8::from(lane.order == Order::Grouped));
    let age = number(&link.look(&call).await?)?;
    Ok(u64::try_from(age).ok().map(Duration::from_millis))
}

/// Lists dead letters.
pub(super) async fn dead(link: &Link, lane: &str, page: &Page) -> Result<DeadPage, Failure> {
    let limit = page.limit.clamp(1, 500) as usize;
    let after: u64 = page.after.as_ref().and_then(|id| id.as_str().parse().ok()).unwrap_or(0);
    let mut call = Call::new(&DEAD, &link.key(lane));
    call.arg(after).arg(limit + 1);
    let mut items = Vec::new();
    for row in list(link.look(&call).await?)? {
        let mut row = list(row)?.into_iter();
        if let (Some(id), Some(record), Some(epitaph)) = (row.next(), row.next(), row.next()) {
            items.push(letter(text(id)?, &bytes(record)?, &bytes(epitaph)?));
        }
    }
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(|last| last.id.clone()) } else { None };
    Ok(DeadPage { items, next })
}

/// The last things operators did in any lane, newest first.
pub(super) async fn audit(link: &Link, limit: u32) -> Result<Vec<AuditEntry>, Failure> {
    let limit = limit.min(500);
    let mut entries = Vec::new();
    for lane in lanes(link).await? {
        let key = format!("{}:audit", link.key(&lane));
        let mut command = redis::cmd("LRANGE");
        command.arg(&key).arg(-i64::from(limit.max(1))).arg(-1);
        let rows = list(link.send(&key, &command).await?)?;
        for row in rows.into_iter().rev() {
            let entry = serde_json::from_slice(&bytes(row)?);
            entries.push(entry.map_err(|error| Failure::Unknown(error.to_string()))?);
        }
    }
    entries.sort_by_key(|entry: &AuditEntry| std::cmp::Reverse(entry.at));
    entries.truncate(limit as usize);
    Ok(entries)
}

/// The names of all lanes that were ever used.
pub(super) async fn lanes(link: &Link) -> Result<Vec<String>, Failure> {
    let value = link.send(link.lanes_key(), redis::cmd("SMEMBERS").arg(link.lanes_key())).await?;
    match value {
        redis::Value::Set(items) => items.into_iter().map(text).collect(),
        other => texts(other),
    }
}
