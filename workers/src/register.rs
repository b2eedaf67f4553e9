//! The list of jobs: one line each.

use std::sync::Arc;

use apalis::prelude::Monitor;
use fairy_queue::{Crew, Handler, LaneSpec, Queue};

use crate::{Lanes, Services, apply, deliver, notify, publish, record};

/// Adds a worker to the monitor for each lane that is `wanted`; lane `publish` has none where there is no bus.
#[must_use]
pub fn register(
    monitor: Monitor,
    queue: &Queue,
    lanes: &Lanes,
    services: Arc<Services>,
    wanted: &[&LaneSpec],
) -> Monitor {
    // Many hand-outs at once are what lets a store commit the batches of many workspaces together.
    let roster = Roster { monitor, queue, services, wanted }
        .job(lanes.operations, apply::handler, 32)
        .job(lanes.record, record::handler, 8)
        .job(lanes.notify, notify::handler, 8)
        .job(lanes.deliver, deliver::handler, 4);
    match publish::handler(&roster.services) {
        Some(publish) => roster.job(lanes.publish, |_| publish, 8).monitor,
        None => roster.monitor,
    }
}

struct Roster<'a> {
    monitor: Monitor,
    queue: &'a Queue,
    services: Arc<Services>,
    wanted: &'a [&'a LaneSpec],
}

impl Roster<'_> {
    /// Adds the worker of one lane, with this many hand-outs at once.
    fn job<H: Handler>(
        self,
        lane: &'static LaneSpec,
        handler: impl FnOnce(&Services) -> H,
        concurrency: usize,
    ) -> Self {
        if !self.wanted.iter().any(|wanted| wanted.name == lane.name) {
            return self;
        }
        let crew = Crew {
            name: self.services.settings.worker.clone(),
            concurrency,
            version: self.services.settings.version,
            time_up: self.services.settings.time_up.clone(),
        };
        let handler = Arc::new(handler(&self.services));
        let monitor = fairy_queue::register(self.monitor, self.queue, lane, handler, crew);
        Self { monitor, ..self }
    }
}
