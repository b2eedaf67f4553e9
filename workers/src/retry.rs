//! When a message that could not be sent is tried again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use fairy_jobs::id::DeliveryId;
use jiff::SignedDuration;

const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;

/// How long after each failed attempt the next one is due: first a hiccup is waited out, then a restart, then a
/// greylisting, then an evening in which somebody repairs a mail server.
const DELAYS: [Duration; 7] = [
    Duration::from_secs(5),
    Duration::from_secs(MINUTE),
    Duration::from_secs(5 * MINUTE),
    Duration::from_secs(30 * MINUTE),
    Duration::from_secs(2 * HOUR),
    Duration::from_secs(5 * HOUR),
    Duration::from_secs(10 * HOUR),
];

/// The longest that the other side may ask for.
const MOST: Duration = Duration::from_secs(24 * HOUR);

/// How old a message may grow that waits without fault of its own (RFC 5321 §4.5.4.1: four to five days).
pub(crate) const OLDEST: SignedDuration = SignedDuration::from_hours(5 * 24);
/// The shortest and the longest wait of a message that is held up by itself, without fault of its own.
const HELD: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(15 * MINUTE));

/// How long to wait after failure number `failure` (from 1): a little less or more than the schedule says, so that what
/// failed together does not come again together, and not less than the other side asked for. `None`: given up.
pub(crate) fn delay(id: DeliveryId, failure: u32, asked: Option<Duration>) -> Option<Duration> {
    let step = usize::try_from(failure.saturating_sub(1)).ok()?;
    let scheduled = DELAYS.get(step)?;
    // A hash is as spread over deliveries as a random number, and a test or a replay sees the same delays again.
    let mut hasher = DefaultHasher::new();
    (id.to_bytes(), failure).hash(&mut hasher);
    let tenth = (hasher.finish() >> 32) as f64 / f64::from(u32::MAX) / 5.0;
    Some(scheduled.mul_f64(0.9 + tenth).max(asked.unwrap_or_default().min(MOST)))
}

/// How long a message of this age waits that is held up: half its age, so that it is tried soon while it is young.
pub(crate) fn held(age: SignedDuration) -> Duration {
    (Duration::try_from(age).unwrap_or_default() / 2).clamp(HELD.0, HELD.1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stays_within_a_tenth(id: [u8; 16], failure in 1u32..=7) {
            let scheduled = DELAYS[failure as usize - 1];
            let delay = delay(DeliveryId::from_bytes(id), failure, None).expect("attempts are left");
            prop_assert!(delay >= scheduled.mul_f64(0.899) && delay <= scheduled.mul_f64(1.101));
        }
    }

    #[test]
    fn honours_what_was_asked_within_a_day_and_ends() {
        let id = DeliveryId::from_bytes([1; 16]);
        assert_eq!(delay(id, 1, Some(Duration::from_secs(90))), Some(Duration::from_secs(90)));
        assert_eq!(delay(id, 1, Some(MOST * 3)), Some(MOST));
        assert_eq!(delay(id, 8, None), None);
        assert_eq!(delay(id, 8, Some(MOST)), None);
    }

    #[test]
    fn what_is_held_up_is_tried_often_while_it_is_young() {
        let waits = [0, 60, 3 * 3_600].map(|age| held(SignedDuration::from_secs(age)));
        assert_eq!(waits, [5, 30, 900].map(Duration::from_secs));
    }
}
