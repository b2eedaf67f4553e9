//! Tokens that this process has drawn from buckets which it shares with others.
//!
//! To ask for each token would cost each request several round trips. So of a large bucket a process draws a part, at most
//! [`SHARE`]th, and hands that out by itself for a few seconds; what is left then is lost, which makes a limit at most that
//! much stricter and never looser. Of a small bucket, where each token counts, it draws what it needs.
//!
//! For one key one request draws at a time, or all that wait would draw a part each.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairy_jobs::{
    ports::{Limiter, PortResult},
    rate::{Rate, Taken},
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::Key;

/// Which part of a bucket is drawn at most, and how many keys' draws do not wait for each other.
const SHARE: u32 = 128;
const AT_ONCE: usize = 64;
/// How long a draft is good.
const GOOD: SignedDuration = SignedDuration::from_secs(10);
/// The most drafts of one kind; beyond it each token is asked for.
const MOST: usize = 20_000;

/// Tokens drawn and not yet used.
#[derive(Clone, Copy)]
struct Draft {
    left: u32,
    at: Timestamp,
}

/// Drafts on buckets of one kind.
pub(super) struct Drafts<K> {
    kind: &'static str,
    rate: Rate,
    limiter: Arc<dyn Limiter>,
    held: Mutex<HashMap<K, Draft>>,
    drawing: [tokio::sync::Mutex<()>; AT_ONCE],
    hasher: RandomState,
}

impl<K: Key> Drafts<K> {
    /// Drafts on the buckets of this kind.
    pub fn new(kind: &'static str, rate: Rate, limiter: Arc<dyn Limiter>) -> Self {
        let drawing = std::array::from_fn(|_| tokio::sync::Mutex::default());
        Self { kind, rate, limiter, held: Mutex::default(), drawing, hasher: RandomState::new() }
    }

    /// Takes `count` tokens, at most the burst, or none.
    pub async fn take(&self, key: &K, count: u32, now: Timestamp) -> PortResult<Taken> {
        if self.use_draft(key, count, now) {
            return Ok(Taken::Granted(count));
        }
        let place = self.hasher.hash_one(key) % AT_ONCE as u64;
        #[expect(clippy::cast_possible_truncation, reason = "it is less than AT_ONCE")]
        let _drawing = self.drawing[place as usize].lock().await;
        if self.use_draft(key, count, now) {
            return Ok(Taken::Granted(count));
        }
        // What is left of a draft is this request's until it is known whether there is more.
        let rest = self.lock().remove(key).filter(|draft| draft.is_good(now));
        let left = rest.map_or(0, |draft| draft.left);
        let least = count.saturating_sub(left);
        let counts = least..=least.saturating_add(self.rate.burst / SHARE);
        match self.limiter.take(&self.bucket(key), self.rate, counts).await {
            Ok(Taken::Granted(granted)) => {
                self.keep(
                    key,
                    Draft { left: left.saturating_add(granted).saturating_sub(count), at: now },
                    now,
                );
                Ok(Taken::Granted(count))
            }
            refused => {
                rest.into_iter().for_each(|rest| self.keep(key, rest, now));
                refused
            }
        }
    }

