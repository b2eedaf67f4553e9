//! An outcome for tests of those who pass outcomes on and do not look into them.

use jiff::Timestamp;

use crate::{
    id::{OperationId, UserId, WorkspaceId},
    operation::{End, Fingerprint, Outcome, ResourceKind, ResourceRef},
};

/// How an operation ended that nobody made.
#[must_use]
pub fn outcome(id: OperationId, end: End) -> Outcome {
    Outcome {
        id,
        workspace: WorkspaceId::from_bytes([1; 16]),
        actor: UserId::from_bytes([2; 16]),
        fingerprint: Fingerprint::of(&[]),
        accepted_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        resource: ResourceRef { kind: ResourceKind::Task, id: "WEB-1".to_owned() },
        retry_of: None,
        end,
    }
}
