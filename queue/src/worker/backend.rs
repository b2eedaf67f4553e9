//! The apalis backend of a lane: it only passes on what is ready.
//!
//! No fault of the store ever fails a poll, because apalis ends a worker at the first error. The one error there is
//! says that a task of this worker panicked; the monitor then starts the worker again. The tasks that talk to the store
//! start with the first poll and not before, since apalis builds workers long before it runs them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{Backend, Task, WorkerContext};
use apalis_core::backend::BackendConfig;
use apalis_core::backend::finalize::Ephemeral;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::acknowledge::AcknowledgeLayer;
use super::fetch::fetch;
use super::renew::renew;
use super::settle::settle;
use super::station::{Batch, Finished, Station, spawn};

/// How long the last verdicts may take to reach the store after everything in hand has ended; less than who stops the process
/// waits for it, which is 5 s.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// A task of the worker panicked.
#[derive(Debug, thiserror::Error)]
#[error("a task of the worker of lane {0} panicked")]
pub(super) struct Broken(&'static str);

/// Batches of one lane, as apalis wants them.
pub(super) struct LaneBackend {
    station: Arc<Station>,
    finished: Option<mpsc::Receiver<Finished>>,
    tasks: Option<[JoinHandle<()>; 2]>,
    closing: Option<BoxFuture<'static, ()>>,
}

impl LaneBackend {
    pub fn new(station: Arc<Station>, finished: mpsc::Receiver<Finished>) -> Self {
        Self { station, finished: Some(finished), tasks: None, closing: None }
    }

    fn start(&mut self) {
        if let Some(finished) = self.finished.take() {
            let station = &self.station;
            let fetching = spawn(station, fetch(Arc::clone(station)));
            let settling = spawn(station, settle(Arc::clone(station), finished));
            spawn(station, renew(Arc::clone(station)));
            self.tasks = Some([fetching, settling]);
        }
    }
}

/// The worker is gone, in order or by a panic: what is still held lapses and is taken over.
impl Drop for LaneBackend {
    fn drop(&mut self) {
        self.station.stop.cancel();
        self.station.over.cancel();
    }
}

impl Backend for LaneBackend {
    type Task = Task<Batch>;
    type Error = Broken;

    fn poll_ready(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Broken>> {
        self.start();
        self.station.waker.register(cx.waker());
        if self.station.broken.load(Ordering::Acquire) {
            return Poll::Ready(Err(Broken(self.station.lane.name)));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        _: &WorkerContext,
    ) -> Poll<Option<Result<Task<Batch>, Broken>>> {
        if self.station.stop.is_cancelled() {
            return Poll::Pending;
        }
        self.station.waker.register(cx.waker());
        match self.station.next() {
            Some(batch) => Poll::Ready(Some(Ok(Task::new(batch)))),
            None => Poll::Pending,
        }
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Broken>> {
        let (station, tasks) = (&self.station, &mut self.tasks);
        let closing = self.closing.get_or_insert_with(|| close(Arc::clone(station), tasks.take()).boxed());
        closing.poll_unpin(cx).map(Ok)
    }
}

/// Lets the fetcher hand back what is not begun and the settler bring back the last verdicts, for a while.
async fn close(station: Arc<Station>, tasks: Option<[JoinHandle<()>; 2]>) {
    station.stop.cancel();
    let Some([fetching, settling]) = tasks else { return };
    let lane = station.lane.name;
    let all_back = async {
        // A task that panicked has nothing more to bring back.
        let _ = fetching.await;
        let _ = station.slots.acquire_many(station.capacity).await;
    };
    if tokio::time::timeout(LAST_WORDS, all_back).await.is_err() {
        tracing::error!(
            lane,
            "stopped before everything was handed back; it is taken over when its lease lapses"
        );
        // Nor is the call waited for that is under way to a store that says nothing.
        station.over.cancel();
        return;
    }
    station.over.cancel();
    let _ = settling.await;
}

impl BackendConfig for LaneBackend {
    type Args = Batch;
    type Id = u64;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = AcknowledgeLayer;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, worker: &mut WorkerContext) -> AcknowledgeLayer {
        // Set once: a backend belongs to one worker.
        let _ = self.station.context.set(worker.clone());
        AcknowledgeLayer(Arc::clone(&self.station))
    }
}
