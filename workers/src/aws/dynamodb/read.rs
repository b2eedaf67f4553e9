//! Finding entries, newest first, over the shards of a list.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use fairy_jobs::{
    id::WorkspaceId,
    ports::{About, ActivityQuery, PortError, PortResult},
};
use futures::future::try_join_all;

use super::{
    DynamoDb,
    item::{self, FEED, PERSON, SHARDS, TASK},
    table::{BY_PERSON, BY_TASK},
};
use crate::aws::pace::Pace;

/// Where the entries of a list are found.
pub(super) struct Index {
    /// `None`: the table itself.
    name: Option<&'static str>,
    attribute: &'static str,
    keys: Vec<String>,
    /// Whether each key has as many of the newest as the others.
    even: bool,
}

impl Index {
    pub(super) fn of(query: &ActivityQuery) -> Self {
        let workspace = query.workspace;
        match query.about {
            About::Everything => {
                let keys = (0..SHARDS).map(|shard| item::feed_key(workspace, shard)).collect();
                Self { name: None, attribute: FEED, keys, even: true }
            }
            About::Task(task) => {
                let keys = vec![item::task_key(workspace, task)];
                Self { name: Some(BY_TASK), attribute: TASK, keys, even: false }
            }
            About::Person(person) => {
                let keys = (0..SHARDS).map(|shard| item::person_key(workspace, person, shard)).collect();
                Self { name: Some(BY_PERSON), attribute: PERSON, keys, even: false }
            }
        }
    }
}

/// Where an entry is, with the entry itself where it was found in the table.
pub(super) struct Row {
    pub seq: u64,
    entry: Option<String>,
}

/// A stretch of a list.
pub(super) struct Found {
    /// Newest first.
    pub rows: Vec<Row>,
    /// Whether there may be more behind them.
    pub more: bool,
}

impl DynamoDb {
    /// The newest entries before this number, at most so many.
    pub(super) async fn find(&self, index: &Index, before: u64, most: usize) -> PortResult<Found> {
        let share = if index.even { most.div_ceil(index.keys.len()) } else { most };
        let parts = index.keys.iter().map(|key| self.part(index, key, before, share));
        Ok(merge(try_join_all(parts).await?, most))
    }

    async fn part(&self, index: &Index, key: &str, before: u64, most: usize) -> PortResult<Found> {
        let answer = self
            .client
            .query()
            .table_name(&self.table.name)
            .set_index_name(index.name.map(str::to_owned))
            // Or a copy that is behind would leave a gap between what others know.
            .consistent_read(index.name.is_none())
            .key_condition_expression("#key = :key AND #seq < :before")
            .expression_attribute_names("#key", index.attribute)
            .expression_attribute_names("#seq", item::SEQ)
            .expression_attribute_values(":key", AttributeValue::S(key.to_owned()))
            .expression_attribute_values(":before", AttributeValue::N(before.to_string()))
            .scan_index_forward(false)
            .limit(i32::try_from(most).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| self.fault(&error))?;
        let mut rows = Vec::with_capacity(answer.items().len());
        for found in answer.items() {
            let entry = if index.name.is_none() { Some(item::entry(found)?.to_owned()) } else { None };
            rows.push(Row { seq: item::seq(found)?, entry });
        }
        Ok(Found { rows, more: answer.last_evaluated_key().is_some() })
    }

    /// The entries of these rows (at most 100), in the same order; those that have ended meanwhile are left out.
    pub(super) async fn entries_of(&self, workspace: WorkspaceId, rows: &[Row]) -> PortResult<Vec<String>> {
        let mut entries: BTreeMap<u64, String> =
            rows.iter().filter_map(|row| Some((row.seq, row.entry.clone()?))).collect();
        let missing = rows.iter().filter(|row| row.entry.is_none());
        let mut keys: Vec<_> = missing.map(|row| item::key(workspace, row.seq)).collect();
        let mut pace = Pace::of((workspace.to_bytes(), rows.first().map(|row| row.seq)));
        while !keys.is_empty() {
            let asked = keys.len();
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| PortError::Broken(error.to_string()))?;
            let call = self.client.batch_get_item().request_items(&self.table.name, wanted);
            let mut answer = call.send().await.map_err(|error| self.fault(&error))?;
            for found in answer.responses.take().unwrap_or_default().into_values().flatten() {
                entries.insert(item::seq(&found)?, item::entry(&found)?.to_owned());
            }
            let left = answer.unprocessed_keys.take().unwrap_or_default();
            keys = left.into_values().flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                let Some(wait) = pace.next(keys.len() < asked) else {
                    return Err(self.throttled());
                };
                tokio::time::sleep(wait).await;
            }
        }
        Ok(entries.into_values().rev().collect())
    }
}

/// The newest of several parts. Below the end of a part that was cut, that part may have entries that are not known yet.
fn merge(parts: Vec<Found>, most: usize) -> Found {
    let ends =
        parts.iter().filter(|part| part.more).map(|part| part.rows.last().map_or(u64::MAX, |row| row.seq));
    let known = ends.max();
    let all = parts.into_iter().flat_map(|part| part.rows);
    let mut rows: Vec<Row> = all.filter(|row| known.is_none_or(|known| row.seq >= known)).collect();
    rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
    let more = known.is_some() || rows.len() > most;
    rows.truncate(most);
    Found { rows, more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(seqs: &[u64], more: bool) -> Found {
        Found { rows: seqs.iter().map(|seq| Row { seq: *seq, entry: None }).collect(), more }
    }

    fn merged(parts: Vec<Found>, most: usize) -> (Vec<u64>, bool) {
        let found = merge(parts, most);
        (found.rows.iter().map(|row| row.seq).collect(), found.more)
    }

    #[test]
    fn nothing_is_shown_below_what_is_known() {
        let parts =
            || vec![part(&[9, 5, 1], false), part(&[8, 4], true), part(&[7, 6, 3], true), part(&[], false)];
        assert_eq!(merged(parts(), 10), (vec![9, 8, 7, 6, 5, 4], true));
        assert_eq!(merged(parts(), 2), (vec![9, 8], true));
        assert_eq!(merged(vec![part(&[2], false), part(&[1], false)], 2), (vec![2, 1], false));
        assert_eq!(merged(vec![part(&[2], false), part(&[1], false)], 1), (vec![2], true));
        assert_eq!(merged(vec![part(&[], false)], 1), (vec![], false));
    }
}
