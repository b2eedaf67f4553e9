//! Puts the worker of one lane under an apalis monitor.

use std::sync::Arc;
use std::time::Duration;

use apalis::prelude::Monitor;

use crate::{Handler, LaneSpec, Queue};

/// How one process works a lane.
#[derive(Debug, Clone)]
pub struct Crew {
    /// Who works, for operators and logs: unique per process.
    pub name: String,
    /// Hand-outs worked at once.
    pub concurrency: usize,
    /// The newest payload version this program understands.
    pub version: u32,
    /// How long jobs in hand may go on after the stop; then they are broken off and handed back.
    pub stop_within: Duration,
}

/// Adds a worker for `lane` to the monitor.
#[must_use]
pub fn register<H: Handler>(
    monitor: Monitor,
    _queue: &Queue,
    _lane: &'static LaneSpec,
    _handler: Arc<H>,
    _crew: Crew,
) -> Monitor {
    monitor
}
