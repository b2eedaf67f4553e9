//! Running jobs to quiescence, for tests: what is due is done when this returns.

use std::time::Duration;

use fairy_jobs::lane::Sink;
use fairy_queue::{DeadJob, Page};
use tokio::time::Instant;

use super::Stack;
use crate::{Failure, lanes};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(2);
/// After this long something hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is left after everything due was done.
#[derive(Debug, Default)]
pub struct Drained {
    /// Jobs held back until later.
    pub later: u64,
    /// Dead letters, the oldest 500 of each lane.
    pub dead: Vec<(&'static str, DeadJob)>,
}

impl Stack {
    /// Waits until no job is due in any lane, no sink is behind, and no delivery is due.
    ///
    /// # Errors
    /// When nobody works here, a part cannot be read, or jobs are left after a minute: paused, or never finished.
    pub async fn drain(&self) -> Result<Drained, Failure> {
        let until = Instant::now() + PATIENCE;
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            self.hints.idle().await;
            let busy = self.busy().await?;
            if busy.is_none() && self.nudge().await? {
                return self.left_over().await;
            }
            if Instant::now() > until {
                let busy = busy.unwrap_or_else(|| "rows that no job sees to".to_owned());
                return Err(Failure::new(format_args!("not drained after a minute: {busy}")));
            }
        }
    }

    /// Which lane still has something due, if one has. Earlier lanes are read first, for they feed the later ones.
    async fn busy(&self) -> Result<Option<String>, Failure> {
        for lane in lanes::ALL {
            let stats = self.opened.queue.stats(lane).await?;
            if stats.waiting + stats.in_flight > 0 {
                return Ok(Some(format!("lane {} holds {stats:?}", lane.name)));
            }
        }
        Ok(None)
    }

    /// Looks in the rows, which know better than the lanes; true if nothing is to be done there either.
    async fn nudge(&self) -> Result<bool, Failure> {
        let crew = self.crew.as_ref().ok_or_else(|| Failure::new("nobody works in this process"))?;
        let services = &crew.services;
        let soon = services.clock.now() + Duration::from_millis(1);
        let mut done = true;
        for sink in Sink::ALL.into_iter().filter(|sink| *sink != Sink::Publish || services.bus.is_some()) {
            let behind = services.sinks.behind(sink, soon, 500).await?;
            done &= behind.is_empty();
            services.relay.behind(sink, &behind).await;
        }
        let due = services.deliveries.due(soon, 500).await?;
        services.relay.due(&due).await;
        Ok(done && due.is_empty())
    }

    async fn left_over(&self) -> Result<Drained, Failure> {
        let mut drained = Drained::default();
        for lane in lanes::ALL {
            drained.later += self.opened.queue.stats(lane).await?.later;
            let page = Page { after: None, limit: 500 };
            let dead = self.opened.queue.dead(lane, page).await?.items;
            drained.dead.extend(dead.into_iter().map(|job| (lane.name, job)));
        }
        Ok(drained)
    }
}
