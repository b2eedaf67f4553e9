//! When a message that could not be sent is tried again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use fairy_jobs::id::DeliveryId;

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

/// How long to wait after failed attempt number `attempt` (from 1): a little less or more than the schedule says, so that
/// what failed together does not come again together, and not less than the other side asked for. `None`: given up.
pub(crate) fn delay(id: DeliveryId, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
    let step = usize::try_from(attempt.saturating_sub(1)).ok()?;
    let scheduled = DELAYS.get(step)?;
    // A hash is as spread over deliveries as a random number, and a test or a replay sees the same delays again.
    let mut hasher = DefaultHasher::new();
    (id.to_bytes(), attempt).hash(&mut hasher);
    let tenth = (hasher.finish() >> 32) as f64 / f64::from(u32::MAX) / 5.0;
    Some(scheduled.mul_f64(0.9 + tenth).max(asked.unwrap_or_default().min(MOST)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn stays_within_a_tenth(id: [u8; 16], attempt in 1u32..=7) {
            let scheduled = DELAYS[attempt as usize - 1];
            let delay = delay(DeliveryId::from_bytes(id), attempt, None).expect("attempts are left");
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
}
