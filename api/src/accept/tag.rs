//! What is kept beside an operation's unique key in its lane: enough to answer a repeat, and to say that the operation
//! is accepted, before it is a row. No secret, no text that a person wrote.

use fairy_jobs::{
    id::{UserId, WorkspaceId},
    operation::{Fingerprint, Operation, ResourceRef},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The tag of an operation in its lane, at most 512 bytes of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tag {
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
}

impl Tag {
    /// The tag of this operation.
    pub fn of(operation: &Operation) -> Self {
        Self {
            fingerprint: operation.fingerprint,
            actor: operation.actor,
            workspace: operation.workspace,
            resource: operation.command.resource(),
            accepted_at: operation.accepted_at,
        }
    }

    /// The tag in this text.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::operation::ResourceKind;

    use super::*;

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
        };
        let text = serde_json::to_string(&tag).unwrap();
        assert!(text.len() <= 512, "{}", text.len());
        assert_eq!(Tag::parse(&text), Some(tag));
    }
}
