//! Following a workspace's feed to its end: what the sinks `record`, `publish` and `notify` have in common.
//!
//! A hint says only that a workspace has something to do; what that is, the rows say. So a hint that comes twice, late or
//! after the work was done finds nothing to do, and one that is lost is made good by the sweeper. A sink never skips
//! a change: what cannot be done now is tried again later, in its place, and the hint costs no attempts meanwhile, for
//! a dead letter of a hint would say nothing that the rows do not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::WorkspaceId,
    lane::{Hint, Sink},
    ports::{PortResult, Sinks, Stretch},
};
use fairy_queue::{Answer, Handler, Job};

use crate::{
    failure::{AWAY, Failure},
    trace,
};

/// Changes that are done at a time; fewer where they are large.
pub(crate) const PAGE: usize = 500;
/// Pages that one hint may take before other workspaces have their turn.
const PAGES_A_TURN: usize = 20;
/// How long a workspace waits whose changes a sink cannot do; a person has to look.
const STUCK: Duration = Duration::from_secs(30);

/// What a sink does with changes.
#[async_trait]
pub(crate) trait Follower: Send + Sync + 'static {
    /// Which sink it is.
    const SINK: Sink;

    /// Does these changes of one workspace, never empty, oldest first, and marks how far the sink has come: to their end, or
    /// with `more`, which says that the page was cut, at least one operation further.
    async fn take_in(&self, workspace: WorkspaceId, changes: &[Change], more: bool) -> PortResult<()>;
}

/// The handler of a sink's lane.
pub(crate) struct Follow<F> {
    pub sinks: Arc<dyn Sinks>,
    pub follower: F,
}

/// How a turn ended.
enum Turn {
    CaughtUp,
    Cut,
}

impl<F: Follower> Follow<F> {
    async fn catch_up(&self, workspace: WorkspaceId) -> Result<Turn, Failure> {
        for _ in 0..PAGES_A_TURN {
            let Stretch { changes, more } = self.sinks.pending(F::SINK, workspace, PAGE).await?;
            if changes.is_empty() {
                return Ok(Turn::CaughtUp);
            }
            let traces = changes.iter().map(|change| change.trace);
            let work = self.follower.take_in(workspace, &changes, more);
            trace::in_spans(F::SINK.as_str(), traces, Result::is_ok, work).await?;
            if !more {
                return Ok(Turn::CaughtUp);
            }
        }
        Ok(Turn::Cut)
    }

    /// What the last hint of a workspace is answered; those before it say the same and are done.
    async fn answer(&self, workspace: WorkspaceId) -> Answer {
        let sink = F::SINK.as_str();
        match self.catch_up(workspace).await {
            Ok(Turn::CaughtUp) => Answer::Done,
            Ok(Turn::Cut) => Answer::HandBack,
            Err(Failure::Away(error)) => {
                tracing::warn!(sink, %workspace, error, "a sink waits for what is away");
                Answer::Snooze(AWAY)
            }
            Err(Failure::Content(error)) => {
                tracing::error!(sink, %workspace, error, "a sink cannot do a workspace's changes and waits");
                Answer::Snooze(STUCK)
            }
        }
    }
}

#[async_trait]
impl<F: Follower> Handler for Follow<F> {
    type Job = Hint;

    async fn handle(&self, batch: Vec<Job<Hint>>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        for same in batch.chunk_by(|a, b| a.payload == b.payload) {
            let last = self.answer(same[0].payload.workspace).await;
            answers.resize(answers.len() + same.len() - 1, Answer::Done);
            answers.push(last);
        }
        answers
    }
}
