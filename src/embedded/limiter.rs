//! Token buckets of a process that has nobody to share them with.
//!
//! A bucket that is full again is forgotten now and then, so the map holds only what was used lately.

use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    ports::{Limiter, PortResult},
    rate::{Level, Rate, Taken},
};

/// From how many buckets on the full ones are forgotten.
const MANY: usize = 1_000;

/// The limiter.
pub struct OwnLimiter {
    clock: Arc<dyn Clock>,
    held: Mutex<HashMap<String, (Rate, Level)>>,
}

impl OwnLimiter {
    /// A limiter by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, held: Mutex::default() }
    }
}

#[async_trait]
impl Limiter for OwnLimiter {
    async fn take(&self, bucket: &str, rate: Rate, counts: RangeInclusive<u32>) -> PortResult<Taken> {
        let now = self.clock.now();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= MANY && !held.contains_key(bucket) {
            held.retain(|_, (rate, level)| !level.refilled(*rate, now).is_full(*rate));
        }
        let (_, level) = held.entry(bucket.to_owned()).or_insert((rate, Level::full(rate, now)));
        Ok(level.take_within(rate, counts, now))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicI64, Ordering},
        time::Duration,
    };

    use jiff::Timestamp;

    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
        }
    }

    #[tokio::test]
    async fn each_bucket_has_its_level_and_full_ones_are_forgotten() {
        let clock = Arc::new(Hand(AtomicI64::new(0)));
        let limiter = OwnLimiter::new(clock.clone());
        let rate = Rate::per_second(14, 14);
        let take = async |bucket: &str, counts| limiter.take(bucket, rate, counts).await.unwrap();
        assert_eq!(take("mail", 1..=20).await, Taken::Granted(14), "as many as there are");
        assert_eq!(take("mail", 7..=14).await, Taken::Wait(Duration::from_millis(500)));
        assert_eq!(take("other", 1..=1).await, Taken::Granted(1));
        clock.0.store(1, Ordering::SeqCst);
        assert_eq!(take("mail", 14..=14).await, Taken::Granted(14));
        for number in 0..MANY {
            take(&number.to_string(), 1..=1).await;
        }
        clock.0.store(100, Ordering::SeqCst);
        take("last", 1..=1).await;
        assert_eq!(limiter.held.lock().unwrap().len(), 1);
    }
}
