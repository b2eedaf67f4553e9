//! What goes between those who apply and those who wait: outcomes to waiting requests, and the wake-up of live feeds.
//!
//! Where everything is one process, both stay within it. Between processes they are hints like any other: whoever waits
//! looks at the rows too, so that a lost message costs a moment. This is the one place that knows which way is taken.

use std::sync::Arc;

use fairy_jobs::{
    id::WorkspaceId,
    ports::{FeedSignal, Limiter, OutcomeChannel},
};

use crate::{
    cluster::Between,
    embedded::{Outcomes, Signals},
};

/// The ways of a process; clones share them.
#[derive(Clone)]
pub enum Channels {
    /// Within this process.
    Within(Outcomes, Signals),
    /// Also to and from other processes.
    Between(Arc<Between>),
}

impl Default for Channels {
    fn default() -> Self {
        Self::Within(Outcomes::default(), Signals::default())
    }
}

impl Channels {
    /// Carries outcomes.
    pub fn outcomes(&self) -> Arc<dyn OutcomeChannel> {
        match self {
            Self::Within(outcomes, _) => Arc::new(outcomes.clone()),
            Self::Between(between) => Arc::new(between.outcomes.clone()),
        }
    }

    /// Wakes who follows a feed.
    pub fn signal(&self) -> Arc<dyn FeedSignal> {
        match self {
            Self::Within(_, signals) => Arc::new(signals.clone()),
            Self::Between(between) => Arc::new(between.signals.clone()),
        }
    }

    /// The workspace's feed has grown up to `seq`.
    pub fn grown(&self, workspace: WorkspaceId, seq: u64) {
        match self {
            Self::Within(_, signals) => signals.grown(workspace, seq),
            Self::Between(between) => between.signals.grown(workspace, seq),
        }
    }

    /// What counts for all processes; nothing where there is but this one.
    pub fn limiter(&self) -> Option<Arc<dyn Limiter>> {
        match self {
            Self::Within(..) => None,
            Self::Between(between) => Some(between.limiter.clone()),
        }
    }

    /// Says what is left to be said; called when nothing is applied any more.
    pub async fn close(&self) {
        if let Self::Between(between) = self {
            between.close().await;
        }
    }

    /// How many requests of this process wait for an outcome.
    pub fn waiting(&self) -> usize {
        match self {
            Self::Within(outcomes, _) => outcomes.waiting(),
            Self::Between(between) => between.outcomes.here().waiting(),
        }
    }

    /// How many workspaces are followed in this process.
    pub fn followed(&self) -> usize {
        match self {
            Self::Within(_, signals) => signals.followed(),
            Self::Between(between) => between.signals.followed(),
        }
    }
}
