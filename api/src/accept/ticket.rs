//! A write that is about to be accepted: everything of its operation but the command.

use fairy_jobs::{
    command::Command,
    id::{CommentId, OperationId, TaskId, WorkspaceId},
    operation::{Fingerprint, Operation, keyed_id},
};
use tokio::time::Instant;

use super::Envelope;
use crate::{
    auth::{Caller, Place},
    front::Front,
};

/// An operation without its command.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    /// The operation's id.
    pub id: OperationId,
    /// Whether the id comes from an idempotency key, so that there may have been a first request.
    pub keyed: bool,
    /// The surroundings of the request.
    pub envelope: Envelope,
    /// When it was understood what is asked.
    pub began: Instant,
    fingerprint: Fingerprint,
    operation_of: (Caller, Place),
}

impl Ticket {
    /// A ticket for the write of this caller in this place.
    pub fn new(front: &Front, caller: &Caller, place: &Place, envelope: &Envelope, body: &[u8]) -> Self {
        let key = envelope.idempotency_key.as_deref();
        let id = match key {
            Some(key) => keyed_id(caller.user, place.workspace, key),
            None => OperationId::generate(front.services.ids.as_ref(), front.now()),
        };
        Self {
            id,
            keyed: key.is_some(),
            began: Instant::now(),
            fingerprint: envelope.fingerprint(body),
            envelope: envelope.clone(),
            operation_of: (caller.clone(), *place),
        }
    }

    /// The ticket of one item of this batch. The first has the batch's own id, which is that of any request with the same
    /// key, so whichever request comes second meets the first. No key of a client holds a NUL, so the ids of the others are
    /// never another request's.
    #[must_use]
    pub fn item(&self, front: &Front, index: usize) -> Self {
        let (caller, place) = &self.operation_of;
        let id = match &self.envelope.idempotency_key {
            _ if index == 0 => self.id,
            Some(key) => keyed_id(caller.user, place.workspace, &format!("{key}\0{index}")),
            None => OperationId::generate(front.services.ids.as_ref(), front.now()),
        };
        Self { id, ..self.clone() }
    }

    /// The workspace.
    pub const fn workspace(&self) -> WorkspaceId {
        self.operation_of.1.workspace
    }

    /// What tells a repeat from another request.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// An id for the task that this operation makes. Ids ascend in the order of acceptance, by which what one batch makes
    /// is listed; of a repeat it is never used, for lane and rows say what the first request named.
    pub fn task(front: &Front) -> TaskId {
        TaskId::generate(front.services.ids.as_ref(), front.now())
    }

    /// An id for the comment that this operation makes.
    pub fn comment(front: &Front) -> CommentId {
        CommentId::generate(front.services.ids.as_ref(), front.now())
    }

    /// The operation.
    pub fn operation(&self, front: &Front, command: Command) -> Operation {
        let (caller, place) = &self.operation_of;
        Operation {
            id: self.id,
            workspace: place.workspace,
            actor: caller.user,
            source: caller.source(),
            command,
            if_match: self.envelope.if_match.clone(),
            accepted_at: front.now(),
            fingerprint: self.fingerprint,
            retry_of: None,
            reply_to: None,
            trace: None,
        }
    }
}
