//! The log as the domain knows it: adding entries, and pages of them.

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    page::{Page, PageRequest},
    ports::{ActivityLog, ActivityQuery, PortResult},
};
use jiff::Timestamp;

use super::{DynamoDb, cursor::List, item, read::Index};

/// The bytes after which a page ends.
const MOST_BYTES: usize = 4 << 20;
/// Entries that are fetched together: few where they are large.
const PORTIONS: (usize, usize) = (25, 100);
/// Up to so many bytes on average an entry is not large.
const SMALL: usize = 10_000;

#[async_trait]
impl ActivityLog for DynamoDb {
    async fn append(&self, changes: &[Change]) -> PortResult<()> {
        // What has ended already would be removed again.
        let oldest = self.oldest(None);
        let items = changes
            .iter()
            .filter(|change| oldest.is_none_or(|oldest| change.at >= oldest))
            .map(|change| item::item(change, self.table.keep))
            .collect::<PortResult<Vec<_>>>()?;
        self.write(items).await
    }

    async fn entries(&self, query: &ActivityQuery, request: PageRequest) -> PortResult<Page<Change>> {
        let (list, index, oldest) = (List::of(query), Index::of(query), self.oldest(query.since));
        let mut before = list.before(&request)?;
        let (mut items, mut bytes) = (Vec::new(), 0);
        while items.len() < request.limit.get() && bytes < MOST_BYTES {
            let found = self.find(&index, before, request.limit.get() - items.len()).await?;
            let mut rows = found.rows.as_slice();
            while !rows.is_empty() && bytes < MOST_BYTES {
                let small = !items.is_empty() && bytes / items.len() < SMALL;
                let portion = rows.len().min(if small { PORTIONS.1 } else { PORTIONS.0 });
                let (some, rest) = rows.split_at(portion);
                for entry in self.entries_of(query.workspace, some).await? {
                    bytes += entry.len();
                    let change = item::change(&entry)?;
                    if oldest.is_some_and(|oldest| change.at < oldest) {
                        return Ok(Page { items, next: None });
                    }
                    items.push(change);
                }
                before = some.last().map_or(before, |row| row.seq);
                rows = rest;
            }
            if rows.is_empty() && !found.more {
                return Ok(Page { items, next: None });
            }
        }
        Ok(Page { items, next: Some(list.after(before)) })
    }
}

impl DynamoDb {
    /// Entries from before this are not shown: DynamoDB takes days to remove what has ended.
    fn oldest(&self, since: Option<Timestamp>) -> Option<Timestamp> {
        let kept = self.table.keep.and_then(|keep| self.clock.now().saturating_sub(keep).ok());
        since.max(kept)
    }
}
