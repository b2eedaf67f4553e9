//! What the API is given: the ports of the domain, the lane of operations, clock and ids.

use std::sync::Arc;

use fairy_jobs::{
    clock::Clock,
    id::IdSource,
    link::LinkKey,
    ports::{
        Accounts, ActivityLog, Feed, FeedSignal, Ledger, Limiter, Meter, Notices, OutcomeChannel, Relay,
        Tasks, Teams, Upkeep,
    },
};
use fairy_queue::{LaneSpec, Queue};

use crate::Desk;

/// The outside, as far as the API needs it.
#[derive(Clone)]
pub struct Services {
    /// Accounts, sessions, tokens.
    pub accounts: Arc<dyn Accounts>,
    /// Workspaces, members, projects, invitations.
    pub teams: Arc<dyn Teams>,
    /// Outcomes of operations.
    pub ledger: Arc<dyn Ledger>,
    /// Tasks and comments, for reading.
    pub tasks: Arc<dyn Tasks>,
    /// The feed of changes.
    pub feed: Arc<dyn Feed>,
    /// The activity log.
    pub activity: Arc<dyn ActivityLog>,
    /// Receipts.
    pub notices: Arc<dyn Notices>,
    /// Whether the database answers.
    pub upkeep: Arc<dyn Upkeep>,
    /// The lanes.
    pub queue: Queue,
    /// The lane in which operations wait.
    pub operations: &'static LaneSpec,
    /// Where operators are served.
    pub desk: Arc<dyn Desk>,
    /// Brings outcomes to waiting requests.
    pub outcomes: Arc<dyn OutcomeChannel>,
    /// Wakes live feeds.
    pub signal: Arc<dyn FeedSignal>,
    /// Told of changes that were not made by operations, and of mails that are due.
    pub relay: Arc<dyn Relay>,
    /// Counts what callers do in all processes that serve the API; nothing where there is but this one.
    pub limiter: Option<Arc<dyn Limiter>>,
    /// Counts how it fares.
    pub meter: Arc<dyn Meter>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub ids: Arc<dyn IdSource>,
    /// Makes and opens the codes in links, and CSRF tokens.
    pub link_key: LinkKey,
}
