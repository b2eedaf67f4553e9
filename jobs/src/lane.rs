//! The lanes and what their jobs carry: ids and small facts, never entities or secrets.
//!
//! Payloads only ever gain optional fields. How long a lease is and how often a job is tried is set where the lanes
//! are wired, in the composition root.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    id::{DeliveryId, OperationId, UserId, WorkspaceId},
    operation::{Fingerprint, Operation, Outcome, ResourceRef},
};

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

/// What lies beside an operation's unique key in its lane, at most 512 bytes of JSON: enough to answer a repeat, to say
/// that it is accepted before it is a row, and to give it an outcome should its payload become unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// What tells a repeat from another request.
    pub fingerprint: Fingerprint,
    /// Who asked.
    pub actor: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// What it is about.
    pub resource: ResourceRef,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The failed operation that it tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<OperationId>,
}

impl Tag {
    /// How many bytes of the text, with the fingerprint in them, tell a repeat from another request.
    pub const TELLING: usize = r#"{"fingerprint":""#.len() + 64;

    /// The tag of this operation.
    pub fn of(operation: &Operation) -> Self {
        Self {
            fingerprint: operation.fingerprint,
            actor: operation.actor,
            workspace: operation.workspace,
            resource: operation.command.resource(),
            accepted_at: operation.accepted_at,
            retry_of: operation.retry_of,
        }
    }

    /// The tag that the operation of this outcome had.
    pub fn of_outcome(outcome: &Outcome) -> Self {
        Self {
            fingerprint: outcome.fingerprint,
            actor: outcome.actor,
            workspace: outcome.workspace,
            resource: outcome.resource.clone(),
            accepted_at: outcome.accepted_at,
            retry_of: outcome.retry_of,
        }
    }

    /// The tag in this text.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::ResourceKind;

    #[test]
    fn fits_into_a_lane() {
        let tag = Tag {
            fingerprint: Fingerprint::of(&[b"x"]),
            actor: UserId::from_bytes([255; 16]),
            workspace: WorkspaceId::from_bytes([255; 16]),
            resource: ResourceRef {
                kind: ResourceKind::Comment,
                id: "cmt_7ZZZZZZZZZZZZZZZZZZZZZZZZZ".into(),
            },
            accepted_at: Timestamp::MAX,
            retry_of: Some(OperationId::from_bytes([255; 16])),
        };
        let text = serde_json::to_string(&tag).unwrap();
        assert!(text.len() <= 512, "{}", text.len());
        assert!(
            text[..Tag::TELLING].ends_with(&tag.fingerprint.to_string()),
            "a repeat is told by its beginning"
        );
        assert_eq!(Tag::parse(&text), Some(tag));
    }
}
