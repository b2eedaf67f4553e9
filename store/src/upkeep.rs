//! Keeping the database small.

use async_trait::async_trait;
use fairy_jobs::ports::{PortError, PortResult, Upkeep};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Store,
    driver::{Connection, Row, Value, args},
};

/// Rows of one kind that go in one call.
const MOST: usize = 500;
/// How long what has ended can still be asked for.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What goes, and how long after its end. The rows are named first and then deleted by id, because MySQL has no `LIMIT`
/// in a subquery of `IN` and SQLite none in `DELETE`.
const KINDS: [(&str, &str, SignedDuration); 5] = [
    (
        "SELECT id FROM operations WHERE finished_at < ? ORDER BY finished_at LIMIT ?",
        "DELETE FROM operations WHERE id IN {list}",
        KEPT,
    ),
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

#[async_trait]
impl Upkeep for Store {
    async fn purge(&self, at: Timestamp) -> PortResult<u64> {
        self.write(move |c| Box::pin(purge(c, at))).await
    }

    async fn ping(&self) -> PortResult<()> {
        let row = self.read().await?.row("SELECT 1", vec![]).await?;
        row.map(|_| ()).ok_or_else(|| PortError::Broken("SELECT 1 answers nothing".to_owned()))
    }
}

async fn purge(c: &mut Connection<'_>, at: Timestamp) -> PortResult<u64> {
    let mut gone = 0;
    for (select, delete, kept) in KINDS {
        let rows = c.rows(select, args![at - kept, MOST]).await?;
        let ids = rows.iter().map(|row: &Row| row.only::<[u8; 16]>().map(Value::from));
        gone += c.run_in(delete, vec![], ids.collect::<PortResult<_>>()?).await?;
    }
    Ok(gone)
}
