//! A change as an item, and back.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use fairy_jobs::{
    change::Change,
    id::{TaskId, UserId, WorkspaceId},
    ports::{PortError, PortResult},
};
use jiff::Timestamp;

/// Partitions over which the changes of one workspace go round.
pub(super) const SHARDS: u64 = 4;
/// The most bytes of an entry: an item's 400 KB, less its keys.
const MOST_BYTES: usize = 398_000;

pub(super) const FEED: &str = "feed";
pub(super) const SEQ: &str = "seq";
pub(super) const TASK: &str = "task";
pub(super) const PERSON: &str = "person";
pub(super) const ENTRY: &str = "entry";
pub(super) const EXPIRES: &str = "expires";

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) fn feed_key(workspace: WorkspaceId, shard: u64) -> String {
    format!("{workspace}#{shard}")
}

pub(super) fn task_key(workspace: WorkspaceId, task: TaskId) -> String {
    format!("{workspace}#{task}")
}

pub(super) fn person_key(workspace: WorkspaceId, person: UserId, shard: u64) -> String {
    format!("{workspace}#{person}#{shard}")
}

/// The keys of an entry.
pub(super) fn key(workspace: WorkspaceId, seq: u64) -> Item {
    let feed = AttributeValue::S(feed_key(workspace, seq % SHARDS));
    [(FEED.to_owned(), feed), (SEQ.to_owned(), AttributeValue::N(seq.to_string()))].into()
}

/// The item of a change.
pub(super) fn item(change: &Change, keep: Option<Duration>) -> PortResult<Item> {
    let (workspace, shard) = (change.workspace, change.seq % SHARDS);
    let entry = serde_json::to_string(&*change.fitting(MOST_BYTES))
        .map_err(|error| PortError::Broken(format!("a change cannot be written as JSON: {error}")))?;
    let mut item = key(workspace, change.seq);
    item.insert(ENTRY.to_owned(), AttributeValue::S(entry));
    item.insert(PERSON.to_owned(), AttributeValue::S(person_key(workspace, change.actor, shard)));
    if let Some(task) = &change.task {
        item.insert(TASK.to_owned(), AttributeValue::S(task_key(workspace, task.id)));
    }
    if let Some(keep) = keep {
        let expires = change.at.saturating_add(keep).map_or(i64::MAX, Timestamp::as_second);
        item.insert(EXPIRES.to_owned(), AttributeValue::N(expires.to_string()));
    }
    Ok(item)
}

/// The number of an item.
pub(super) fn seq(item: &Item) -> PortResult<u64> {
    let number = item.get(SEQ).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
    number.ok_or_else(|| broken(SEQ))
}

/// The entry of an item as text.
pub(super) fn entry(item: &Item) -> PortResult<&str> {
    item.get(ENTRY).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| broken(ENTRY))
}

/// The change of an entry.
pub(super) fn change(entry: &str) -> PortResult<Change> {
    serde_json::from_str(entry)
        .map_err(|error| PortError::Broken(format!("an entry of the activity log cannot be read: {error}")))
}

fn broken(attribute: &str) -> PortError {
    PortError::Broken(format!("an item of the activity log has no `{attribute}`"))
}
