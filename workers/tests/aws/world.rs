//! Accounts on the stand-ins, and a clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::config::Credentials;
use fairy_jobs::clock::Clock;
use fairy_workers::aws::Aws;
use jiff::Timestamp;
use serde_json::Value;

use crate::servers;

static ACCOUNTS: AtomicU32 = AtomicU32::new(1);

/// An AWS account of its own on a stand-in.
pub struct Account {
    pub url: String,
    pub id: String,
    pub aws: Aws,
}

impl Account {
    /// On the stand-in that has all services; `None` where there is none and whoever runs the tests said so.
    pub async fn on_ministack() -> Option<Self> {
        Some(Self::at(servers::ministack().await?).await)
    }

    /// On the stand-in that looks closer at events.
    pub async fn on_moto() -> Option<Self> {
        Some(Self::at(servers::moto().await?).await)
    }

    pub async fn at(url: &str) -> Self {
        let id = format!("{:012}", 700_000_000_000_u64 + u64::from(ACCOUNTS.fetch_add(1, Ordering::Relaxed)));
        let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-west-1"))
            .credentials_provider(Credentials::new(&id, "secret", None, None, "test"))
            .endpoint_url(url);
        Self { url: url.to_owned(), aws: Aws::load(loader).await.unwrap(), id }
    }

    /// Calls an operation that Fairy itself has no use for, such as `AWSEvents.PutRule`.
    pub async fn call(&self, operation: &str, body: Value) -> Value {
        servers::call(&self.url, &self.id, operation, &body).await
    }

    pub async fn get(&self, path: &str) -> Value {
        servers::get(&self.url, &self.id, path).await
    }
}

/// A clock that stands.
pub struct At(pub Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A clock that stands at this second of the feed that the suites make.
pub fn clock(second: i64) -> Arc<dyn Clock> {
    Arc::new(At(Timestamp::from_second(1_750_000_000 + second).unwrap()))
}
