//! A change as an event on a bus.
//!
//! It says what the feed says, in the same words (the API's `Change`; a test there compares the two), so whoever reads one
//! can read the other. An event stands alone, so it also carries its workspace and an id; on a feed these are known. The
//! audience is in neither: it is nobody else's affair.

use serde::Serialize;

use crate::{
    change::{Change, ChangeKind, FieldChange},
    clock::rfc3339,
    id::{CommentId, OperationId, TaskId, UserId, WorkspaceId},
    operation::Source,
    team::TaskKey,
    text::{Name, Title},
};

#[derive(Serialize)]
struct Seen<'a> {
    seq: u64,
    at: String,
    actor: Actor<'a>,
    source: &'a Source,
    kind: ChangeKind,
    task: Option<Task<'a>>,
    comment: Option<CommentId>,
    fields: &'a [FieldChange],
    operation: Option<OperationId>,
}

#[derive(Serialize)]
struct Actor<'a> {
    id: UserId,
    name: &'a Name,
}

#[derive(Serialize)]
struct Task<'a> {
    id: TaskId,
    key: &'a TaskKey,
    title: &'a Title,
}

#[derive(Serialize)]
struct Event<'a> {
    id: String,
    workspace: WorkspaceId,
    #[serde(flatten)]
    change: Seen<'a>,
}

impl<'a> From<&'a Change> for Seen<'a> {
    fn from(change: &'a Change) -> Self {
        Self {
            seq: change.seq,
            at: rfc3339(change.at),
            actor: Actor { id: change.actor, name: &change.actor_name },
            source: &change.source,
            kind: change.kind,
            task: change.task.as_ref().map(|task| Task { id: task.id, key: &task.key, title: &task.title }),
            comment: change.comment,
            fields: &change.fields,
            operation: change.operation,
        }
    }
}

/// What every event of this change is called, however often it is published.
pub fn event_id(change: &Change) -> String {
    format!("{}.{}", change.workspace, change.seq)
}

/// The change as the detail of an event.
///
/// # Errors
/// Never for a change that was read or made by Fairy.
pub fn event_json(change: &Change) -> serde_json::Result<String> {
    let event = Event { id: event_id(change), workspace: change.workspace, change: change.into() };
    serde_json::to_string(&event)
}
