//! The list of jobs: one line each.

use std::sync::Arc;

use apalis::prelude::Monitor;
use fairy_queue::Queue;

use crate::{Lanes, Services};

/// Adds a worker for each lane to the monitor.
#[must_use]
pub fn register(monitor: Monitor, _queue: &Queue, _lanes: &Lanes, services: Arc<Services>) -> Monitor {
    drop(services);
    monitor
}
