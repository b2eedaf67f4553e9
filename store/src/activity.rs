//! The activity log as a table: what an embedded Fairy keeps where a cluster has a log of its own.
//!
//! An entry is the whole change as JSON, as any other log would hold it, so reading it touches no row that it tells of.

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    page::{Page, PageRequest},
    ports::{About, ActivityLog, ActivityQuery, PortResult},
};
use jiff::Timestamp;

use crate::{
    Store,
    accounts::users::json,
    driver::{Connection, Json, Text, Value, args},
    page::{self, List, Place, Portion},
};

const APPEND: Text = Text {
    sqlite: "\
INSERT INTO activity (workspace, seq, at, actor, task, entry)
VALUES {rows}
ON CONFLICT (workspace, seq) DO NOTHING",
    mysql: "\
INSERT INTO activity (workspace, seq, at, actor, task, entry)
VALUES {rows}
ON DUPLICATE KEY UPDATE seq = activity.seq",
};

const NEWEST: Text = Text {
    sqlite: "\
SELECT seq, at, entry
FROM activity
WHERE workspace = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
    mysql: "\
SELECT seq, at, entry
FROM activity FORCE INDEX (PRIMARY)
WHERE workspace = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
};

const OF_TASK: Text = Text {
    sqlite: "\
SELECT seq, at, entry
FROM activity
WHERE workspace = ? AND task = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
    mysql: "\
SELECT seq, at, entry
FROM activity FORCE INDEX (activity_by_task)
WHERE workspace = ? AND task = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
};

const OF_ACTOR: Text = Text {
    sqlite: "\
SELECT seq, at, entry
FROM activity
WHERE workspace = ? AND actor = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
    mysql: "\
SELECT seq, at, entry
FROM activity FORCE INDEX (activity_by_actor)
WHERE workspace = ? AND actor = ? AND seq < ?
ORDER BY seq DESC
LIMIT ?",
};

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
        entries(&mut self.browse().await?, query, &page).await
    }
}

async fn entries(
    c: &mut Connection<'_>,
    query: &ActivityQuery,
    request: &PageRequest,
) -> PortResult<Page<Change>> {
    let list = List::of(&[b"activity", format!("{query:?}").as_bytes()]);
    let mut from = list.keyed(request, Place::LAST)?.key;
    let (sql, named) = match query.about {
        About::Everything => (NEWEST, None),
        About::Task(task) => (OF_TASK, Some(Value::from(task))),
        About::Person(person) => (OF_ACTOR, Some(Value::from(person))),
    };
    let (mut portion, mut items) = (Portion::of(request.limit.get()), Vec::new());
    loop {
        let wanted = portion.next();
        if wanted == 0 {
            break;
        }
        let mut args = args![query.workspace];
        args.extend(named.clone());
        args.extend(args![from, wanted]);
        let rows = c.rows(sql, args).await?;
        for row in &rows {
            let mut columns = row.columns();
            from = columns.next()?;
            // A feed never runs backwards, so behind the first entry that is too old all are.
            let at: Timestamp = columns.next()?;
            if query.since.is_some_and(|since| at < since) {
                return Ok(Page { items, next: None });
            }
            items.push(columns.next::<Json<Change>>()?.0);
        }
        if rows.len() < wanted {
            return Ok(Page { items, next: None });
        }
        portion.took(&rows);
    }
    Ok(Page { items, next: Some(list.cursor(&page::encode(Place { key: from, id: [0; 16] }))) })
}
