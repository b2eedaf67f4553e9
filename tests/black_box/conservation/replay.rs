//! Tells the tasks again from the feed alone, by the contract's words, without the system's own code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// A task as the feed tells it.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its fields as the API shows them; sets as lists of ids.
    pub fields: BTreeMap<String, Value>,
    /// Who made it.
    pub created_by: String,
    /// The operations that changed it.
    pub operations: BTreeSet<String>,
    /// Its comments that are not taken back, by id.
    pub comments: BTreeMap<String, String>,
    /// Every key it ever had.
    pub keys: Vec<String>,
}

impl Task {
    /// The ids in a set.
    pub fn people(&self, field: &str) -> BTreeSet<String> {
        texts(&self.fields[field])
    }

    /// Whether it is deleted.
    pub fn deleted(&self) -> bool {
        self.fields["deleted"] == true
    }
}

/// The texts in a JSON list.
pub fn texts(list: &Value) -> BTreeSet<String> {
    list.as_array().into_iter().flatten().filter_map(|t| t.as_str().map(str::to_owned)).collect()
}

/// The tasks of a workspace, told change by change.
#[derive(Debug, Default)]
pub struct Replay {
    /// By id.
    pub tasks: BTreeMap<String, Task>,
}

impl Replay {
    /// Takes in the next change: it must begin where the ones before it ended.
    pub fn apply(&mut self, change: &Value) {
        let Some(id) = change["task"]["id"].as_str() else { return };
        let actor = change["actor"]["id"].as_str().expect("an actor");
        let kind = change["kind"].as_str().expect("a kind");
        if kind == "task.created" {
            let known = self.tasks.insert(id.to_owned(), blank(actor));
            assert!(known.is_none(), "{id} was created twice");
        }
        let task = self.tasks.get_mut(id).unwrap_or_else(|| panic!("{id} changed before it was created"));
        for field in change["fields"].as_array().expect("fields") {
            let name = field["name"].as_str().expect("a name");
            if name == "comment" {
                continue;
            }
            let held = task.fields.insert(name.to_owned(), field["to"].clone());
            if kind != "task.created" {
                assert_eq!(held.as_ref(), Some(&field["from"]), "{name} was otherwise before {change:#}");
            }
        }
        match change["comment"].as_str() {
            Some(comment) => comment_on(task, comment, change),
            None => {
                let operation = change["operation"].as_str().expect("an operation");
                task.operations.insert(operation.to_owned());
            }
        }
        let key = change["task"]["key"].as_str().expect("a key").to_owned();
        if task.keys.last() != Some(&key) {
            task.keys.push(key);
        }
    }
}

fn blank(actor: &str) -> Task {
    let fields = json!({"title": "", "body": "", "status": "waiting", "progress": 0, "priority": "normal", "due": null,
        "assignees": [], "watchers": [], "labels": [], "deleted": false});
    let fields = fields.as_object().expect("an object").clone().into_iter().collect();
    Task {
        fields,
        created_by: actor.to_owned(),
        operations: BTreeSet::new(),
        comments: BTreeMap::new(),
        keys: Vec::new(),
    }
}

fn comment_on(task: &mut Task, comment: &str, change: &Value) {
    let held = match change["fields"][0]["to"].as_str() {
        Some(text) => task.comments.insert(comment.to_owned(), text.to_owned()),
        None => task.comments.remove(comment),
    };
    assert_eq!(held.as_deref(), change["fields"][0]["from"].as_str(), "{change:#}");
}
