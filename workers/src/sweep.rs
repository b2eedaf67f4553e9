//! Finding what hints lost.

use std::future::Future;
use std::sync::Arc;

use crate::Services;

/// Looks once.
pub async fn sweep_once(_services: &Services) {}

/// Looks every second until `stop` ends.
pub async fn sweeper(_services: Arc<Services>, stop: impl Future<Output = ()> + Send) {
    stop.await;
}