    /// The bucket's name: a hash, for addresses are nobody else's business, and of one length.
    fn bucket(&self, key: &K) -> String {
        use std::fmt::Write as _;
        let mut hash = Sha256::new();
        hash.update(key.bytes());
        let mut name = format!("rate:{}:", self.kind);
        for byte in &hash.finalize()[..16] {
            // Writing to a text cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name
    }

    fn use_draft(&self, key: &K, count: u32, now: Timestamp) -> bool {
        let mut held = self.lock();
        let Some(draft) = held.get_mut(key).filter(|draft| draft.is_good(now) && draft.left >= count) else {
            return false;
        };
        draft.left -= count;
        true
    }

    fn keep(&self, key: &K, draft: Draft, now: Timestamp) {
        let mut held = self.lock();
        if held.len() >= MOST {
            held.retain(|_, draft| draft.is_good(now));
        }
        if draft.left > 0 && held.len() < MOST {
            held.insert(key.clone(), draft);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Draft>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Draft {
    fn is_good(&self, now: Timestamp) -> bool {
        (SignedDuration::ZERO..GOOD).contains(&now.duration_since(self.at))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use async_trait::async_trait;
    use futures::future::join_all;
    use jiff::ToSpan as _;

    use super::*;

    /// One bucket that does not refill.
    struct Shared {
        tokens: Mutex<u32>,
        asked: Mutex<Vec<RangeInclusive<u32>>>,
    }

    #[async_trait]
    impl Limiter for Shared {
        async fn take(&self, bucket: &str, _: Rate, counts: RangeInclusive<u32>) -> PortResult<Taken> {
            assert_eq!(bucket.len(), "rate:test:".len() + 32, "{bucket}");
            self.asked.lock().unwrap().push(counts.clone());
            tokio::task::yield_now().await;
            let mut tokens = self.tokens.lock().unwrap();
            if *tokens < *counts.start() {
                return Ok(Taken::Wait(std::time::Duration::from_secs(1)));
            }
            let granted = (*tokens).min(*counts.end());
            *tokens -= granted;
            Ok(Taken::Granted(granted))
        }
    }

    fn shared(tokens: u32) -> Arc<Shared> {
        Arc::new(Shared { tokens: Mutex::new(tokens), asked: Mutex::default() })
    }

    fn drafts(rate: Rate, limiter: &Arc<Shared>) -> Drafts<[u8; 16]> {
        Drafts::new("test", rate, Arc::clone(limiter) as Arc<dyn Limiter>)
    }

    async fn granted(drafts: &Drafts<[u8; 16]>, count: u32, at: Timestamp) -> bool {
        drafts.take(&[1; 16], count, at).await.unwrap() == Taken::Granted(count)
    }

    #[tokio::test]
    async fn of_a_small_bucket_each_token_is_asked_for() {
        let limiter = shared(3);
        let drafts = drafts(Rate::per_hour(3, 3), &limiter);
        for wanted in [true, true, true, false] {
            assert_eq!(granted(&drafts, 1, Timestamp::UNIX_EPOCH).await, wanted);
        }
        assert_eq!(*limiter.asked.lock().unwrap(), vec![1..=1; 4]);
    }

    #[tokio::test]
    async fn of_a_large_bucket_a_part_is_drawn_for_many_and_none_is_given_twice() {
        let limiter = shared(2_000);
        let rate = Rate::per_hour(SHARE * 100, 1);
        let processes = [drafts(rate, &limiter), drafts(rate, &limiter)];
        let start = Timestamp::UNIX_EPOCH;
        let takes = (0..3_000).map(|n| granted(&processes[n % 2], 1, start));
        let done = join_all(takes).await.into_iter().filter(|done| *done).count();
        assert_eq!(done, 2_000, "what one drew the other does not have");
        let asked = limiter.asked.lock().unwrap().len();
        assert!(asked < 20 + 1_000 + 10, "{asked}: the refused each ask, the others a hundred together");
        *limiter.tokens.lock().unwrap() = 150;
        assert!(granted(&processes[0], 1, start).await);
        assert!(granted(&processes[0], 140, start).await, "what is left counts");
        assert!(!granted(&processes[0], 20, start).await);
        assert!(granted(&processes[0], 9, start).await, "a refusal takes nothing away");
    }

    #[tokio::test]
    async fn a_draft_is_good_for_a_while() {
        let limiter = shared(300);
        let drafts = drafts(Rate::per_hour(SHARE * 100, 1), &limiter);
        let start = Timestamp::UNIX_EPOCH;
        for (at, left) in [(start, 199), (start + 9.seconds(), 199), (start + 10.seconds(), 98)] {
            assert!(granted(&drafts, 1, at).await);
            assert_eq!(*limiter.tokens.lock().unwrap(), left);
        }
    }
}
