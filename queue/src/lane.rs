//! What a lane is: a constant that producers, workers and operators share.
//!
//! A lane is described by a `static` and not by rows in the store, because its promises belong to the code that
//! pushes and works it: a lane whose schedule could change under a running worker could not be reasoned about.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use crate::JobId;

/// The description of one lane; producers and workers use the same `static`.
#[derive(Debug, Clone, Copy)]
pub struct LaneSpec {
    /// Name in the store, in logs and in metrics.
    pub name: &'static str,
    /// Whether jobs are ordered within groups.
    pub order: Order,
    /// How long a worker may be silent before its jobs are given to another.
    pub lease: Duration,
    /// Most jobs given to the handler at once; at most 500 are honoured.
    pub batch: usize,
    /// When a failed job is tried again, and when it is given up.
    pub retry: RetrySchedule,
    /// Most unsettled jobs one group may hold; a push beyond it is refused whole.
    pub group_limit: Option<u64>,
    /// Largest payload in bytes.
    pub max_payload: usize,
}

/// How jobs of a lane relate to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any job to any worker, about in order of push.
    Plain,
    /// Jobs of one group in strict order, one batch of a group in flight, groups taking turns.
    Grouped,
}

/// When a failed job is tried again.
#[derive(Debug, Clone, Copy)]
pub enum RetrySchedule {
    /// Exponential backoff with full jitter: a delay drawn from 0 to `min(cap, base × 2ⁿ)`.
    Backoff {
        /// Upper bound of the first delay.
        base: Duration,
        /// Upper bound of every delay.
        cap: Duration,
        /// Attempts in all, the first included.
        attempts: u32,
    },
    /// An explicit delay after each failure; when they are used up the job is dead.
    Steps(&'static [Duration]),
}

impl RetrySchedule {
    /// How many attempts a job has in all, the first included.
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Backoff { attempts, .. } => (*attempts).max(1),
            Self::Steps(steps) => u32::try_from(steps.len()).unwrap_or(u32::MAX - 1) + 1,
        }
    }

    /// The delay after failed attempt number `attempt` (1-based), or `None` when that was the last.
    ///
    /// Jitter is a hash of the job and the attempt: as spread over jobs as a random number, but a test or a
    /// replay sees the same delays again.
    pub fn delay(&self, job: &JobId, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts() {
            return None;
        }
        let step = attempt.saturating_sub(1);
        match self {
            Self::Backoff { base, cap, .. } => {
                let ceiling = base.saturating_mul(2u32.saturating_pow(step.min(31))).min(*cap);
                Some(ceiling.mul_f64(fraction(job, attempt)))
            }
            Self::Steps(steps) => steps.get(step as usize).copied(),
        }
    }
}

/// A number from 0 to 1 that belongs to this attempt of this job.
fn fraction(job: &JobId, attempt: u32) -> f64 {
    let mut hasher = DefaultHasher::new();
    (job, attempt).hash(&mut hasher);
    f64::from((hasher.finish() >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_backoff_never_leaves_its_bounds(id in "[0-9]{1,12}", attempt in 1u32..40, base in 1u64..5_000) {
            let cap = Duration::from_secs(60);
            let retry = RetrySchedule::Backoff { base: Duration::from_millis(base), cap, attempts: 40 };
            let delay = retry.delay(&JobId::from(id), attempt).expect("attempts are left");
            let ceiling = Duration::from_millis(base).saturating_mul(2u32.saturating_pow(attempt - 1)).min(cap);
            prop_assert!(delay <= ceiling);
        }
    }

    #[test]
    fn jitter_spreads_over_the_whole_range() {
        let second = Duration::from_secs(1);
        let retry = RetrySchedule::Backoff { base: second, cap: second, attempts: 2 };
        let mut tenths = [0u32; 10];
        for id in 0..1_000u32 {
            let delay = retry.delay(&JobId::from(id.to_string()), 1).expect("an attempt is left");
            let tenth = usize::try_from(delay.as_millis() / 100).expect("small");
            tenths[tenth.min(9)] += 1;
        }
        assert!(tenths.iter().all(|count| (50..200).contains(count)), "{tenths:?}");
    }

    #[test]
    fn steps_run_out_and_then_the_job_is_dead() {
        const STEPS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(9)];
        let retry = RetrySchedule::Steps(&STEPS);
        let id = JobId::from("7".to_owned());
        assert_eq!(retry.attempts(), 3);
        assert_eq!(retry.delay(&id, 1), Some(STEPS[0]));
        assert_eq!(retry.delay(&id, 2), Some(STEPS[1]));
        assert_eq!(retry.delay(&id, 3), None);
    }
}
