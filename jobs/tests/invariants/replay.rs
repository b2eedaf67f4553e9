//! Tells the rows again from nothing but the changes, as a reader of the feed could.

use std::collections::BTreeMap;

use fairy_jobs::{
    change::{Change, ChangeKind},
    id::{CommentId, TaskId},
    task::{Comment, Task},
};
use serde_json::{Map, Value, json};

/// Tasks and comments as the changes tell them.
pub struct Replay {
    pub tasks: BTreeMap<TaskId, Task>,
    pub comments: BTreeMap<CommentId, Comment>,
}

impl Replay {
    /// Applies the changes in order. Each `from` must be what is there, or the feed contradicts itself.
    pub fn of(changes: &[Change]) -> Self {
        let mut tasks: BTreeMap<TaskId, Map<String, Value>> = BTreeMap::new();
        let mut comments: BTreeMap<CommentId, Map<String, Value>> = BTreeMap::new();
        let mut last_operation = BTreeMap::new();
        for change in changes {
            let Some(task) = &change.task else { continue };
            if let Some(id) = change.comment {
                comment(comments.entry(id).or_default(), change);
                continue;
            }
            let row = tasks.entry(task.id).or_insert_with(|| new_task(change));
            for field in &change.fields {
                let held = row.get(&field.name).cloned().unwrap_or(Value::Null);
                if change.kind != ChangeKind::TaskCreated && field.name != "deleted" {
                    assert_eq!(held, field.from, "{} of {change:?}", field.name);
                }
                row.insert(field.name.clone(), field.to.clone());
            }
            let at = json!(change.at);
            match row.remove("deleted") {
                Some(Value::Bool(true)) => _ = row.insert("deleted_at".into(), at.clone()),
                Some(_) => _ = row.remove("deleted_at"),
                None => {}
            }
            let done = row["status"] == "done";
            if done != row["completed_at"].is_string() {
                row.insert("completed_at".into(), if done { at.clone() } else { Value::Null });
            }
            if last_operation.insert(task.id, change.operation) != Some(change.operation) {
                let version = row["version"].as_u64().unwrap_or(0) + 1;
                row.insert("version".into(), json!(version));
            }
            row.insert("updated_at".into(), at);
        }
        Self { tasks: read(tasks), comments: read(comments) }
    }
}

/// What a created task has before its change says otherwise.
fn new_task(change: &Change) -> Map<String, Value> {
    let task = change.task.as_ref().expect("a change of a task");
    let blank = json!({
        "id": task.id, "workspace": change.workspace, "body": "", "due": null, "assignees": [], "watchers": [],
        "labels": [], "version": 0, "created_by": change.actor, "created_at": change.at, "completed_at": null,
    });
    blank.as_object().cloned().expect("an object")
}

fn comment(row: &mut Map<String, Value>, change: &Change) {
    let field = &change.fields[0];
    let task = change.task.as_ref().expect("a comment's change names its task").id;
    if row.is_empty() {
        let blank = json!({
            "id": change.comment, "task": task, "author": change.actor, "version": 0, "created_at": change.at,
        });
        *row = blank.as_object().cloned().expect("an object");
    } else {
        assert_eq!(row["body"], field.from);
    }
    match &field.to {
        Value::Null => _ = row.insert("deleted_at".into(), json!(change.at)),
        body => _ = row.insert("body".into(), body.clone()),
    }
    let version = row["version"].as_u64().unwrap_or(0) + 1;
    row.insert("version".into(), json!(version));
    row.insert("updated_at".into(), json!(change.at));
}

fn read<K: Ord, T: serde::de::DeserializeOwned>(rows: BTreeMap<K, Map<String, Value>>) -> BTreeMap<K, T> {
    let whole = |row| serde_json::from_value(Value::Object(row)).expect("the changes tell a whole row");
    rows.into_iter().map(|(id, row)| (id, whole(row))).collect()
}
