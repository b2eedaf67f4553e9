//! How often one may ask: token buckets by address, caller, account and workspace, in a map of bounded size.
//!
//! A bucket that is full again is forgotten, so the map holds only who asked lately. Should more than [`MOST`] ask at
//! once, the fullest buckets are forgotten first: that forgives who asked least, and never locks anybody out.

use std::{collections::HashMap, hash::Hash, sync::Mutex, sync::PoisonError};

use fairy_jobs::problem::{Problem, ProblemKind};
use jiff::Timestamp;

use crate::Rate;

/// The most buckets of one kind.
const MOST: usize = 20_000;
/// The seconds in which a rate's count comes back.
const HOUR: f64 = 3_600.0;

/// Buckets of one kind.
pub(crate) struct Buckets<K> {
    rate: Rate,
    held: Mutex<HashMap<K, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    /// Buckets that refill at this rate.
    pub fn new(rate: Rate) -> Self {
        Self { rate, held: Mutex::default() }
    }

    /// Takes one token, or says when there will be one.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), Problem> {
        self.take_many(key, 1, now)
    }

    /// Takes `count` tokens or none; a count above the burst takes the whole burst.
    pub fn take_many(&self, key: &K, count: u32, now: Timestamp) -> Result<(), Problem> {
        let wanted = f64::from(count.min(self.rate.burst));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MOST && !held.contains_key(key) {
            self.forget(&mut held, now);
        }
        let full = Bucket { tokens: f64::from(self.rate.burst), at: now };
        let bucket = held.entry(key.clone()).or_insert(full);
        *bucket = self.refilled(*bucket, now);
        if bucket.tokens >= wanted {
            bucket.tokens -= wanted;
            return Ok(());
        }
        let seconds = (wanted - bucket.tokens) * HOUR / f64::from(self.rate.per_hour.max(1));
        Err(too_many(seconds))
    }

    fn refilled(&self, bucket: Bucket, now: Timestamp) -> Bucket {
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        let tokens = bucket.tokens + passed * f64::from(self.rate.per_hour) / HOUR;
        Bucket { tokens: tokens.min(f64::from(self.rate.burst)), at: now }
    }

    fn forget(&self, held: &mut HashMap<K, Bucket>, now: Timestamp) {
        let full = f64::from(self.rate.burst);
        held.retain(|_, bucket| self.refilled(*bucket, now).tokens < full);
        if held.len() >= MOST {
            let mut levels: Vec<f64> = held.values().map(|bucket| bucket.tokens).collect();
            let middle = levels.len() / 2;
            let (_, median, _) = levels.select_nth_unstable_by(middle, f64::total_cmp);
            let median = *median;
            held.retain(|_, bucket| bucket.tokens < median);
        }
    }
}

fn too_many(seconds: f64) -> Problem {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of the type"
    )]
    let seconds = seconds.ceil().clamp(1.0, HOUR) as u32;
    let detail = format!("Too many requests. Try again in {seconds} seconds.");
    Problem::new(ProblemKind::TooManyRequests, detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_bucket_empties_and_refills_with_time() {
        let buckets = Buckets::new(Rate::per_minute(3, 6));
        let start = Timestamp::UNIX_EPOCH;
        assert!((0..3).all(|_| buckets.take(&"a", start).is_ok()));
        let refused = buckets.take(&"a", start).unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (ProblemKind::TooManyRequests, Some(10)));
        assert!(buckets.take(&"b", start).is_ok(), "another key has a bucket of its own");
        assert!(buckets.take(&"a", start + 9.seconds()).is_err());
        assert!(buckets.take(&"a", start + 10.seconds()).is_ok());
        let later = start + 1.hour();
        assert!((0..3).all(|_| buckets.take(&"a", later).is_ok()));
        assert!(buckets.take(&"a", later).is_err(), "a bucket holds no more than its burst");
    }

    #[test]
    fn many_strangers_do_not_fill_the_memory() {
        let buckets = Buckets::new(Rate::per_minute(3, 6));
        let start = Timestamp::UNIX_EPOCH;
        (0..3).for_each(|_| buckets.take(&usize::MAX, start).unwrap());
        (0..MOST * 2).for_each(|key| buckets.take(&key, start).unwrap());
        assert!(buckets.held.lock().unwrap().len() <= MOST);
        assert!(buckets.take(&usize::MAX, start).is_err(), "who asked most is remembered longest");
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing() {
        let buckets = Buckets::new(Rate::per_minute(1, 60));
        let start = Timestamp::UNIX_EPOCH + 1.hour();
        assert!(buckets.take(&(), start).is_ok());
        assert!(buckets.take(&(), Timestamp::UNIX_EPOCH).is_err());
    }
}
