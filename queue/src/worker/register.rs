//! Puts the worker of one lane under an apalis monitor.

use std::sync::Arc;

use apalis::prelude::{Monitor, WorkerBuilder, WorkerBuilderExt};
use tokio_util::sync::CancellationToken;

use crate::{Handler, LaneSpec, Queue};

use super::backend::LaneBackend;
use super::station::Station;
use super::work::Work;

/// How one process works a lane.
#[derive(Debug, Clone)]
pub struct Crew {
    /// Who works, for operators and logs; unique among processes.
    pub name: String,
    /// Hand-outs worked at once; as many again may wait in the process, fewer when they are large.
    pub concurrency: usize,
    /// The newest payload version this program understands.
    pub version: u32,
    /// Cancelled after the stop, when jobs still in hand are to be broken off and handed back: how long a stop may take
    /// is for the process to say, which has more than workers to end.
    pub time_up: CancellationToken,
}

/// Adds a worker for `lane` to the monitor.
///
/// Do not give the monitor a terminator or a retry layer: the lane does both by itself. A worker that ends by a panic is started again and says so in the log; what it had in hand is taken
/// over when its lease lapses.
#[must_use]
pub fn register<H: Handler>(
    monitor: Monitor,
    queue: &Queue,
    lane: &'static LaneSpec,
    handler: Arc<H>,
    crew: Crew,
) -> Monitor {
    let queue = queue.clone();
    let build = move |restarts: usize| {
        if restarts > 0 {
            tracing::error!(lane = lane.name, restarts, "a worker is started again");
        }
        let (station, finished) = Station::new(&queue, lane, crew.clone());
        let station = Arc::new(station);
        let work = Work { handler: Arc::clone(&handler), station: Arc::clone(&station) };
        WorkerBuilder::new(format!("{}/{}", lane.name, crew.name).as_str())
            .backend(LaneBackend::new(station, finished))
            .concurrency(crew.concurrency.max(1))
            .build(work)
    };
    monitor.register(build).should_restart(|_, _| true)
}
