//! Ids and secrets from the system's random source.

use std::sync::{Mutex, PoisonError};

use fairy_jobs::id::IdSource;
use jiff::Timestamp;
use rand::{TryRng as _, rngs::SysRng};
use ulid::Ulid;

const RANDOM_BITS: u32 = 80;

/// Makes ids that ascend within a millisecond too, so that what one request makes sorts in the order of making.
#[derive(Debug, Default)]
pub struct OsIds {
    last: Mutex<Option<Ulid>>,
}

impl IdSource for OsIds {
    fn ulid(&self, at: Timestamp) -> Ulid {
        let ms = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let next = last
            .filter(|last| last.timestamp_ms() == ms)
            .and_then(|last| last.random().checked_add(1))
            .filter(|random| random >> RANDOM_BITS == 0);
        let ulid = Ulid::from_parts(ms, next.unwrap_or_else(|| self.random()));
        *last = Some(ulid);
        ulid
    }

    #[expect(
        clippy::panic,
        reason = "without randomness no secret can be made: going on would be worse than stopping"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            panic!("the system's random source failed: {error}");
        }
    }
}

impl OsIds {
    /// The top bit stays free, so that the numbers after it do not run over.
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        u128::from_be_bytes(bytes) >> (128 - RANDOM_BITS + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_within_a_millisecond_and_never_repeat() {
        let ids = OsIds::default();
        let now = Timestamp::from_millisecond(1_800_000_000_000).unwrap();
        let made: Vec<_> = (0..10_000).map(|_| ids.ulid(now)).collect();
        assert!(made.is_sorted_by(|a, b| a < b));
        let before = ids.ulid(Timestamp::UNIX_EPOCH);
        assert_eq!(before.timestamp_ms(), 0);
        assert!(!made.contains(&ids.ulid(now)));
    }
}
