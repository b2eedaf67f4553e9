//! What changes without a command, and who is to hear of it.
//!
//! Workers sleep until their lane is woken or something is due by the clock. Two things would pass them by: what an
//! operator's tool wrote in another process, and a clock that was set. The writer looks for both now and then, and
//! forgets unique keys whose lifetime is over while it is at it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sqlx::SqliteConnection;
use tokio::time::Instant;

pub(super) use crate::wakes::Wakes;

const FILE_CHANGED: &str = "PRAGMA data_version";

const PURGE_KEYS: &str = "
DELETE FROM uniques
WHERE (lane, key) IN (SELECT lane, key FROM uniques WHERE until IS NOT NULL AND until <= ?1 LIMIT 500)
";

/// How far the clock may be from where it should be, in ms.
const DRIFT: i64 = 500;

/// The clock of leases and due times, with the offset that only tests set.
pub(super) struct Time {
    pub clock: Arc<dyn Fn() -> i64 + Send + Sync>,
    pub offset: AtomicI64,
}

impl Time {
    /// Epoch ms.
    pub fn now(&self) -> i64 {
        (self.clock)() + self.offset.load(Ordering::Relaxed)
    }
}

/// What the writer saw when it looked last.
#[derive(Default)]
pub(super) struct Noticed {
    version: Option<i64>,
    clock: Option<(i64, Instant)>,
}

impl Noticed {
    /// Looks, and wakes all lanes if the file was changed by another process or the clock was set.
    pub async fn look(&mut self, conn: &mut SqliteConnection, time: &Time, wakes: &Wakes) {
        let version = sqlx::query_scalar(FILE_CHANGED).fetch_one(&mut *conn).await.ok();
        let (now, at) = (time.now(), Instant::now());
        let set = self.clock.is_some_and(|(was, then)| {
            let passed = i64::try_from((at - then).as_millis()).unwrap_or(i64::MAX);
            (now - was).abs_diff(passed) > DRIFT.unsigned_abs()
        });
        if version != self.version || set {
            wakes.wake(|_| true);
        }
        (self.version, self.clock) = (version, Some((now, at)));
        if let Err(error) = sqlx::query(PURGE_KEYS).bind(now).execute(conn).await {
            tracing::warn!(%error, "unique keys could not be purged");
        }
    }
}
