//! How fast messages may go.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

/// Whether a message may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    /// Now, and it is counted.
    Go,
    /// Not yet; it is worth asking again after this.
    Wait(Duration),
}

/// Keeps the messages of an account within its rate.
#[async_trait]
pub trait SendRate: Send + Sync + 'static {
    /// Asks for one message. Never fails: whoever keeps the rate elsewhere and cannot reach it lets go, for SES itself
    /// refuses what is too fast, and that costs nobody an attempt.
    async fn permit(&self) -> Permit;
}

/// A token bucket of this process alone.
#[derive(Debug)]
pub struct Bucket {
    per_second: f64,
    most: f64,
    state: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// So many messages a second, and at most as many at once; at least one every 100 s.
    pub fn new(per_second: f64) -> Self {
        let per_second = if per_second.is_finite() { per_second.max(0.01) } else { f64::MAX };
        let most = per_second.max(1.0);
        Self { per_second, most, state: Mutex::new((most, Instant::now())) }
    }
}

#[async_trait]
impl SendRate for Bucket {
    async fn permit(&self) -> Permit {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let (tokens, since) = *state;
        let tokens = (tokens + (now - since).as_secs_f64() * self.per_second).min(self.most);
        let (left, permit) = if tokens >= 1.0 {
            (tokens - 1.0, Permit::Go)
        } else {
            (tokens, Permit::Wait(Duration::from_secs_f64((1.0 - tokens) / self.per_second)))
        };
        *state = (left, now);
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn go(bucket: &Bucket, most: usize) -> usize {
        let mut count = 0;
        while count < most && bucket.permit().await == Permit::Go {
            count += 1;
        }
        count
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_has_its_messages_and_no_more() {
        let bucket = Bucket::new(14.0);
        assert_eq!(go(&bucket, 100).await, 14);
        let Permit::Wait(wait) = bucket.permit().await else { panic!("it let a 15th go") };
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        assert_eq!(go(&bucket, 100).await, 1);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(go(&bucket, 100).await, 14);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_rate_still_lets_one_go() {
        let bucket = Bucket::new(0.5);
        assert_eq!(go(&bucket, 100).await, 1);
        assert_eq!(bucket.permit().await, Permit::Wait(Duration::from_secs(2)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(go(&bucket, 100).await, 1);
    }
}
