//! The sweeper: finds what hints lost, and keeps the database small.
//!
//! What there is to do stands in rows; the lanes only carry hints. A hint is lost when a process dies between a commit and
//! the push, or when the lanes are emptied. So every second the rows are asked for work that has waited longer than a
//! hint ever takes. A repeat is harmless, for the jobs are; nothing here may end the loop.

use std::future::Future;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, Utc};
use cron::Schedule;
use fairy_jobs::{
    lane::Sink,
    ports::{PortError, PortResult},
};
use futures::FutureExt as _;
use jiff::Timestamp;

use crate::Services;

/// How long work may wait before it is looked upon as lost.
const GRACE: Duration = Duration::from_secs(5);
/// How often is looked.
const EVERY: Duration = Duration::from_secs(1);
/// How long a sweep that fails again and again waits at the most.
const MOST_WAIT: Duration = Duration::from_secs(30);
/// Workspaces and deliveries that one sweep pushes again.
const AT_ONCE: usize = 500;
/// When is tidied up: at 17 minutes past, when nobody's daily jobs run.
#[expect(clippy::expect_used, reason = "a constant, and a test reads it")]
static TIDYING: LazyLock<Schedule> = LazyLock::new(|| "0 17 * * * *".parse().expect("a cron line"));
/// How much earlier an operation may have been accepted than its lane says: a push is repeated for a while, and the lane
/// has a clock of its own.
const DOUBT: Duration = Duration::from_secs(24 * 60 * 60);
/// Calls of one tidying up.
const PURGES: usize = 20;

/// Looks once for what hints lost, and hints again; what a port could not tell is left to the next time.
pub async fn sweep_once(services: &Services) {
    if let Err(error) = look(services).await {
        tracing::warn!(%error, "the sweeper could not look everywhere");
    }
}

async fn look(services: &Services) -> PortResult<()> {
    let before = services.clock.now().saturating_sub(GRACE).unwrap_or(Timestamp::MIN);
    let mut result = Ok(());
    for sink in Sink::ALL {
        if sink == Sink::Publish && services.bus.is_none() {
            continue;
        }
        match services.sinks.behind(sink, before, AT_ONCE).await {
            Ok(workspaces) if workspaces.is_empty() => {}
            Ok(workspaces) => services.relay.behind(sink, &workspaces).await,
            Err(error) => result = Err(error),
        }
    }
    match services.deliveries.due(before, AT_ONCE).await {
        Ok(due) if due.is_empty() => {}
        Ok(due) => services.relay.due(&due).await,
        Err(error) => result = Err(error),
    }
    result
}

/// Looks every second, and tidies up every hour and at the start, until `stop` ends. That breaks a look off, which may wait
/// for a database that says nothing; what it has begun there is done whole or not at all.
pub async fn sweeper(services: Arc<Services>, stop: impl Future<Output = ()> + Send) {
    let stop = stop.fuse();
    futures::pin_mut!(stop);
    let mut wait = EVERY;
    let mut tidy_at = services.clock.now();
    loop {
        let next = async {
            tokio::time::sleep(wait).await;
            sweep(&services, &mut tidy_at).await
        };
        let result = tokio::select! {
            () = &mut stop => return,
            result = next => result,
        };
        wait = match result {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "the sweeper could not look everywhere");
                (wait * 2).min(MOST_WAIT)
            }
        };
    }
}

/// Tidies up if it is time, and looks.
async fn sweep(services: &Services, tidy_at: &mut Timestamp) -> PortResult<()> {
    let now = services.clock.now();
    if now < *tidy_at {
        return look(services).await;
    }
    let purged = purge(services).await;
    // What one round leaves is taken up by the next, so that tidying keeps up with any load.
    *tidy_at = if matches!(purged, Ok(Purged::Bounded)) { now } else { next_tidying(now) };
    purged.map(drop).and(look(services).await)
}

/// Deletes what nobody needs any more, in small steps, as long as there is any and not for ever at a time. Nothing goes
/// while the lane cannot say what it holds.
async fn purge(services: &Services) -> Result<Purged, PortError> {
    let mut gone = 0;
    for _ in 0..PURGES {
        let settled_before = settled_before(services).await?;
        match services.upkeep.purge(services.clock.now(), settled_before).await? {
            0 => {
                if gone > 0 {
                    tracing::info!(rows = gone, "tidied up");
                }
                return Ok(Purged::All);
            }
            rows => gone += rows,
        }
    }
    tracing::info!(rows = gone, "tidied up, and there is more");
    Ok(Purged::Bounded)
}

/// Before when everything that was accepted is settled.
async fn settled_before(services: &Services) -> PortResult<Timestamp> {
    let now = services.clock.now();
    let age = services.backlog.oldest().await?.unwrap_or_default();
    Ok(now.saturating_sub(age.saturating_add(DOUBT)).unwrap_or(Timestamp::MIN))
}

/// How a round of tidying up ended.
enum Purged {
    /// Nothing is left.
    All,
    /// Its bound was reached.
    Bounded,
}

/// The first time after `now` at which is tidied up.
fn next_tidying(now: Timestamp) -> Timestamp {
    let next = DateTime::<Utc>::from_timestamp_millis(now.as_millisecond())
        .and_then(|now| TIDYING.after(&now).next())
        .and_then(|at| Timestamp::from_millisecond(at.timestamp_millis()).ok());
    // Only the end of the calendar has no next hour.
    next.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tidies_up_once_an_hour() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(next_tidying(at("2026-11-22T17:16:59.999Z")), at("2026-11-22T17:17:00Z"));
        assert_eq!(next_tidying(at("2026-11-22T17:17:00Z")), at("2026-11-22T18:17:00Z"));
    }
}
