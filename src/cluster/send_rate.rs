//! How fast mail may go, counted for all processes that send for one account: the account's rate is one, however many workers
//! share it.
//!
//! While the bucket's server is away each process keeps the rate by itself; what is too fast together SES refuses, which
//! costs no message an attempt.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    ports::Limiter,
    rate::{Rate, Taken},
};
use fairy_workers::aws::{Bucket, Permit, SendRate};

/// The name of the bucket.
const BUCKET: &str = "mail.ses";

/// The rate of an account.
pub struct SharedRate {
    limiter: Arc<dyn Limiter>,
    rate: Rate,
    own: Bucket,
}

impl SharedRate {
    /// So many messages a second in all processes, and at most as many at once.
    pub fn new(limiter: Arc<dyn Limiter>, per_second: f64) -> Self {
        Self { limiter, rate: rate(per_second), own: Bucket::new(per_second) }
    }
}

#[async_trait]
impl SendRate for SharedRate {
    async fn permit(&self) -> Permit {
        match self.limiter.take(BUCKET, self.rate, 1..=1).await {
            Ok(Taken::Granted(_)) => Permit::Go,
            Ok(Taken::Wait(wait)) => Permit::Wait(wait),
            Err(_) => self.own.permit().await,
        }
    }
}

/// The rate in whole messages an hour, never more than asked.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the settings allow 100,000 a second, and more counts as the most"
)]
fn rate(per_second: f64) -> Rate {
    Rate::per_hour(per_second.max(1.0) as u32, (per_second * 3_600.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_never_more_than_asked() {
        assert_eq!(rate(14.0), Rate::per_second(14, 14));
        assert_eq!(rate(1.5), Rate::per_hour(1, 5_400));
        assert_eq!(rate(0.01), Rate::per_hour(1, 36));
        assert_eq!(rate(100_000.0), Rate::per_second(100_000, 100_000));
    }
}
