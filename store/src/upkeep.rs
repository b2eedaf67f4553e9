//! Keeping the database small.

use async_trait::async_trait;
use fairy_jobs::ports::{PortError, PortResult, Upkeep};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Store,
    driver::{Connection, Dialect, Row, Value, args},
    store::Engine,
};

/// Rows of one kind that go in one call.
const MOST: usize = 500;
/// How long what has ended can still be asked for.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What goes beside operations, by the column that says when it ended, and how long after that.
const KINDS: [(&str, &str, SignedDuration); 4] = [
    ("sessions", "expires_at", SignedDuration::ZERO),
    ("tokens", "expires_at", SignedDuration::ZERO),
    ("links", "expires_at", SignedDuration::ZERO),
    ("invitations", "expires_at", KEPT),
];

const PING: &str = "SELECT name FROM schema_migrations LIMIT 1";

#[async_trait]
impl Upkeep for Store {
    async fn purge(&self, at: Timestamp, settled_before: Timestamp) -> PortResult<u64> {
        self.write(move |c| Box::pin(purge(c, at, settled_before))).await
    }

    async fn ping(&self) -> PortResult<()> {
        if let Engine::Sqlite { opener, .. } = &self.engine {
            // A connection that is open answers from what it has read before, whatever became of the file.
            opener.probe(PING).await?;
            return self.read().await.map(drop);
        }
        let row = self.read().await?.row(PING, vec![]).await?;
        row.map(drop).ok_or_else(|| PortError::Broken("there is no schema in the database".to_owned()))
    }
}

async fn purge(c: &mut Connection<'_>, at: Timestamp, settled_before: Timestamp) -> PortResult<u64> {
    // An operation ends after it is accepted, so the bound on the end keeps the walk short when the lane holds old ones.
    // It goes by its end, which the index has, and by when it was accepted, which is what the lane knows of it.
    let ended = (at - KEPT).min(settled_before);
    let operations = ("operations", "finished_at", " AND accepted_at < ?");
    let mut gone = delete(c, operations, args![ended, settled_before, MOST]).await?;
    for (table, ended, kept) in KINDS {
        gone += delete(c, (table, ended, ""), args![at - kept, MOST]).await?;
    }
    Ok(gone)
}

/// The rows are named first and then deleted by id, because MySQL has no `LIMIT` in a subquery of `IN` and SQLite none in
/// `DELETE`.
async fn delete(
    c: &mut Connection<'_>,
    (table, ended, also): (&str, &str, &str),
    args: Vec<Value>,
) -> PortResult<u64> {
    let by = match c.dialect() {
        Dialect::Sqlite => String::new(),
        Dialect::MySql => format!(" FORCE INDEX ({table}_by_end)"),
    };
    let select = format!("SELECT id\nFROM {table}{by}\nWHERE {ended} < ?{also}\nORDER BY {ended}\nLIMIT ?");
    let rows = c.rows(&select, args).await?;
    let ids = rows.iter().map(|row: &Row| row.only::<[u8; 16]>().map(Value::from));
    let by_id = format!("DELETE FROM {table}\nWHERE id IN {{list}}");
    c.run_in(&by_id, vec![], ids.collect::<PortResult<_>>()?).await
}
