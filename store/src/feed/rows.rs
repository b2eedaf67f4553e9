//! Changes as rows.

use fairy_jobs::{
    change::{Change, ChangeKind, TaskRef},
    id::{TaskId, WorkspaceId},
    operation::Source,
    ports::{PortResult, Stretch},
    team::TaskKey,
    trace::Trace,
};

use crate::{
    accounts::users::json,
    driver::{Column, Columns, Connection, Json, Row, Value, args},
    page::Portion,
};

const INSERT: &str = "\
INSERT INTO changes (workspace, seq, at, actor, actor_name, source, kind, task, task_key, task_title, comment, operation, fields, audience, trace)
VALUES {rows}";

const WIDTH: usize = 15;

const AFTER: &str = "\
SELECT workspace, seq, at, actor, actor_name, source, kind, task, task_key, task_title, comment, operation, fields, audience, trace
FROM changes
WHERE workspace = ? AND seq > ?
ORDER BY seq
LIMIT ?";

const BY_SEQ: &str = "\
SELECT workspace, seq, at, actor, actor_name, source, kind, task, task_key, task_title, comment, operation, fields, audience, trace
FROM changes
WHERE workspace = ? AND seq IN {list}";

pub(super) async fn insert(c: &mut Connection<'_>, changes: &[Change]) -> PortResult<()> {
    let mut values = Vec::with_capacity(changes.len() * WIDTH);
    for change in changes {
        let task = change.task.as_ref();
        values.extend(args![
            change.workspace,
            change.seq,
            change.at,
            change.actor,
            &change.actor_name,
            change.source.as_str(),
            change.kind.as_str(),
            task.map(|t| t.id),
            task.map(|t| t.key.to_string()),
            task.map(|t| &t.title),
            change.comment,
            change.operation,
            json(&change.fields)?,
            json(&change.audience)?,
            change.trace,
        ]);
    }
    c.later_rows(INSERT, WIDTH, values).await
}

/// The changes after `after`, oldest first, and whether there may be more: a page ends after so many bytes too.
pub(crate) async fn range(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    mut after: u64,
    limit: usize,
) -> PortResult<Stretch> {
    let (mut portion, mut changes) = (Portion::of(limit), Vec::new());
    loop {
        let wanted = portion.next();
        if wanted == 0 {
            return Ok(Stretch { changes, more: true });
        }
        let rows = c.rows(AFTER, args![workspace, after, wanted]).await?;
        for row in &rows {
            let change = read(row)?;
            after = change.seq;
            changes.push(change);
        }
        if rows.len() < wanted {
            return Ok(Stretch { changes, more: false });
        }
        portion.took(&rows);
    }
}

/// The changes of these numbers, oldest first.
pub(crate) async fn by_seq(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    seqs: &[u64],
) -> PortResult<Vec<Change>> {
    let list = seqs.iter().map(|seq| Value::from(*seq)).collect();
    let rows = c.rows_in(BY_SEQ, args![workspace], list).await?;
    let mut changes = rows.iter().map(read).collect::<PortResult<Vec<_>>>()?;
    changes.sort_unstable_by_key(|change| change.seq);
    Ok(changes)
}

fn read(row: &Row) -> PortResult<Change> {
    let mut columns = row.columns();
    Ok(Change {
        workspace: columns.next()?,
        seq: columns.next()?,
        at: columns.next()?,
        actor: columns.next()?,
        actor_name: columns.next()?,
        source: columns.next()?,
        kind: columns.next()?,
        task: read_task(&mut columns)?,
        comment: columns.next()?,
        operation: columns.next()?,
        fields: columns.next::<Json<_>>()?.0,
        audience: columns.next::<Json<_>>()?.0,
        trace: columns.next()?,
    })
}

fn read_task(columns: &mut Columns<'_>) -> PortResult<Option<TaskRef>> {
    let (id, key, title): (Option<TaskId>, Option<TaskKey>, Option<_>) =
        (columns.next()?, columns.next()?, columns.next()?);
    Ok(id.zip(key).zip(title).map(|((id, key), title)| TaskRef { id, key, title }))
}

impl Column for TaskKey {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::parse(&String::read(row, at)?).ok()
    }
}

impl Column for Trace {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::parse(&String::read(row, at)?)
    }
}

impl Column for Source {
    fn read(row: &Row, at: usize) -> Option<Self> {
        String::read(row, at).map(|text| Self::named(&text))
    }
}

impl Column for ChangeKind {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::parse(&String::read(row, at)?)
    }
}
