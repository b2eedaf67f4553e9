//! The way out, as far as this process knows it: open, or away since some time.
//!
//! While the mail server is away, or does not take us, only one message at a time asks for it, when it is time, and the
//! others wait for what becomes of that one. So an outage costs one connection a round, however many messages wait, and is
//! told once. The same door lets a suspect out alone: an attempt whose process died is not to be laid at the door of what
//! was sent beside it. Nothing here is kept: a new process finds the way open until it finds out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fairy_jobs::{clock::Clock, notice::Beginning};
use jiff::Timestamp;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long is waited at the least and at the most before the way is tried again.
const WAITS: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15 * 60));

/// The door through which all mail of a process goes.
#[derive(Debug, Default)]
pub(crate) struct Way {
    turns: RwLock<()>,
    outage: Mutex<Option<Outage>>,
}

/// Nothing can be sent for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outage {
    since: Timestamp,
    /// When the way is tried again.
    pub until: Timestamp,
    /// Why.
    pub error: String,
}

/// Whether one may go, and beside whom; leave lasts as long as the value.
pub(crate) enum Leave<'w> {
    /// Beside others.
    Together(RwLockReadGuard<'w, ()>),
    /// While no other goes.
    Alone(RwLockWriteGuard<'w, ()>),
    /// Not now.
    No(Outage),
}

impl Way {
    /// Waits for leave to go together with others, or alone; alone in any case while it is to be found out whether the
    /// way is open again.
    pub async fn leave(&self, how: Beginning, clock: &dyn Clock) -> Leave<'_> {
        if how == Beginning::Together && self.outage().is_none() {
            let turn = self.turns.read().await;
            // Whoever went before may have found out.
            if self.outage().is_none() {
                return Leave::Together(turn);
            }
        }
        let turn = self.turns.write().await;
        match self.outage().clone() {
            Some(outage) if clock.now() < outage.until => Leave::No(outage),
            _ => Leave::Alone(turn),
        }
    }

    /// Notes that nothing can be sent; until when nobody is to try again: soon at first, rarely in the end.
    pub fn is_away(&self, error: &str, now: Timestamp) -> Timestamp {
        let mut outage = self.outage();
        if outage.is_none() {
            tracing::error!(error, "no mail goes out; it waits, and is tried again from time to time");
        }
        let since = outage.as_ref().map_or(now, |outage| outage.since);
        let lasted = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        let until = now.saturating_add((lasted / 2).clamp(WAITS.0, WAITS.1)).unwrap_or(Timestamp::MAX);
        *outage = Some(Outage { since, until, error: error.to_owned() });
        until
    }

    /// Notes that something was sent, or refused for its own sake.
    pub fn is_open(&self, now: Timestamp) {
        if let Some(outage) = self.outage().take() {
            let seconds = now.duration_since(outage.since).as_secs();
            tracing::info!(seconds, "mail goes out again");
        }
    }

    fn outage(&self) -> MutexGuard<'_, Option<Outage>> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
