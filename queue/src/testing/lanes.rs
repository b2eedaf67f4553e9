//! The lanes of the suite.

use std::time::Duration;

use crate::{LaneSpec, Order, RetrySchedule};

const MINUTE: Duration = Duration::from_secs(60);
const STEPS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(20)];

const fn lane(name: &'static str, order: Order, batch: usize) -> LaneSpec {
    LaneSpec {
        name,
        order,
        lease: MINUTE,
        batch,
        retry: RetrySchedule::Steps(&STEPS),
        group_limit: None,
        max_payload: 1_024,
    }
}

/// Plain, one job at a time.
pub static SINGLE: LaneSpec = lane("single", Order::Plain, 1);
/// Plain, in batches.
pub static PLAIN: LaneSpec = lane("plain", Order::Plain, 10);
/// Plain, in large batches.
pub static BULK: LaneSpec = lane("bulk", Order::Plain, 500);
/// Grouped, in batches.
pub static GROUPED: LaneSpec = lane("grouped", Order::Grouped, 10);
/// Grouped, a few jobs to a group.
pub static TIGHT: LaneSpec = LaneSpec { group_limit: Some(3), ..lane("tight", Order::Grouped, 10) };
/// Plain, a lease shorter than its jobs run.
pub static BRISK: LaneSpec =
    LaneSpec { lease: Duration::from_millis(2_400), ..lane("brisk", Order::Plain, 1) };
/// Plain, retried at once and often.
pub static EAGER: LaneSpec = LaneSpec {
    retry: RetrySchedule::Backoff { base: Duration::ZERO, cap: Duration::ZERO, attempts: 4 },
    ..lane("eager", Order::Plain, 10)
};
/// Grouped, retried at once and often.
pub static EAGER_GROUPED: LaneSpec = LaneSpec {
    retry: RetrySchedule::Backoff { base: Duration::ZERO, cap: Duration::ZERO, attempts: 4 },
    ..lane("eager_grouped", Order::Grouped, 10)
};
/// Plain, exponential backoff.
pub static BACKOFF: LaneSpec = LaneSpec {
    retry: RetrySchedule::Backoff {
        base: Duration::from_secs(64),
        cap: Duration::from_secs(64),
        attempts: 3,
    },
    ..lane("backoff", Order::Plain, 500)
};
