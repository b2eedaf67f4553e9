//! A handler that remembers what it was given, and workers around it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use apalis::prelude::{Monitor, MonitorContext};
use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Answer, Crew, DeadJob, Handler, Job, LaneSpec, Queue, register};

/// One job that a handler was given.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The payload.
    pub item: u64,
    /// Its group.
    pub group: Option<String>,
    /// Which attempt.
    pub attempt: u32,
    /// Whether it was said to be the last.
    pub last_attempt: bool,
    /// How many jobs it came with, itself included.
    pub together: usize,
}

type Script = Box<dyn Fn(Vec<Job<u64>>) -> BoxFuture<'static, Vec<Answer>> + Send + Sync>;
type Burial = Box<dyn Fn(&DeadJob) -> Result<(), String> + Send + Sync>;

/// A handler made of closures.
pub struct Probe {
    script: Script,
    burial: Burial,
    seen: Mutex<Vec<Seen>>,
    buried: Mutex<Vec<DeadJob>>,
}

impl Probe {
    /// A handler that answers each job by itself.
    pub fn each(answer: impl Fn(&Job<u64>) -> Answer + Send + Sync + 'static) -> Self {
        Self::batch(move |jobs| {
            let answers = jobs.iter().map(&answer).collect();
            Box::pin(async move { answers })
        })
    }

    /// A handler that does a batch at once.
    pub fn batch(
        script: impl Fn(Vec<Job<u64>>) -> BoxFuture<'static, Vec<Answer>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            script: Box::new(script),
            burial: Box::new(|_| Ok(())),
            seen: Mutex::default(),
            buried: Mutex::default(),
        }
    }

    /// Buries like this.
    #[must_use]
    pub fn burying(
        mut self,
        burial: impl Fn(&DeadJob) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.burial = Box::new(burial);
        self
    }

    /// What it was given so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The payloads it was given so far.
    pub fn items(&self) -> Vec<u64> {
        self.seen().into_iter().map(|seen| seen.item).collect()
    }

    /// What it buried so far.
    pub fn buried(&self) -> Vec<DeadJob> {
        self.buried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Handler for Probe {
    type Job = u64;

    async fn handle(&self, batch: Vec<Job<u64>>) -> Vec<Answer> {
        let seen: Vec<Seen> = batch
            .iter()
            .map(|job| Seen {
                item: job.payload,
                group: job.group.clone(),
                attempt: job.attempt,
                last_attempt: job.last_attempt,
                together: batch.len(),
            })
            .collect();
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
        (self.script)(batch).await
    }

    async fn bury(&self, dead: &DeadJob) -> Result<(), String> {
        (self.burial)(dead)?;
        self.buried.lock().unwrap_or_else(PoisonError::into_inner).push(dead.clone());
        Ok(())
    }
}

/// Workers that run.
pub struct Running {
    context: MonitorContext,
    task: JoinHandle<()>,
}

/// Starts a worker for `lane`.
pub fn start(queue: &Queue, lane: &'static LaneSpec, probe: &Arc<Probe>, concurrency: usize) -> Running {
    start_with(
        queue,
        lane,
        probe,
        Crew { name: "suite".into(), concurrency, version: 1, time_up: CancellationToken::new() },
    )
}

/// Starts a worker for `lane` with this crew.
pub fn start_with(queue: &Queue, lane: &'static LaneSpec, probe: &Arc<Probe>, crew: Crew) -> Running {
    let monitor = register(Monitor::new(), queue, lane, Arc::clone(probe), crew);
    let context = monitor.context();
    let task = tokio::spawn(async move { monitor.run().await.unwrap() });
    Running { context, task }
}

impl Running {
    /// Tells the workers to stop, without waiting.
    pub fn tell(&self) {
        self.context.shutdown().unwrap();
    }

    /// Tells the workers to stop and waits until they have.
    pub async fn stop(self) {
        self.tell();
        tokio::time::timeout(Duration::from_secs(60), self.task).await.expect("workers stop").unwrap();
    }

    /// The process dies: nothing is said to anybody.
    pub fn abort(self) {
        self.task.abort();
    }
}

/// Waits for a condition; a minute without it is a failure.
pub async fn until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait).await.expect("the condition comes true");
}
