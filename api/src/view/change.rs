//! A change as the feed and the activity log show it: without its audience, which is nobody else's affair.

use fairy_jobs::{
    change::{Change, ChangeKind, FieldChange, TaskRef},
    id::{CommentId, OperationId, TaskId, UserId},
    operation::Source,
    team::TaskKey,
    text::{Name, Title},
};
use poem_openapi::{
    Object,
    types::{Any, ToJSON as _},
};
use serde_json::Value;

use crate::shape::{Instant, Nullable, Shown};

/// One fact: who, what, before and after.
#[derive(Debug, Object)]
#[oai(rename = "Change")]
pub(crate) struct ChangeView {
    /// Its number in the workspace's feed, from 1, without gaps.
    seq: u64,
    /// When it was applied.
    at: Shown<Instant>,
    /// Who did it.
    actor: ActorView,
    /// From where: `web`, `api`, …
    source: Shown<Source>,
    /// What happened.
    kind: Shown<ChangeKind>,
    /// The task it is about; null for changes of the workspace, its members and projects.
    task: Nullable<TaskRefView>,
    /// The comment it is about.
    comment: Nullable<Shown<CommentId>>,
    /// What is different, by field; sets are shown whole.
    fields: Vec<FieldView>,
    /// The operation that explains it; null for changes that are not made by operations.
    operation: Nullable<Shown<OperationId>>,
}

/// Who did something, as they were called then.
#[derive(Debug, Object)]
#[oai(rename = "Actor")]
struct ActorView {
    /// Their id.
    id: Shown<UserId>,
    /// Their name then.
    name: Shown<Name>,
}

/// The task of a change, as it was called after it.
#[derive(Debug, Object)]
#[oai(rename = "TaskReference")]
struct TaskRefView {
    /// Its id.
    id: Shown<TaskId>,
    /// Its key then.
    key: Shown<TaskKey>,
    /// Its title then.
    title: Shown<Title>,
}

/// One field before and after.
#[derive(Debug, Object)]
#[oai(rename = "FieldChange")]
struct FieldView {
    /// The field.
    name: String,
    /// Its value before; null where there was none.
    #[oai(nullable)]
    from: Any<Value>,
    /// Its value after; null where there is none.
    #[oai(nullable)]
    to: Any<Value>,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        Self {
            seq: change.seq,
            at: Shown(Instant(change.at)),
            actor: ActorView { id: Shown(change.actor), name: Shown(change.actor_name) },
            source: Shown(change.source),
            kind: Shown(change.kind),
            task: Nullable(change.task.map(TaskRefView::from)),
            comment: Nullable(change.comment.map(Shown)),
            fields: change.fields.into_iter().map(FieldView::from).collect(),
            operation: Nullable(change.operation.map(Shown)),
        }
    }
}

impl From<TaskRef> for TaskRefView {
    fn from(task: TaskRef) -> Self {
        Self { id: Shown(task.id), key: Shown(task.key), title: Shown(task.title) }
    }
}

impl From<FieldChange> for FieldView {
    fn from(field: FieldChange) -> Self {
        Self { name: field.name, from: Any(field.from), to: Any(field.to) }
    }
}

/// A change as one line of JSON.
pub(crate) fn change_json(change: Change) -> String {
    ChangeView::from(change).to_json_string()
}

#[cfg(test)]
mod tests {
    use fairy_jobs::{event::event_json, id::WorkspaceId, testing::activity::feed};

    use super::*;

    #[test]
    fn an_event_says_what_the_feed_says() {
        for change in feed(WorkspaceId::from_bytes([1; 16]), 60) {
            let event: Value = serde_json::from_str(&event_json(&change).unwrap()).unwrap();
            assert_eq!(event["id"], format!("{}.{}", change.workspace, change.seq));
            let event =
                event.as_object().unwrap().iter().filter(|(key, _)| *key != "id" && *key != "workspace");
            let event: Vec<_> = event.collect();
            let shown: Value = serde_json::from_str(&change_json(change.clone())).unwrap();
            assert_eq!(event, shown.as_object().unwrap().iter().collect::<Vec<_>>());
        }
    }
}
