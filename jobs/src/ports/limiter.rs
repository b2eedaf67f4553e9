//! Limits on how often something is done, kept where all processes that do it meet.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use super::PortResult;
use crate::rate::{Rate, Taken};

/// Token buckets by name, shared by whoever was given the same limiter.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes from a bucket as many tokens as there are within `counts`, or none and says how long to wait for the least of
    /// them. What is over the burst counts as the burst. A bucket that nobody has taken from is full, and each use of a name
    /// is with the same rate.
    ///
    /// `Unavailable` comes soon, for somebody waits; then the caller has limits of its own, and neither stops nor goes on
    /// without any.
    async fn take(&self, bucket: &str, rate: Rate, counts: RangeInclusive<u32>) -> PortResult<Taken>;
}
