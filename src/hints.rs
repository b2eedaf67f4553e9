//! Hints after a commit: wakes live feeds at once, and pushes jobs into the sinks' lanes behind the caller's back.
//!
//! Whoever committed does not wait for the push: it notes what there is to do and goes on, and one task pushes what has
//! gathered, in one batch per lane. So a workspace that is written to a hundred times during one flush costs one hint.
//! A sink's lane takes no hint of a workspace of which one waits already (see `lanes`); that one will read the same rows.
//! The notes are bounded and die with the process; the sweeper finds in the rows what they lose.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fairy_jobs::{
    id::{DeliveryId, WorkspaceId},
    lane::{Deliver, Hint, Sink},
    ports::Relay,
};
use fairy_queue::{Hold, LaneSpec, NewJob, PushError, Queue};
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::channels::Channels;

/// Most notes of one kind.
const MAX_NOTES: usize = 10_000;
/// Most jobs in one push, which is one transaction.
const MAX_PUSH: usize = 500;
/// How long the last push may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The lanes that hints go to.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// The lane of each sink that is in use.
    pub sinks: Vec<(Sink, &'static LaneSpec)>,
    /// The lane of deliveries.
    pub deliver: &'static LaneSpec,
}

/// What there is to do, as far as it was noted and not yet pushed.
#[derive(Default)]
struct Notes {
    /// Workspaces that have changed or that the sweeper found, with the sink that is to see to it.
    behind: BTreeSet<(Sink, WorkspaceId)>,
    /// Deliveries that are due.
    due: BTreeSet<DeliveryId>,
}

impl Notes {
    fn is_empty(&self) -> bool {
        self.behind.is_empty() && self.due.is_empty()
    }
}

/// The relay of a process; clones share it.
#[derive(Clone)]
pub struct Hints {
    channels: Channels,
    lanes: Arc<Lanes>,
    notes: Arc<Mutex<Notes>>,
    noted: Arc<Notify>,
    /// Whether nothing is noted and nothing is being pushed.
    idle: Arc<watch::Sender<bool>>,
}

impl Hints {
    /// A relay into these lanes that wakes those who follow a feed through these channels.
    pub fn new(channels: Channels, lanes: Lanes) -> Self {
        Self {
            channels,
            lanes: Arc::new(lanes),
            notes: Arc::default(),
            noted: Arc::default(),
            idle: Arc::new(watch::Sender::new(true)),
        }
    }

    /// Pushes what is noted until `stop`, and then once more, which may take a moment: of a server that says nothing then
    /// nobody is told anything more, and the sweeper of whoever works next finds in the rows what that was.
    pub async fn run(self, queue: Queue, stop: CancellationToken) {
        let late = async {
            stop.cancelled().await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = self.push_until(&queue, &stop) => {}
            () = late => tracing::warn!("the lanes do not answer: the last hints are lost until the sweeper finds what they were about"),
        }
    }

    async fn push_until(&self, queue: &Queue, stop: &CancellationToken) {
        loop {
            let stopped = tokio::select! {
                () = self.noted.notified() => false,
                () = stop.cancelled() => true,
            };
            while let Some(notes) = self.take() {
                self.push(queue, notes).await;
            }
            if stopped {
                return;
            }
        }
    }

    /// Ends when everything noted has been pushed.
    pub async fn idle(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.idle.subscribe().wait_for(|idle| *idle).await;
    }

    /// Adds notes, as far as there is room, and wakes the task.
    fn note(&self, add: impl FnOnce(&mut Notes)) {
        let mut notes = self.lock();
        add(&mut notes);
        if !notes.is_empty() {
            self.idle.send_replace(false);
            self.noted.notify_one();
        }
    }

    /// What is noted, if anything is; it is idle from the moment when nothing is.
    fn take(&self) -> Option<Notes> {
        let mut notes = self.lock();
        if notes.is_empty() {
            self.idle.send_replace(true);
            return None;
        }
        Some(std::mem::take(&mut *notes))
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn push(&self, queue: &Queue, notes: Notes) {
        let mut pushes: Vec<(&LaneSpec, Vec<NewJob>)> = Vec::new();
        for (sink, lane) in &self.lanes.sinks {
            let behind = notes.behind.iter().filter(|(of, _)| of == sink);
            pushes.push((*lane, behind.filter_map(|(_, workspace)| hint(*workspace)).collect()));
        }
        pushes.push((self.lanes.deliver, notes.due.into_iter().filter_map(deliver).collect()));
        let pushes = pushes.into_iter().map(|(lane, jobs)| push(queue, lane, jobs));
        futures::future::join_all(pushes).await;
    }
}

/// Pushes a batch at once; when one of its groups is full, which refuses it whole, each job by itself.
async fn push(queue: &Queue, lane: &LaneSpec, jobs: Vec<NewJob>) {
    for batch in jobs.chunks(MAX_PUSH) {
        if push_at_once(queue, lane, batch).await == Told::Full && batch.len() > 1 {
            let alone = batch.chunks(1).map(|job| push_at_once(queue, lane, job));
            futures::future::join_all(alone).await;
        }
    }
}

/// What became of hints.
#[derive(PartialEq, Eq)]
enum Told {
    /// They are pushed, or lost for the sweeper to find.
    Done,
    /// A workspace of theirs has a hint that waits.
    Full,
}

async fn push_at_once(queue: &Queue, lane: &LaneSpec, jobs: &[NewJob]) -> Told {
    match queue.push(lane, jobs.to_vec()).await {
        Ok(_) => Told::Done,
        Err(PushError::GroupFull { .. }) => Told::Full,
        Err(error) => {
            let jobs = jobs.len();
            tracing::warn!(lane = lane.name, jobs, %error, "hints are lost until the sweeper finds what they were about");
            Told::Done
        }
    }
}

fn hint(workspace: WorkspaceId) -> Option<NewJob> {
    Some(json(&Hint { workspace })?.group(workspace.to_string()))
}

/// At most one job per delivery: the row says when it is due, so another could not do more.
fn deliver(delivery: DeliveryId) -> Option<NewJob> {
    Some(json(&Deliver { delivery })?.unique(delivery.to_string(), Hold::UntilAcknowledged))
}

fn json(payload: &impl Serialize) -> Option<NewJob> {
    NewJob::json(payload)
        .inspect_err(|error| tracing::error!(%error, "a hint cannot be written as JSON"))
        .ok()
}

fn room<T>(set: &BTreeSet<T>) -> usize {
    MAX_NOTES.saturating_sub(set.len())
}

#[async_trait]
impl Relay for Hints {
    async fn changed(&self, workspace: WorkspaceId, seq: u64) {
        self.channels.grown(workspace, seq);
        let sinks = self.lanes.sinks.iter().map(|(sink, _)| (*sink, workspace));
        self.note(|notes| notes.behind.extend(sinks.take(room(&notes.behind))));
    }

    async fn behind(&self, sink: Sink, workspaces: &[WorkspaceId]) {
        let found = workspaces.iter().map(|workspace| (sink, *workspace));
        self.note(|notes| notes.behind.extend(found.take(room(&notes.behind))));
    }

    async fn due(&self, deliveries: &[DeliveryId]) {
        let due = deliveries.iter().copied();
        self.note(|notes| notes.due.extend(due.take(room(&notes.due))));
    }
}

#[cfg(test)]
mod tests;
