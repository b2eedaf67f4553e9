//! How long to wait for a service that takes less than it is given.

use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::time::Duration;

/// The first wait and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// Rounds in a row that may bring nothing before the caller is told to come again later.
const MOST_STALLS: u32 = 8;

/// The waits of one piece of work: exponential with full jitter, and for as long as something moves.
///
/// It ends by standstill and not by time, for whoever comes again begins again: with a limit of time, a service that takes
/// a little would be given the same beginning over and over.
#[derive(Debug)]
pub(super) struct Pace {
    seed: u64,
    round: u32,
    stalls: u32,
}

impl Pace {
    /// Waits that are spread over different pieces of work, and the same for the same one.
    pub(super) fn of(work: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        work.hash(&mut hasher);
        Self { seed: hasher.finish(), round: 0, stalls: 0 }
    }

    /// How long to wait after a round that brought something or nothing; `None`: long enough.
    pub(super) fn next(&mut self, moved: bool) -> Option<Duration> {
        self.round += 1;
        self.stalls = if moved { 0 } else { self.stalls + 1 };
        if self.stalls >= MOST_STALLS {
            return None;
        }
        let most = WAITS.0.saturating_mul(1 << self.stalls).min(WAITS.1);
        let mut hasher = DefaultHasher::new();
        (self.seed, self.round).hash(&mut hasher);
        let share = (hasher.finish() >> 32) as f64 / f64::from(u32::MAX);
        Some(most.mul_f64(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_standstill_and_end_with_it() {
        let mut pace = Pace::of("work");
        for _ in 0..100 {
            assert!(pace.next(true).is_some_and(|wait| wait <= WAITS.0));
        }
        let waits: Vec<_> = std::iter::from_fn(|| pace.next(false)).collect();
        assert_eq!(waits.len(), MOST_STALLS as usize - 1);
        for (stalls, wait) in (1..).zip(waits) {
            assert!(wait <= WAITS.0 * (1 << stalls), "{wait:?} after {stalls}");
        }
    }

    #[test]
    fn work_is_spread() {
        let waits: std::collections::BTreeSet<_> = (0..50).map(|n| Pace::of(n).next(false)).collect();
        assert!(waits.len() > 45);
    }
}
