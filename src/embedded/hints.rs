//! Hints after a commit: wakes live feeds at once, and pushes jobs into the sinks' lanes behind the caller's back.
//!
//! Whoever committed does not wait for the push: it notes what there is to do and goes on, and one task pushes what has
//! gathered, in one batch per lane. So a workspace that is written to a hundred times during one flush costs one hint.
//! The notes are bounded and die with the process; the sweeper finds in the rows what they lose.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use fairy_jobs::{
    id::{DeliveryId, WorkspaceId},
    lane::{Deliver, Hint, Sink},
    ports::Relay,
};
use fairy_queue::{Hold, LaneSpec, NewJob, Queue};
use serde::Serialize;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::Signals;

/// Most notes of one kind.
const MAX_NOTES: usize = 10_000;
/// Most jobs in one push, which is one transaction.
const MAX_PUSH: usize = 500;

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
    /// Workspaces that have just changed, with the sink that is to see to it.
    changed: BTreeSet<(Sink, WorkspaceId)>,
    /// Workspaces that the sweeper found, with the sink that is behind.
    behind: BTreeSet<(Sink, WorkspaceId)>,
    /// Deliveries that are due.
    due: BTreeSet<DeliveryId>,
}

impl Notes {
    fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.behind.is_empty() && self.due.is_empty()
    }
}

/// The relay of the embedded mode; clones share it.
#[derive(Clone)]
pub struct Hints {
    signals: Signals,
    lanes: Arc<Lanes>,
    notes: Arc<Mutex<Notes>>,
    noted: Arc<Notify>,
    /// Whether nothing is noted and nothing is being pushed.
    idle: Arc<watch::Sender<bool>>,
}

impl Hints {
    /// A relay into these lanes that wakes those who follow these signals.
    pub fn new(signals: Signals, lanes: Lanes) -> Self {
        Self {
            signals,
            lanes: Arc::new(lanes),
            notes: Arc::default(),
            noted: Arc::default(),
            idle: Arc::new(watch::Sender::new(true)),
        }
    }

    /// Pushes what is noted until `stop`, and then once more.
    pub async fn run(self, queue: Queue, stop: CancellationToken) {
        loop {
            let stopped = tokio::select! {
                () = self.noted.notified() => false,
                () = stop.cancelled() => true,
            };
            while let Some(notes) = self.take() {
                self.push(&queue, notes).await;
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
        let mut pushes = Vec::new();
        for (sink, lane) in &self.lanes.sinks {
            let of = |set: &BTreeSet<(Sink, WorkspaceId)>| -> Vec<WorkspaceId> {
                set.iter().filter(|(of, _)| of == sink).map(|(_, workspace)| *workspace).collect()
            };
            let changed = of(&notes.changed).into_iter().map(|workspace| hint(workspace, false));
            let behind = of(&notes.behind).into_iter().map(|workspace| hint(workspace, true));
            pushes.push((*lane, changed.chain(behind).flatten().collect::<Vec<_>>()));
        }
        pushes.push((self.lanes.deliver, notes.due.into_iter().filter_map(deliver).collect()));
        let pushes = pushes.into_iter().map(|(lane, jobs)| push(queue, lane, jobs));
        futures::future::join_all(pushes).await;
    }
}

async fn push(queue: &Queue, lane: &LaneSpec, jobs: Vec<NewJob>) {
    for batch in jobs.chunks(MAX_PUSH) {
        if let Err(error) = queue.push(lane, batch.to_vec()).await {
            tracing::warn!(
                lane = lane.name,
                jobs = batch.len(),
                %error,
                "hints could not be pushed; the sweeper will find what they were about"
            );
        }
    }
}

/// A hint for a sink. One from the sweeper holds a key, so that a sink that stays behind does not gather hints with
/// every round; one after a commit does not, for the job that holds the key may have looked already.
fn hint(workspace: WorkspaceId, swept: bool) -> Option<NewJob> {
    let job = json(&Hint { workspace })?.group(workspace.to_string());
    Some(match swept {
        true => job.unique(format!("swept:{workspace}"), Hold::UntilAcknowledged),
        false => job,
    })
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
        self.signals.grown(workspace, seq);
        let sinks = self.lanes.sinks.iter().map(|(sink, _)| (*sink, workspace));
        self.note(|notes| notes.changed.extend(sinks.take(room(&notes.changed))));
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
mod tests {
    use std::sync::Arc;

    use fairy_queue::sqlite::{Mode, Options, open};

    use super::*;
    use crate::lanes;

    fn workspace(number: u16) -> WorkspaceId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&number.to_be_bytes());
        WorkspaceId::from_bytes(bytes)
    }

    fn hints() -> Hints {
        let sinks = vec![(Sink::Record, &lanes::RECORD), (Sink::Notify, &lanes::NOTIFY)];
        Hints::new(Signals::default(), Lanes { sinks, deliver: &lanes::DELIVER })
    }

    async fn waiting(queue: &Queue) -> [u64; 3] {
        let mut counts = [0; 3];
        for (count, lane) in counts.iter_mut().zip([&lanes::RECORD, &lanes::NOTIFY, &lanes::DELIVER]) {
            *count = queue.stats(lane).await.unwrap().waiting;
        }
        counts
    }

    #[tokio::test]
    async fn what_is_noted_is_pushed_once_and_again_only_when_that_helps() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queue.db");
        let queue = open(Options { path, clock: Arc::new(|| 0), mode: Mode::Serve }).await.unwrap();
        let (hints, stop) = (hints(), CancellationToken::new());
        hints.changed(workspace(1), 1).await;
        hints.changed(workspace(1), 2).await;
        hints.changed(workspace(2), 1).await;
        hints.due(&[DeliveryId::from_bytes([1; 16]); 2]).await;
        let task = tokio::spawn(hints.clone().run(queue.clone(), stop.clone()));
        hints.idle().await;
        assert_eq!(waiting(&queue).await, [2, 2, 1], "one hint for each sink of each workspace");

        for _ in 0..3 {
            hints.behind(Sink::Record, &[workspace(1)]).await;
            hints.due(&[DeliveryId::from_bytes([1; 16])]).await;
            hints.idle().await;
        }
        assert_eq!(waiting(&queue).await, [3, 2, 1], "the sweeper's hints do not gather");
        hints.changed(workspace(1), 3).await;
        stop.cancel();
        task.await.unwrap();
        assert_eq!(waiting(&queue).await, [4, 3, 1], "what was noted before the stop is pushed");
    }

    #[tokio::test]
    async fn notes_are_bounded() {
        let hints = hints();
        for number in 0..12_000 {
            hints.changed(workspace(number), 1).await;
        }
        let noted = hints.take().unwrap();
        assert_eq!(noted.changed.len(), MAX_NOTES);
    }
}
