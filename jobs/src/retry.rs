//! Trying a failed operation again: a new operation that names the old one, for `failed` is final.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::{id::OperationId, operation::Operation};

/// Sets these ids apart from those of idempotency keys.
const DERIVED: &[u8] = b"retry of operation";

impl Operation {
    /// The operation that tries this one again, accepted `at`.
    ///
    /// Its id is derived from this one's, so that whoever asks twice, or in doubt once more, asks for the same operation.
    #[must_use]
    pub fn retry(&self, at: Timestamp) -> Self {
        let mut hash = Sha256::new();
        hash.update(DERIVED);
        hash.update(self.id.to_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        let (id, retry_of) = (OperationId::from_bytes(id), Some(self.id));
        // Whoever waited for the first has its outcome.
        Self { id, accepted_at: at, retry_of, reply_to: None, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        command::{Command, DeleteTask, TaskName},
        id::{UserId, WorkspaceId},
        operation::{Fingerprint, IfMatch, ReplyTo, Source},
    };

    #[test]
    fn a_retry_is_one_new_operation_that_asks_for_the_same() {
        let failed = Operation {
            id: OperationId::from_bytes([1; 16]),
            workspace: WorkspaceId::from_bytes([2; 16]),
            actor: UserId::from_bytes([3; 16]),
            source: Source::web(),
            command: Command::DeleteTask(DeleteTask { task: TaskName::parse("WEB-1").unwrap() }),
            if_match: Some(IfMatch::Versions(vec![7])),
            accepted_at: Timestamp::UNIX_EPOCH,
            fingerprint: Fingerprint::of(&[b"one"]),
            retry_of: None,
            reply_to: Some(ReplyTo::named("api-1")),
            trace: None,
        };
        let (first, second) = (failed.retry(Timestamp::MAX), failed.retry(Timestamp::UNIX_EPOCH));
        assert_eq!((first.id, first.accepted_at), (second.id, Timestamp::MAX));
        assert_eq!(first.retry_of, Some(failed.id));
        assert_eq!(first.reply_to, None);
        let old = Operation { retry_of: None, reply_to: failed.reply_to.clone(), ..first.clone() };
        assert_eq!(Operation { id: failed.id, accepted_at: failed.accepted_at, ..old }, failed);
        let again = first.retry(Timestamp::MAX);
        assert_eq!(again.retry_of, Some(first.id));
        assert_eq!(std::collections::BTreeSet::from([failed.id, first.id, again.id]).len(), 3);
    }
}
