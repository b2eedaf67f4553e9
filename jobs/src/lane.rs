//! The lanes and what their jobs carry: ids and small facts, never entities or secrets.
//!
//! Payloads only ever gain optional fields. How long a lease is and how often a job is tried is set where the lanes
//! are wired, in the composition root.

use serde::{Deserialize, Serialize};

use crate::id::{DeliveryId, WorkspaceId};

/// Operations wait here, grouped by workspace; the payload is an [`crate::operation::Operation`].
pub const OPERATIONS: &str = "operations";
/// Hints that a workspace has changes for the activity log, grouped by workspace.
pub const RECORD: &str = "record";
/// Hints that a workspace has changes for the event bus, grouped by workspace.
pub const PUBLISH: &str = "publish";
/// Hints that a workspace has changes that people may have to be told of, grouped by workspace.
pub const NOTIFY: &str = "notify";
/// Deliveries that are due.
pub const DELIVER: &str = "deliver";

/// A workspace has changes that a sink has not done yet; the rows say which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The workspace.
    pub workspace: WorkspaceId,
}

/// A delivery is due; the row says what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deliver {
    /// The delivery.
    pub delivery: DeliveryId,
}

/// Who follows the feed of changes and marks how far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sink {
    /// The activity log.
    Record,
    /// The event bus.
    Publish,
    /// Notices.
    Notify,
}

impl Sink {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Record, Self::Publish, Self::Notify];

    /// Its name in rows, which is also its lane's.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record => RECORD,
            Self::Publish => PUBLISH,
            Self::Notify => NOTIFY,
        }
    }
}
