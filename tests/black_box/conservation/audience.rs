//! Who is to be told of what, worked out from the feed alone by the rules of the contract.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    replay::{Replay, Task},
    world::Site,
};

/// Reasons, weakest first.
const REASONS: [&str; 5] = ["creator", "watching", "unassigned", "mentioned", "assigned"];

/// What one person is to be told of one operation: the strongest reason, and the changes by number.
pub type Due = BTreeMap<(String, Vec<u64>), &'static str>;

/// Everything that is to be told, task by task.
///
/// An operation's changes concern people by what the task is after all of them: who is assigned and retitled in one
/// operation is told of both.
pub fn due(feed: &[Value], site: &Site) -> BTreeMap<String, Due> {
    let mut due: BTreeMap<String, Due> = BTreeMap::new();
    let mut replay = Replay::default();
    for group in feed.chunk_by(|a, b| a["operation"].is_string() && a["operation"] == b["operation"]) {
        let Some(id) = group[0]["task"]["id"].as_str() else { continue };
        let before = replay.tasks.get(id).map(|task| task.people("assignees")).unwrap_or_default();
        group.iter().for_each(|change| replay.apply(change));
        let task = &replay.tasks[id];
        let former: BTreeSet<String> = before.difference(&task.people("assignees")).cloned().collect();
        let mut people: BTreeMap<String, (usize, Vec<u64>)> = BTreeMap::new();
        for change in group {
            for (person, strength) in concerned(task, &former, change, site) {
                let entry = people.entry(person).or_default();
                entry.0 = entry.0.max(strength);
                entry.1.push(change["seq"].as_u64().expect("a number"));
            }
        }
        people.remove(group[0]["actor"]["id"].as_str().expect("an actor"));
        for (person, (strength, seqs)) in people {
            due.entry(id.to_owned()).or_default().insert((person, seqs), REASONS[strength]);
        }
    }
    due
}

/// The people whom one change concerns, with the strength of their reason.
fn concerned(task: &Task, former: &BTreeSet<String>, change: &Value, site: &Site) -> BTreeMap<String, usize> {
    let mut people = BTreeMap::new();
    let mut concern = |person: &String, strength: usize| {
        let held = people.entry(person.clone()).or_insert(strength);
        *held = strength.max(*held);
    };
    // Whoever watches or ceases to is nobody's business.
    if change["kind"] != "task.watchers_changed" {
        concern(&task.created_by, 0);
        task.people("watchers").iter().for_each(|person| concern(person, 1));
        if change["kind"] == "task.unassigned" {
            former.iter().for_each(|person| concern(person, 2));
        }
        task.people("assignees").iter().for_each(|person| concern(person, 4));
    }
    for field in change["fields"].as_array().expect("fields") {
        if matches!(field["name"].as_str(), Some("title" | "body" | "comment")) {
            let calls =
                |text: &Value, name: &str| text.as_str().is_some_and(|t| t.contains(&format!("@{name} ")));
            for person in &site.people {
                if calls(&field["to"], &person.name) && !calls(&field["from"], &person.name) {
                    concern(&person.id, 3);
                }
            }
        }
    }
    people
}
