//! Lane `operations`: applies what was accepted, in order, one transaction per batch.
//!
//! A repeat is harmless: the ledger decides only operations that have no row yet, and gives the stored outcome of the
//! others. What must stay true: no operation is answered as done before its outcome is durable, none is applied before
//! those ahead of it in its workspace, and one that cannot be applied stops nobody but itself.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    id::WorkspaceId,
    operation::Operation,
    ports::{Applied, Ledger, OutcomeChannel, PortError, Relay, Reply},
    trace::Trace,
};
use fairy_queue::{Answer, DeadJob, Handler, Job};
use futures::FutureExt as _;
use jiff::Timestamp;

use crate::{Services, bury, failure::Failure, trace};

/// How often the same batch is given to the ledger when the answer to its commit was lost.
const LOOKS: usize = 3;

/// Applies operations.
pub(crate) struct Apply {
    pub ledger: Arc<dyn Ledger>,
    pub outcomes: Arc<dyn OutcomeChannel>,
    pub relay: Arc<dyn Relay>,
    pub clock: Arc<dyn Clock>,
    pub outage: Outage,
}

/// The handler of the lane.
pub(crate) fn handler(services: &Services) -> Apply {
    Apply {
        ledger: services.ledger.clone(),
        outcomes: services.outcomes.clone(),
        relay: services.relay.clone(),
        clock: services.clock.clone(),
        outage: Outage::default(),
    }
}

impl Apply {
    /// Applies operations of one workspace in order, halving what fails by its content until the guilty one stands
    /// alone; the answers for those that were reached, the last of them perhaps not done.
    async fn run(&self, workspace: WorkspaceId, operations: &[Operation]) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(operations.len());
        let mut seq = None;
        let mut parts = vec![operations];
        while let Some(part) = parts.pop() {
            match self.apply(workspace, part).await {
                Ok(applied) => {
                    self.outage.over();
                    let outcomes = part.iter().zip(applied.outcomes);
                    let reply = |(of, outcome): (&Operation, _)| Reply { to: of.reply_to.clone(), outcome };
                    self.outcomes.send(outcomes.map(reply).collect()).await;
                    seq = applied.seq.or(seq);
                    answers.resize(answers.len() + part.len(), Answer::Done);
                }
                Err(Failure::Content(_)) if part.len() > 1 => {
                    let (before, after) = part.split_at(part.len() / 2);
                    parts.extend([after, before]);
                }
                Err(failure) => {
                    answers.push(self.answer(workspace, failure));
                    break;
                }
            }
        }
        if let Some(seq) = seq {
            self.relay.changed(workspace, seq).await;
        }
        answers
    }

    async fn apply(&self, workspace: WorkspaceId, part: &[Operation]) -> Result<Applied, Failure> {
        let mut lost = String::new();
        for _ in 0..LOOKS {
            let at = self.clock.now();
            // A decision that panics must be found and set aside like any other that cannot be applied.
            let caught = AssertUnwindSafe(self.ledger.apply(workspace, part, at)).catch_unwind().await;
            match caught {
                Ok(Err(PortError::Unknown(error))) => lost = error,
                Ok(result) => return result.map_err(Failure::from),
                Err(_) => return Err(Failure::Content("applying it panicked".to_owned())),
            }
        }
        Err(Failure::Away(format!("the fate of a batch is not known: {lost}")))
    }

    fn answer(&self, workspace: WorkspaceId, failure: Failure) -> Answer {
        match failure {
            Failure::Away(error) => {
                let wait = self.outage.wait(self.clock.now());
                tracing::warn!(%workspace, error, ?wait, "operations wait for the database");
                Answer::Snooze(wait)
            }
            Failure::Content(error) => {
                tracing::error!(%workspace, error, "an operation cannot be applied");
                Failure::Content(error).into()
            }
        }
    }
}

#[async_trait]
impl Handler for Apply {
    type Job = Operation;

    async fn handle(&self, batch: Vec<Job<Operation>>) -> Vec<Answer> {
        let count = batch.len();
        let Some(workspace) = batch.first().map(|job| job.payload.workspace) else {
            return Vec::new();
        };
        // Order holds within a group only, so an operation in another workspace's group must not be applied from here.
        let group = workspace.to_string();
        let fits = |job: &Job<Operation>| {
            job.payload.workspace == workspace && job.group.as_deref() == Some(group.as_str())
        };
        let operation = |job: Job<Operation>| Operation {
            trace: job.trace.as_deref().and_then(Trace::parse),
            ..job.payload
        };
        let operations: Vec<Operation> = batch.into_iter().take_while(fits).map(operation).collect();
        let mut answers = if operations.is_empty() {
            vec![Answer::Dead { error: "it is in the group of another workspace".to_owned() }]
        } else {
            let well = |answers: &Vec<Answer>| answers.last() == Some(&Answer::Done);
            let traces = operations.iter().map(|operation| operation.trace);
            trace::in_spans("apply", traces, well, self.run(workspace, &operations)).await
        };
        answers.resize(count, Answer::HandBack);
        answers
    }

    async fn bury(&self, dead: &DeadJob) -> Result<(), String> {
        let Some(Reply { to, outcome: failed }) = bury::reply(dead, self.clock.now()) else {
            tracing::error!(job = %dead.id, error = dead.error, "a dead letter names no operation");
            return Ok(());
        };
        let outcome = self.ledger.fail(&failed).await.map_err(|error| error.to_string())?;
        tracing::error!(operation = %outcome.id, error = dead.error, "an operation is among the dead letters");
        self.outcomes.send(vec![Reply { to, outcome }]).await;
        Ok(())
    }
}

/// How long the database has been away, from which follows how long to wait: soon at first, so that nobody waits long
/// after a hiccup; rarely in the end, so that thousands of workspaces do not ask a dead server all the time.
#[derive(Debug, Default)]
pub(crate) struct Outage(Mutex<Option<Timestamp>>);

impl Outage {
    const LEAST: Duration = Duration::from_millis(200);
    const MOST: Duration = Duration::from_secs(5);

    fn wait(&self, now: Timestamp) -> Duration {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *since.get_or_insert(now);
        let lasted = Duration::try_from(now.duration_since(since)).unwrap_or_default();
        (lasted / 2).clamp(Self::LEAST, Self::MOST)
    }

    fn over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
