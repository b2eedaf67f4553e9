//! What an operation's outcome is when its job becomes a dead letter.
//!
//! Whoever asked must get an answer even when the payload cannot be read any more, so the lane keeps, beside the
//! payload, the operation's id as unique key and a tag with what an outcome needs.

use fairy_jobs::{
    lane::Tag,
    operation::{End, Operation, Outcome},
    ports::Reply,
    problem::{Problem, ProblemKind},
};
use fairy_queue::DeadJob;
use jiff::Timestamp;

/// The outcome `failed` of the operation in this dead letter; `None` if neither payload nor tag names one.
pub(crate) fn reply(dead: &DeadJob, at: Timestamp) -> Option<Reply> {
    match serde_json::from_slice::<Operation>(&dead.payload) {
        Ok(operation) => Some(Reply { outcome: operation.failure(at), to: operation.reply_to }),
        Err(_) => from_tag(dead, at).map(|outcome| Reply { to: None, outcome }),
    }
}

fn from_tag(dead: &DeadJob, at: Timestamp) -> Option<Outcome> {
    let id = dead.unique_key.as_deref()?.parse().ok()?;
    let tag = Tag::parse(dead.tag.as_deref()?)?;
    let detail = "It could not be read and was put among the dead letters.";
    Some(Outcome {
        id,
        workspace: tag.workspace,
        actor: tag.actor,
        fingerprint: tag.fingerprint,
        accepted_at: tag.accepted_at,
        finished_at: at,
        resource: tag.resource,
        retry_of: tag.retry_of,
        end: End::Failed(Problem::new(ProblemKind::OperationFailed, detail)),
    })
}
