//! What is different between a task or comment before and after, as changes.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    change::{Change, ChangeKind, FieldChange, TaskRef},
    id::{CommentId, OperationId, UserId, WorkspaceId},
    notice,
    operation::Source,
    task::{Comment, Status, Task},
    text::Name,
    trace::Trace,
};

/// What all changes of one operation share.
pub(crate) struct Stamp<'a> {
    pub workspace: WorkspaceId,
    pub at: Timestamp,
    pub actor: UserId,
    pub actor_name: &'a Name,
    pub source: &'a Source,
    pub operation: Option<OperationId>,
    pub trace: Option<Trace>,
}

impl Stamp<'_> {
    /// A change that carries this stamp; `seq` is given when all changes of the operation are known.
    pub fn change(&self, kind: ChangeKind, task: Option<&Task>, fields: Vec<FieldChange>) -> Change {
        Change {
            workspace: self.workspace,
            seq: 0,
            at: self.at,
            actor: self.actor,
            actor_name: self.actor_name.clone(),
            source: self.source.clone(),
            kind,
            task: task.map(|t| TaskRef { id: t.id, key: t.key.clone(), title: t.title.clone() }),
            comment: None,
            fields,
            operation: self.operation,
            audience: Vec::new(),
            trace: self.trace,
        }
    }
}

/// The changes between two states of a task; none where nothing is different.
pub(crate) fn of_task(before: Option<&Task>, after: &Task, stamp: &Stamp<'_>) -> Vec<Change> {
    let Some(before) = before else {
        return vec![told(
            stamp.change(ChangeKind::TaskCreated, Some(after), first_fields(after)),
            None,
            after,
        )];
    };
    let mut changes = Vec::new();
    let mut add = |kind, fields: Vec<FieldChange>| {
        if !fields.is_empty() {
            changes.push(told(stamp.change(kind, Some(after), fields), Some(before), after));
        }
    };
    if before.deleted_at.is_some() != after.deleted_at.is_some() {
        let kind =
            if after.deleted_at.is_some() { ChangeKind::TaskDeleted } else { ChangeKind::TaskRestored };
        add(kind, vec![field("deleted", before.deleted_at.is_some(), after.deleted_at.is_some())]);
    }
    add(ChangeKind::TaskMoved, differing(before, after, &["project", "key"]));
    let mut plain = differing(before, after, &["title", "body", "priority", "due", "labels"]);
    let standing = differing(before, after, &["status", "progress"]);
    if before.status == after.status {
        plain.extend(standing);
        add(ChangeKind::TaskUpdated, plain);
    } else {
        add(ChangeKind::TaskUpdated, plain);
        add(ChangeKind::TaskStatusChanged, standing);
    }
    // First those who are no longer to do it, then those who are now: the set between the two is what both share.
    let kept: Vec<UserId> = before.assignees.intersection(&after.assignees).copied().collect();
    if kept.len() < before.assignees.len() {
        add(ChangeKind::TaskUnassigned, vec![field("assignees", &before.assignees, &kept)]);
    }
    if kept.len() < after.assignees.len() {
        add(ChangeKind::TaskAssigned, vec![field("assignees", &kept, &after.assignees)]);
    }
    add(ChangeKind::TaskWatchersChanged, differing(before, after, &["watchers"]));
    changes
}

/// The change between two states of a comment, if there is one.
pub(crate) fn of_comment(
    task: &Task,
    before: Option<&Comment>,
    after: &Comment,
    stamp: &Stamp<'_>,
) -> Option<Change> {
    let shown = |c: &Comment| c.deleted_at.is_none().then(|| c.body.clone());
    let (from, to) = (before.and_then(shown), shown(after));
    let kind = match (&from, &to) {
        (None, Some(_)) => ChangeKind::TaskCommented,
        (Some(_), None) => ChangeKind::CommentDeleted,
        (Some(from), Some(to)) if from != to => ChangeKind::CommentEdited,
        _ => return None,
    };
    let change = told(stamp.change(kind, Some(task), vec![field("comment", from, to)]), Some(task), task);
    Some(Change { comment: Some::<CommentId>(after.id), ..change })
}

fn told(change: Change, before: Option<&Task>, after: &Task) -> Change {
    Change { audience: notice::audience(change.kind, change.actor, before, after), ..change }
}

fn first_fields(task: &Task) -> Vec<FieldChange> {
    let mut fields = Vec::new();
    for name in
        ["project", "key", "title", "body", "status", "progress", "priority", "due", "assignees", "labels"]
    {
        let to = value_of(task, name);
        let empty = match &to {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            fields.push(FieldChange { name: name.to_owned(), from: Value::Null, to });
        }
    }
    fields
}

fn differing(before: &Task, after: &Task, names: &[&str]) -> Vec<FieldChange> {
    let changed = |name: &&&str| match **name {
        "project" => before.project != after.project,
        "key" => before.key != after.key,
        "title" => before.title != after.title,
        "body" => before.body != after.body,
        "status" => before.status != after.status,
        "progress" => before.progress != after.progress,
        "priority" => before.priority != after.priority,
        "due" => before.due != after.due,
        "labels" => before.labels != after.labels,
        "watchers" => before.watchers != after.watchers,
        _ => false,
    };
    names
        .iter()
        .filter(changed)
        .map(|name| field(name, value_of(before, name), value_of(after, name)))
        .collect()
}

fn value_of(task: &Task, name: &str) -> Value {
    match name {
        "project" => json(task.project),
        "key" => json(&task.key),
        "title" => json(&task.title),
        "body" => json(&task.body),
        "status" => json::<Status>(task.status),
        "progress" => json(task.progress),
        "priority" => json(task.priority),
        "due" => json(&task.due),
        "assignees" => json(&task.assignees),
        "labels" => json(&task.labels),
        "watchers" => json(&task.watchers),
        _ => Value::Null,
    }
}

fn field(name: &str, from: impl Serialize, to: impl Serialize) -> FieldChange {
    FieldChange { name: name.to_owned(), from: json(from), to: json(to) }
}

/// The value as the API shows it; the domain's types always have a JSON form.
fn json<T: Serialize>(value: T) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}
