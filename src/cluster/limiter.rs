//! Token buckets on the server, which all processes share: one script call for each take, by the server's clock.
//!
//! Somebody waits for the answer, so it is not waited for long. When there was none nobody asks for a moment, and then one
//! asks for all; meanwhile each caller's own limits count. A take whose answer came too late may count all the same.

use std::{
    ops::RangeInclusive,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fairy_jobs::{
    ports::{Limiter, PortError, PortResult},
    rate::{Rate, Taken},
};
use fairy_queue::redis::{Line, Script};
use tokio::time::{Instant, timeout};

static BUCKET: Script = Script::new(include_str!("bucket.lua"));

/// How long an answer is waited for, unless it is said otherwise.
pub(super) const PATIENCE: Duration = Duration::from_millis(250);
/// How long nobody asks after there was none.
const REST: Duration = Duration::from_secs(1);

/// The limiter.
pub struct SharedLimiter {
    line: Line,
    patience: Duration,
    resting: Mutex<Option<Instant>>,
}

impl SharedLimiter {
    /// A limiter over a line, which waits so long for an answer.
    pub fn new(line: Line, patience: Duration) -> Self {
        Self { line, patience, resting: Mutex::default() }
    }

    /// Notes whether the server answered, and says so when that has changed.
    fn note(&self, error: Option<&str>) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        match (error, resting.is_some()) {
            (Some(error), false) => {
                tracing::warn!(error, "limits are each process's own while the queue's server is away");
            }
            (None, true) => tracing::info!("limits count for all processes again"),
            _ => {}
        }
        *resting = error.map(|_| Instant::now() + REST);
    }

    fn rests(&self) -> bool {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(until) = *resting else { return false };
        let now = Instant::now();
        if now >= until {
            // Who meets this asks, and the others go on resting until they know.
            *resting = Some(now + self.patience);
        }
        now < until
    }
}

#[async_trait]
impl Limiter for SharedLimiter {
    async fn take(&self, bucket: &str, rate: Rate, counts: RangeInclusive<u32>) -> PortResult<Taken> {
        if self.rests() {
            return Err(PortError::Unavailable("the limits' server did not answer a moment ago".into()));
        }
        let (least, most) = (*counts.start(), *counts.end());
        let arguments = [rate.burst, rate.per_hour, least, most].map(u64::from);
        let asked = timeout(self.patience, self.line.numbers(&BUCKET, bucket, &arguments)).await;
        let answer = match asked {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(self.away(error.0)),
            Err(_) => return Err(self.away(format!("no answer within {:?}", self.patience))),
        };
        self.note(None);
        match *answer.as_slice() {
            [0, wait] if wait > 0 => Ok(Taken::Wait(Duration::from_millis(wait.unsigned_abs()))),
            [taken, _] => Ok(Taken::Granted(u32::try_from(taken).unwrap_or(most))),
            _ => Err(PortError::Broken(format!("a bucket answered {answer:?}"))),
        }
    }
}

impl SharedLimiter {
    fn away(&self, error: String) -> PortError {
        self.note(Some(&error));
        PortError::Unavailable(error)
    }
}
