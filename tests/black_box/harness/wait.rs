//! Waiting for conditions: the only way in which these tests pass time.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long a condition may take on a machine that is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(60);
const PACE: Duration = Duration::from_millis(15);

/// Asks `condition` until it answers; panics with `what` when it has not within a minute.
#[track_caller]
pub fn wait_until<T, F: Future<Output = Option<T>>>(
    what: &str,
    condition: impl FnMut() -> F,
) -> impl Future<Output = T> {
    wait_within(DEADLINE, what, condition)
}

/// Asks `condition` until it answers; panics with `what` when it has not before `deadline`.
#[track_caller]
fn wait_within<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    condition: impl FnMut() -> F,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        match eventually(deadline, condition).await {
            Some(value) => value,
            None => panic!("{place}: waited {deadline:?} in vain until {what}"),
        }
    }
}

/// Lets this much time pass: how long something lasts, not something that is waited for.
pub async fn pass(time: Duration) {
    eventually(time, || async { None::<()> }).await;
}

/// Asks `condition` until it answers, or `None` once `deadline` has passed.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    deadline: Duration,
    mut condition: impl FnMut() -> F,
) -> Option<T> {
    let end = Instant::now() + deadline;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        if let Some(value) = condition().await {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
    }
}
