//! Who works: the workers of lanes, and the sweeper.

use std::sync::Arc;

use apalis::prelude::{Event, Monitor, WorkerContext};
use fairy_queue::{LaneSpec, Queue};
use fairy_workers::Services;
use tokio::sync::mpsc;

use super::{tasks::Running, wire::LANES};
use crate::{
    Failure,
    config::Config,
    lanes::{self, OPERATIONS},
    observe::{Auditor, Found},
};

/// Who works here.
pub struct Crew {
    /// What they are given.
    pub services: Arc<Services>,
    /// The lanes that are worked.
    pub lanes: Vec<&'static LaneSpec>,
    /// The workers of the lanes.
    pub workers: Running,
    /// Finds what hints lost.
    pub sweeper: Running,
    /// Finds what the lane of operations lost, where that is worked.
    pub auditor: Option<(Running, Found)>,
}

impl Crew {
    /// Puts workers on these lanes, and the sweeper beside them.
    ///
    /// # Errors
    /// When none of the lanes has anything to do, or the database cannot be written.
    pub async fn start(
        config: &Config,
        queue: Queue,
        services: Arc<Services>,
        wanted: &[&'static LaneSpec],
    ) -> Result<Self, Failure> {
        let idle = |lane: &LaneSpec| lane.name == lanes::PUBLISH.name && services.bus.is_none();
        let lanes: Vec<_> = wanted.iter().copied().filter(|lane| !idle(lane)).collect();
        if lanes.is_empty() {
            return Err(Failure::new(
                "lane publish has no work, for events.bus is not set: name other lanes",
            ));
        }
        if config.database.is_file() {
            free_begun(&services).await?;
        }
        let audits = lanes.iter().any(|lane| lane.name == OPERATIONS.name);
        Ok(Self {
            auditor: audits.then(|| auditor(&queue, &services)),
            workers: workers(queue, services.clone(), lanes.clone()),
            sweeper: sweeper(services.clone()),
            services,
            lanes,
        })
    }
}

/// Nobody else sends where the database is a file, so what was begun is in nobody's hands, as it is with the leases of the
/// queue. On a server others may be sending, and the lease of each delivery says for how long.
async fn free_begun(services: &Services) -> Result<(), Failure> {
    match services.deliveries.free_begun(services.clock.now()).await {
        Ok(0) => Ok(()),
        Ok(count) => {
            tracing::info!(count, "deliveries were being sent when the process ended; they are tried again");
            Ok(())
        }
        Err(error) => Err(Failure::new(format_args!("deliveries that were begun cannot be freed: {error}"))),
    }
}

fn sweeper(services: Arc<Services>) -> Running {
    Running::spawn("the sweeper", |stop| async move {
        fairy_workers::sweeper(services, stop.cancelled_owned()).await;
        Ok(())
    })
}

fn auditor(queue: &Queue, services: &Services) -> (Running, Found) {
    let found = Found::default();
    let (ledger, clock) = (services.ledger.clone(), services.clock.clone());
    let auditor = Auditor::new(queue.clone(), ledger, clock, found.clone());
    let running = Running::spawn("the auditor", |stop| async move {
        auditor.run(stop).await;
        Ok(())
    });
    (running, found)
}

/// The lanes under one monitor. It would go on while one worker of several has ended, so the first that ends before the
/// stop ends them all.
fn workers(queue: Queue, services: Arc<Services>, wanted: Vec<&'static LaneSpec>) -> Running {
    Running::spawn("the workers", |stop| async move {
        let (ended, mut first) = mpsc::channel(1);
        let watch = move |worker: &WorkerContext, event: &Event| match event {
            Event::Error(error) => tracing::error!(worker = worker.name(), %error, "a worker has an error"),
            // Full means that another has ended before, which is enough.
            Event::Exit => drop(ended.try_send(worker.name().to_owned())),
            _ => {}
        };
        let monitor = Monitor::new().on_event(watch);
        let monitor = fairy_workers::register(monitor, &queue, &LANES, services, &wanted);
        let asked = stop.clone();
        let run = monitor.run_with_signal(async move {
            asked.cancelled().await;
            Ok(())
        });
        tokio::pin!(run);
        let early = tokio::select! {
            result = &mut run => return result.map_err(|error| error.to_string()),
            Some(worker) = first.recv() => worker,
        };
        if stop.is_cancelled() {
            return run.await.map_err(|error| error.to_string());
        }
        Err(format!("worker {early} has ended"))
    })
}
