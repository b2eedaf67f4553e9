//! Keeping the database small.

use async_trait::async_trait;
use fairy_jobs::ports::{PortResult, Upkeep};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Store,
    driver::{Connection, Row, Value, args},
};

/// Rows of one kind that go in one call.
const MOST: usize = 500;
/// How long what has ended can still be asked for.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Operations go by their end, which the index has, and by when they were accepted, which is what the lane knows of them.
const OPERATIONS: (&str, &str) = (
    "SELECT id FROM operations WHERE finished_at < ? AND accepted_at < ? ORDER BY finished_at LIMIT ?",
    "DELETE FROM operations WHERE id IN {list}",
);

/// What else goes, and how long after its end. The rows are named first and then deleted by id, because MySQL has no
/// `LIMIT` in a subquery of `IN` and SQLite none in `DELETE`.
const KINDS: [(&str, &str, SignedDuration); 4] = [
    (
        "SELECT id FROM sessions WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        "DELETE FROM sessions WHERE id IN {list}",
        SignedDuration::ZERO,
    ),
    (
        "SELECT id FROM tokens WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        "DELETE FROM tokens WHERE id IN {list}",
        SignedDuration::ZERO,
    ),
    (
        "SELECT id FROM links WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        "DELETE FROM links WHERE id IN {list}",
        SignedDuration::ZERO,
    ),
    (
        "SELECT id FROM invitations WHERE expires_at < ? ORDER BY expires_at LIMIT ?",
        "DELETE FROM invitations WHERE id IN {list}",
        KEPT,
    ),
];

const PING: &str = "SELECT name FROM schema_migrations LIMIT 1";

#[async_trait]
impl Upkeep for Store {
    async fn purge(&self, at: Timestamp, settled_before: Timestamp) -> PortResult<u64> {
        self.write(move |c| Box::pin(purge(c, at, settled_before))).await
    }

    async fn ping(&self) -> PortResult<()> {
        // A connection that is open answers from what it has read before, whatever became of the file.
        self.opener.probe(PING).await?;
        self.read().await.map(drop)
    }
}

async fn purge(c: &mut Connection<'_>, at: Timestamp, settled_before: Timestamp) -> PortResult<u64> {
    // An operation ends after it is accepted, so the bound on the end keeps the walk short when the lane holds old ones.
    let ended = (at - KEPT).min(settled_before);
    let mut gone = delete(c, OPERATIONS, args![ended, settled_before, MOST]).await?;
    for (select, by_id, kept) in KINDS {
        gone += delete(c, (select, by_id), args![at - kept, MOST]).await?;
    }
    Ok(gone)
}

async fn delete(
    c: &mut Connection<'_>,
    (select, by_id): (&'static str, &'static str),
    args: Vec<Value>,
) -> PortResult<u64> {
    let rows = c.rows(select, args).await?;
    let ids = rows.iter().map(|row: &Row| row.only::<[u8; 16]>().map(Value::from));
    c.run_in(by_id, vec![], ids.collect::<PortResult<_>>()?).await
}
