//! The activity log as a table: what an embedded Fairy keeps where a cluster has a log of its own.
//!
//! An entry is the whole change as JSON, as any other log would hold it, so reading it touches no row that it tells of.

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::UserId,
    page::{Page, PageRequest},
    ports::{ActivityLog, ActivityQuery, PortResult},
};
use jiff::Timestamp;

use crate::{
    Store,
    accounts::users::json,
    driver::{Connection, Json, Row, Value, args},
    page::{List, Place},
};

/// The most entries of one task that a page looks at for those of one person.
const WINDOW: usize = if cfg!(test) { 10 } else { 2_000 };

/// MySQL: `ON DUPLICATE KEY UPDATE seq = seq`.
const APPEND: &str = "\
INSERT INTO activity (workspace, seq, at, actor, task, entry)
VALUES {rows}
ON CONFLICT (workspace, seq) DO NOTHING";

const NEWEST: &str = "\
SELECT seq, at, actor, entry
FROM activity
WHERE workspace = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?";

const OF_TASK: &str = "\
SELECT seq, at, actor, entry
FROM activity
WHERE workspace = ? AND task = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?";

const OF_ACTOR: &str = "\
SELECT seq, at, actor, entry
FROM activity
WHERE workspace = ? AND actor = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?";

#[async_trait]
impl ActivityLog for Store {
    async fn append(&self, changes: &[Change]) -> PortResult<()> {
        let mut values = Vec::with_capacity(changes.len() * 6);
        for change in changes {
            let task = change.task.as_ref().map(|task| task.id);
            values.extend(args![change.workspace, change.seq, change.at, change.actor, task, json(change)?]);
        }
        self.write(move |c| {
            Box::pin(async move {
                c.run_rows(APPEND, 6, values).await?;
                Ok(())
            })
        })
        .await
    }

    async fn entries(&self, query: &ActivityQuery, page: PageRequest) -> PortResult<Page<Change>> {
        entries(&mut self.read().await?, query, &page).await
    }
}

async fn entries(
    c: &mut Connection<'_>,
    query: &ActivityQuery,
    request: &PageRequest,
) -> PortResult<Page<Change>> {
    let list = List::of(&[b"activity", format!("{query:?}").as_bytes()]);
    let from = list.keyed(request, Place::LAST)?.key;
    let limit = request.limit.get();
    let (sql, named, window) = match (query.task, query.actor) {
        (Some(task), Some(_)) => (OF_TASK, Some(Value::from(task)), WINDOW),
        (Some(task), None) => (OF_TASK, Some(Value::from(task)), limit + 1),
        (None, Some(actor)) => (OF_ACTOR, Some(Value::from(actor)), limit + 1),
        (None, None) => (NEWEST, None, limit + 1),
    };
    let mut args = args![query.workspace];
    args.extend(named);
    args.extend(args![from, window]);
    let rows = c.rows(sql, args).await?;
    let mut items = Vec::new();
    // Where the looking ended, if there may be more behind it.
    let mut end = if rows.len() == window { rows.last() } else { None };
    for row in &rows {
        // A feed never runs backwards, so behind the first entry that is too old all are.
        if query.since.is_some_and(|since| at(row).is_ok_and(|at| at < since)) {
            end = None;
            break;
        }
        if items.len() == limit {
            end = items.last().copied();
            break;
        }
        if query.actor.is_none_or(|wanted| actor(row).is_ok_and(|actor| actor == wanted)) {
            items.push(row);
        }
    }
    let next =
        end.map(seq).transpose()?.map(|key| list.cursor(&crate::page::encode(Place { key, id: [0; 16] })));
    let items = items.into_iter().map(entry).collect::<PortResult<_>>()?;
    Ok(Page { items, next })
}

fn seq(row: &Row) -> PortResult<i64> {
    row.only()
}

fn at(row: &Row) -> PortResult<Timestamp> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    columns.next()
}

fn actor(row: &Row) -> PortResult<UserId> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    columns.next::<i64>()?;
    columns.next()
}

fn entry(row: &Row) -> PortResult<Change> {
    let mut columns = row.columns();
    columns.next::<i64>()?;
    columns.next::<i64>()?;
    columns.next::<UserId>()?;
    Ok(columns.next::<Json<_>>()?.0)
}
