//! How often one may ask: token buckets by address, caller, account and workspace.
//!
//! Where several processes serve the API, a limiter that they share counts for all of them. While that cannot be asked,
//! each process counts by itself: a limit is then as many times looser as there are processes, and nobody is locked out.

mod buckets;
mod drafts;

use std::{hash::Hash, sync::Arc};

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    ports::Limiter,
    problem::{Problem, ProblemKind},
    rate::{Rate, Taken},
};
use jiff::Timestamp;

use self::{buckets::Buckets, drafts::Drafts};
use crate::network::Network;

/// Whom a bucket is for.
pub(crate) trait Key: Hash + Eq + Clone + Send + Sync {
    /// What no other key of its kind has.
    fn bytes(&self) -> Vec<u8>;
}

/// The limit of one kind.
pub(crate) struct Limit<K> {
    rate: Rate,
    own: Buckets<K>,
    shared: Option<Drafts<K>>,
}

impl<K: Key> Limit<K> {
    /// A limit by this rate, over all who share the limiter, if there is one; they know it by the same kind.
    pub fn new(kind: &'static str, rate: Rate, limiter: Option<&Arc<dyn Limiter>>) -> Self {
        let shared = limiter.map(|limiter| Drafts::new(kind, rate, Arc::clone(limiter)));
        Self { rate, own: Buckets::new(rate), shared }
    }

    /// Takes one token, or says when there will be one.
    pub async fn take(&self, key: &K, now: Timestamp) -> Result<(), Problem> {
        self.take_many(key, 1, now).await
    }

    /// Takes `count` tokens or none; a count above the burst takes the whole burst.
    pub async fn take_many(&self, key: &K, count: u32, now: Timestamp) -> Result<(), Problem> {
        let count = count.min(self.rate.burst);
        let shared = match &self.shared {
            Some(shared) => shared.take(key, count, now).await.ok(),
            None => None,
        };
        match shared.unwrap_or_else(|| self.own.take(key, count, now)) {
            Taken::Granted(_) => Ok(()),
            Taken::Wait(wait) => Err(too_many(wait.as_secs_f64())),
        }
    }
}

impl Key for Network {
    fn bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }
}

impl Key for UserId {
    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }
}

impl Key for WorkspaceId {
    fn bytes(&self) -> Vec<u8> {
        self.to_bytes().to_vec()
    }
}

impl<const N: usize> Key for [u8; N] {
    fn bytes(&self) -> Vec<u8> {
        self.to_vec()
    }
}

fn too_many(seconds: f64) -> Problem {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the range of the type"
    )]
    let seconds = seconds.ceil().clamp(1.0, 3_600.0) as u32;
    let detail = format!("Too many requests. Try again in {seconds} seconds.");
    Problem::new(ProblemKind::TooManyRequests, detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use std::{ops::RangeInclusive, time::Duration};

    use async_trait::async_trait;
    use fairy_jobs::ports::{PortError, PortResult};

    use super::*;

    /// A limiter that answers the same to all.
    struct Answers(PortResult<Taken>);

    #[async_trait]
    impl Limiter for Answers {
        async fn take(&self, _: &str, _: Rate, _: RangeInclusive<u32>) -> PortResult<Taken> {
            self.0.clone()
        }
    }

    fn limit(answer: PortResult<Taken>) -> Limit<[u8; 2]> {
        let limiter: Arc<dyn Limiter> = Arc::new(Answers(answer));
        Limit::new("test", Rate::per_minute(2, 6), Some(&limiter))
    }

    #[tokio::test]
    async fn what_all_share_decides_and_while_it_is_away_each_decides_alone() {
        let start = Timestamp::UNIX_EPOCH;
        let empty = limit(Ok(Taken::Wait(Duration::from_millis(1_200))));
        let refused = empty.take(&[1; 2], start).await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (ProblemKind::TooManyRequests, Some(2)));
        let away = limit(Err(PortError::Unavailable("away".into())));
        assert!(away.take_many(&[1; 2], 9, start).await.is_ok(), "nobody is locked out");
        let refused = away.take(&[1; 2], start).await.unwrap_err();
        assert_eq!(refused.retry_after, Some(10), "nor does anybody go on without a limit");
        assert!(away.take(&[2; 2], start).await.is_ok());
    }
}
