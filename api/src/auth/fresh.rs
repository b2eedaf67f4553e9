//! What was read a moment ago, so that not every request asks the database who calls.
//!
//! An entry answers for two seconds from when its read began. While the database is away an entry answers for five minutes,
//! so that accepting operations goes on. What this process changes is forgotten at once, also if it is being read just then.
//! What another process changes (a sign-out, a revoked token, a lost role) holds here two seconds after it was committed,
//! without a message, so no lost message can make it later. Only what is there is kept: strangers cost no memory.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
};

use fairy_jobs::ports::{PortError, PortResult};
use jiff::{SignedDuration, Timestamp};

/// How long an entry answers.
const FRESH: SignedDuration = SignedDuration::from_secs(2);
/// How long it answers while the database is away.
const STALE: SignedDuration = SignedDuration::from_mins(5);
/// The most entries.
const MOST: usize = 20_000;

/// How many reads in a row must fail until the database counts as away: one may meet a moment of load.
const AWAY: u32 = 3;

/// Whether the database answered when it was last asked: how many reads in a row it did not. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach(Arc<AtomicU32>);

impl Reach {
    /// Notes how a read ended.
    pub fn note<T>(&self, result: &PortResult<T>) {
        match result {
            Ok(_) => self.0.store(0, Ordering::Relaxed),
            Err(PortError::Unavailable(_)) => {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => {}
        }
    }

    /// Whether it is known to be away.
    pub fn away(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= AWAY
    }
}

/// Entries of one kind.
pub(crate) struct Fresh<K, V> {
    held: Mutex<HashMap<K, (V, Timestamp)>>,
    /// Counts what was forgotten, so that a read begun before does not bring it back.
    forgotten: AtomicU64,
}

impl<K, V> Default for Fresh<K, V> {
    fn default() -> Self {
        Self { held: Mutex::default(), forgotten: AtomicU64::new(0) }
    }
}

impl<K: Hash + Eq + Clone, V: Clone> Fresh<K, V> {
    /// The entry, or what `read` finds.
    pub async fn get(
        &self,
        key: &K,
        now: Timestamp,
        reach: &Reach,
        read: impl Future<Output = PortResult<Option<V>>>,
    ) -> PortResult<Option<V>> {
        if let Some(value) = self.within(key, now, FRESH) {
            return Ok(Some(value));
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let found = read.await;
        reach.note(&found);
        match found {
            Ok(Some(value)) => {
                self.keep(key, &value, now, before);
                Ok(Some(value))
            }
            Ok(None) => {
                self.lock().remove(key);
                Ok(None)
            }
            Err(PortError::Unavailable(cause)) => {
                self.within(key, now, STALE).map(Some).ok_or(PortError::Unavailable(cause))
            }
            Err(error) => Err(error),
        }
    }

    /// Notes something about an entry: here first, so that nobody notes it a second time, then where it is kept. However
    /// that ends the entry stays, for in an outage there is no other.
    pub async fn note(
        &self,
        key: &K,
        here: impl FnOnce(&mut V),
        there: impl Future<Output = PortResult<()>>,
    ) -> PortResult<()> {
        if let Some((value, _)) = self.lock().get_mut(key) {
            here(value);
        }
        there.await
    }

    /// Forgets the entries of which `gone` holds.
    pub fn forget(&self, gone: impl Fn(&K, &V) -> bool) {
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        self.lock().retain(|key, (value, _)| !gone(key, value));
    }

    fn within(&self, key: &K, now: Timestamp, age: SignedDuration) -> Option<V> {
        let held = self.lock();
        let (value, at) = held.get(key)?;
        // A clock that was set back must not make anything last longer.
        (SignedDuration::ZERO..age).contains(&now.duration_since(*at)).then(|| value.clone())
    }

    fn keep(&self, key: &K, value: &V, now: Timestamp, before: u64) {
        let mut held = self.lock();
        if self.forgotten.load(Ordering::Acquire) != before {
            return;
        }
        if held.len() >= MOST && !held.contains_key(key) {
            held.retain(|_, (_, at)| now.duration_since(*at) < FRESH);
        }
        if held.len() < MOST {
            held.insert(key.clone(), (value.clone(), now));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, Timestamp)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    async fn get(
        cache: &Fresh<u8, u8>,
        at: Timestamp,
        found: PortResult<Option<u8>>,
    ) -> PortResult<Option<u8>> {
        cache.get(&1, at, &Reach::default(), async { found }).await
    }

    fn away() -> PortResult<Option<u8>> {
        Err(PortError::Unavailable("away".into()))
    }

    #[tokio::test]
    async fn an_entry_ages() {
        let (cache, start) = (Fresh::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(get(&cache, start, Ok(Some(7))).await, Ok(Some(7)));
        assert_eq!(get(&cache, start + 1.second(), Ok(None)).await, Ok(Some(7)), "fresh");
        assert_eq!(
            get(&cache, start + 4.minutes(), away()).await,
            Ok(Some(7)),
            "stale, but there is nothing better"
        );
        assert!(get(&cache, start + 5.minutes(), away()).await.is_err(), "too old");
        assert_eq!(get(&cache, start + 3.seconds(), Ok(None)).await, Ok(None), "gone");
        assert!(get(&cache, start + 3.seconds(), away()).await.is_err());
    }

    #[tokio::test]
    async fn what_was_revoked_while_it_was_read_is_not_kept() {
        let (cache, start) = (Fresh::<u8, u8>::default(), Timestamp::UNIX_EPOCH);
        let read = async {
            cache.forget(|_, _| true);
            Ok(Some(7))
        };
        assert_eq!(cache.get(&1, start, &Reach::default(), read).await, Ok(Some(7)));
        assert_eq!(get(&cache, start, Ok(None)).await, Ok(None));
    }

    #[tokio::test]
    async fn what_another_process_revokes_holds_after_two_seconds() {
        let (one, two) = (Fresh::<u8, u8>::default(), Fresh::<u8, u8>::default());
        let start = Timestamp::UNIX_EPOCH + 1.hour();
        get(&one, start, Ok(Some(7))).await.unwrap();
        // However long this read takes, it began before what comes now.
        get(&two, start, Ok(Some(7))).await.unwrap();
        one.forget(|_, _| true);
        let row = || Ok(None);
        assert_eq!(get(&one, start, row()).await, Ok(None), "at once where it was done");
        let last = start + 2.seconds() - 1.nanosecond();
        assert_eq!(get(&two, last, row()).await, Ok(Some(7)));
        assert_eq!(get(&two, start + 2.seconds(), row()).await, Ok(None));
        // A clock that is set back costs a read, and never a revocation.
        get(&two, start, Ok(Some(7))).await.unwrap();
        assert_eq!(get(&two, start - 1.minute(), row()).await, Ok(None));
    }

    #[tokio::test]
    async fn a_note_that_fails_costs_nobody_their_entry() {
        let (cache, start) = (Fresh::<u8, u8>::default(), Timestamp::UNIX_EPOCH);
        get(&cache, start, Ok(Some(7))).await.unwrap();
        let noted = cache.note(&1, |value| *value = 8, async { Err(PortError::Unavailable("away".into())) });
        assert!(noted.await.is_err());
        assert_eq!(get(&cache, start + 1.second(), Ok(None)).await, Ok(Some(8)), "it is not noted again");
        assert_eq!(get(&cache, start + 4.minutes(), away()).await, Ok(Some(8)));
        cache.note(&1, |value| *value = 9, async { Ok(()) }).await.unwrap();
        assert_eq!(get(&cache, start + 4.minutes(), away()).await, Ok(Some(9)), "nor does one that succeeds");
        // What is not held is not brought back: it may have been forgotten while it was read.
        cache.forget(|_, _| true);
        cache.note(&1, |value| *value = 10, async { Ok(()) }).await.unwrap();
        assert!(get(&cache, start + 4.minutes(), away()).await.is_err());
    }

    #[tokio::test]
    async fn it_knows_when_the_database_is_away() {
        let (cache, reach) = (Fresh::<u8, u8>::default(), Reach::default());
        for failures in 1..=AWAY {
            let _ = cache.get(&1, Timestamp::UNIX_EPOCH, &reach, async { away() }).await;
            assert_eq!(reach.away(), failures == AWAY);
        }
        let _ = cache.get(&1, Timestamp::UNIX_EPOCH, &reach, async { Ok(None) }).await;
        assert!(!reach.away());
    }
}
