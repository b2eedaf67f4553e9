//! How often something may be done: a token bucket holds so many at most, and they come back evenly with time.

use std::{ops::RangeInclusive, time::Duration};

use jiff::Timestamp;

/// The seconds in which a rate's count comes back.
const HOUR: f64 = 3_600.0;

/// A token bucket: this many at once, refilled evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// The most at once.
    pub burst: u32,
    /// How many come back in an hour.
    pub per_hour: u32,
}

impl Rate {
    /// This many at once, and `count` more in a second.
    pub const fn per_second(burst: u32, count: u32) -> Self {
        Self { burst, per_hour: count.saturating_mul(3_600) }
    }

    /// This many at once, and `count` more in a minute.
    pub const fn per_minute(burst: u32, count: u32) -> Self {
        Self { burst, per_hour: count.saturating_mul(60) }
    }

    /// This many at once, and `count` more in an hour.
    pub const fn per_hour(burst: u32, count: u32) -> Self {
        Self { burst, per_hour: count }
    }

    /// `factor` times as many of both.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self { burst: self.burst.saturating_mul(factor), per_hour: self.per_hour.saturating_mul(factor) }
    }

    fn per_hour_at_least_one(self) -> f64 {
        f64::from(self.per_hour.max(1))
    }
}

/// What came of taking tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// So many were taken.
    Granted(u32),
    /// None was; there will be enough after so long, if nobody else takes any.
    Wait(Duration),
}

/// What a bucket holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    tokens: f64,
    at: Timestamp,
}

impl Level {
    /// A full bucket.
    pub fn full(rate: Rate, now: Timestamp) -> Self {
        Self { tokens: f64::from(rate.burst), at: now }
    }

    /// The bucket at a later moment; a clock that goes back gives nothing.
    #[must_use]
    pub fn refilled(self, rate: Rate, now: Timestamp) -> Self {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        let tokens = self.tokens + passed * rate.per_hour_at_least_one() / HOUR;
        Self { tokens: tokens.min(f64::from(rate.burst)), at: now }
    }

    /// Takes `count` tokens or none; a count above the burst takes the whole burst.
    pub fn take(&mut self, rate: Rate, count: u32, now: Timestamp) -> Taken {
        self.take_within(rate, count..=count, now)
    }

    /// Takes as many tokens as there are within `counts`, or none; what is over the burst counts as the burst.
    pub fn take_within(&mut self, rate: Rate, counts: RangeInclusive<u32>, now: Timestamp) -> Taken {
        *self = self.refilled(rate, now);
        let (least, most) = (*counts.start().min(&rate.burst), *counts.end().min(&rate.burst));
        let missing = f64::from(least) - self.tokens;
        if missing > 0.0 {
            return Taken::Wait(Duration::from_secs_f64(missing * HOUR / rate.per_hour_at_least_one()));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the burst"
        )]
        let count = (self.tokens as u32).min(most);
        self.tokens -= f64::from(count);
        Taken::Granted(count)
    }

    /// How many tokens there are.
    pub const fn tokens(self) -> f64 {
        self.tokens
    }

    /// Whether none is missing, so that the bucket may be forgotten.
    pub fn is_full(self, rate: Rate) -> bool {
        self.tokens >= f64::from(rate.burst)
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    #[test]
    fn a_level_falls_and_rises_with_time() {
        let (rate, start) = (Rate::per_second(10, 5), Timestamp::UNIX_EPOCH);
        let mut level = Level::full(rate, start);
        assert_eq!(level.take(rate, 99, start), Taken::Granted(10), "no more than the burst");
        assert_eq!(level.take(rate, 2, start), Taken::Wait(Duration::from_millis(400)));
        assert_eq!(level.take(rate, 2, start - 1.hour()), Taken::Wait(Duration::from_millis(400)));
        let mut level = level.refilled(rate, start);
        assert_eq!(level.take(rate, 2, start + 400.milliseconds()), Taken::Granted(2));
        assert!(!level.is_full(rate));
        assert!(level.refilled(rate, start + 1.hour()).is_full(rate));
    }
}
