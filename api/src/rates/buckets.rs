//! Buckets in this process, in a map of bounded size.
//!
//! A bucket that is full again is forgotten, so the map holds only who asked lately. Should more than [`MOST`] ask at
//! once, the fullest buckets are forgotten first: that forgives who asked least, and never locks anybody out.

use std::{collections::HashMap, hash::Hash, sync::Mutex, sync::PoisonError};

use fairy_jobs::rate::{Level, Rate, Taken};
use jiff::Timestamp;

/// The most buckets of one kind.
const MOST: usize = 20_000;

/// Buckets of one kind.
pub(super) struct Buckets<K> {
    rate: Rate,
    held: Mutex<HashMap<K, Level>>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets that refill at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { rate, held: Mutex::default() }
    }

    /// Takes `count` tokens or none.
    pub fn take(&self, key: &K, count: u32, now: Timestamp) -> Taken {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST && !held.contains_key(key) {
            self.forget(&mut held, now);
        }
        let full = Level::full(self.rate, now);
        held.entry(key.clone()).or_insert(full).take(self.rate, count, now)
    }

    fn forget(&self, held: &mut HashMap<K, Level>, now: Timestamp) {
        held.retain(|_, level| !level.refilled(self.rate, now).is_full(self.rate));
        if held.len() >= MOST {
            let mut levels: Vec<f64> = held.values().map(|level| level.tokens()).collect();
            let middle = levels.len() / 2;
            let (_, median, _) = levels.select_nth_unstable_by(middle, f64::total_cmp);
            let median = *median;
            held.retain(|_, level| level.tokens() < median);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::ToSpan as _;

    use super::*;

    const ONE: Taken = Taken::Granted(1);

    #[test]
    fn a_bucket_empties_and_refills_with_time() {
        let buckets = Buckets::new(Rate::per_minute(3, 6));
        let start = Timestamp::UNIX_EPOCH;
        let take = |key: &'static str, at| buckets.take(&key, 1, at);
        assert!((0..3).all(|_| take("a", start) == ONE));
        assert_eq!(take("a", start), Taken::Wait(Duration::from_secs(10)));
        assert_eq!(take("b", start), ONE, "another key has a bucket of its own");
        assert_ne!(take("a", start + 9.seconds()), ONE);
        assert_eq!(take("a", start + 10.seconds()), ONE);
        let later = start + 1.hour();
        assert!((0..3).all(|_| take("a", later) == ONE));
        assert_ne!(take("a", later), ONE, "a bucket holds no more than its burst");
    }

    #[test]
    fn many_strangers_do_not_fill_the_memory() {
        let buckets = Buckets::new(Rate::per_minute(3, 6));
        let start = Timestamp::UNIX_EPOCH;
        assert_eq!(buckets.take(&usize::MAX, 3, start), Taken::Granted(3));
        assert!((0..MOST * 2).all(|key| buckets.take(&key, 1, start) == ONE));
        assert!(buckets.held.lock().unwrap().len() <= MOST);
        assert_ne!(buckets.take(&usize::MAX, 1, start), ONE, "who asked most is remembered longest");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let buckets = Buckets::new(Rate::per_minute(1, 60));
        let start = Timestamp::UNIX_EPOCH + 1.hour();
        assert_eq!(buckets.take(&(), 1, start), ONE);
        assert_ne!(buckets.take(&(), 1, Timestamp::UNIX_EPOCH), ONE);
    }
}
