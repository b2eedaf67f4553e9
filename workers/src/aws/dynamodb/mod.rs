//! The activity log as a DynamoDB table: one item per change.
//!
//! | | partition key | sort key | holds |
//! |---|---|---|---|
//! | table | `feed` = workspace `#` shard | `seq` | `entry`, the change as JSON; `expires`, epoch seconds, where entries end |
//! | index `by_task` | `task` = workspace `#` task | `seq` | keys |
//! | index `by_person` | `person` = workspace `#` person `#` shard | `seq` | keys |
//!
//! **Keys** are made of the change alone, so a repeat puts the same item in the same place. `seq` orders every list, newest
//! first, and one number is the cursor of all of them. There is no index by time: a feed never runs backwards, so time
//! is a place in it, and reading ends at the first entry that is too old.
//!
//! **Shards.** A partition of DynamoDB takes 1,000 write units a second, and cannot be split where keys only rise. A change
//! takes one or two, so a workspace in one partition would be recorded at that rate, whatever the table can do. Its
//! changes go round over four, which is all that a new on-demand table takes; a list asks the four at once and merges them.
//! A person who imports is as busy as the workspace, so that index is sharded too; a task is not busy.
//!
//! **Indexes hold keys only.** Entries are written always and read seldom, and the largest have 160 KB: with copies each
//! would cost three times its size in writes, where a key costs one unit. Reading fetches the entries by their
//! keys, consistently, for an index may know an item before every copy of the table does.
//!
//! **Size.** An item may have 400 KB. What the domain allows today is at most half of that; larger ones, of other days, are
//! kept with their texts cut, which say so, because one item that is refused would hold up its workspace for ever
//! (`Change::fitting`). Nothing is lost: the change feed has them whole. 25 items of one call stay below its 16 MB.
//!
//! **Readers may miss for a moment** what is being recorded, as they may anywhere behind the relay: a call of 25 is not
//! one transaction. The mark of the sink moves when all are there.

mod cursor;
mod item;
mod log;
mod read;
mod table;
mod write;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use fairy_jobs::clock::Clock;

pub use self::table::TableReport;
use super::Aws;

/// Which table, and how long entries stay in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// How long entries are shown and kept; `None`: for ever.
    pub keep: Option<Duration>,
}

/// The activity log in a table.
#[derive(Clone)]
pub struct DynamoDb {
    client: Client,
    table: Table,
    clock: Arc<dyn Clock>,
}

impl DynamoDb {
    /// The log in this table, which need not be there yet.
    pub fn new(aws: &Aws, table: Table, clock: Arc<dyn Clock>) -> Self {
        Self { client: Client::new(aws.config()), table, clock }
    }
}
