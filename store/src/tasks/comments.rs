//! Comments as rows.

use fairy_jobs::{
    id::{CommentId, TaskId},
    page::{Page, PageRequest},
    ports::PortResult,
    task::Comment,
};

use crate::{
    driver::{Connection, Row, Text, Value, args},
    page::{List, Place},
};

const BY_ID: &str = "\
SELECT id, task, author, body, version, created_at, updated_at, deleted_at
FROM comments
WHERE id IN {list}";

const LOCK: Text = Text {
    sqlite: BY_ID,
    mysql: "\
SELECT id, task, author, body, version, created_at, updated_at, deleted_at
FROM comments FORCE INDEX (PRIMARY)
WHERE id IN {list}
FOR UPDATE",
};

const OLDEST: Text = Text {
    sqlite: "\
SELECT id, task, author, body, version, created_at, updated_at, deleted_at
FROM comments
WHERE task = ? AND deleted_at IS NULL AND (created_at, id) > (?, ?)
ORDER BY created_at, id
LIMIT ?",
    mysql: "\
SELECT id, task, author, body, version, created_at, updated_at, deleted_at
FROM comments FORCE INDEX (comments_by_age)
WHERE task = ?1 AND deleted_at IS NULL AND (created_at > ?2 OR (created_at = ?2 AND id > ?3))
ORDER BY created_at, id
LIMIT ?4",
};

const UPSERT: Text = Text {
    sqlite: "\
INSERT INTO comments (id, task, author, body, version, created_at, updated_at, deleted_at)
VALUES {rows}
ON CONFLICT (id) DO UPDATE
SET body = excluded.body, version = excluded.version, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at",
    mysql: "\
INSERT INTO comments (id, task, author, body, version, created_at, updated_at, deleted_at)
VALUES {rows}
ON DUPLICATE KEY UPDATE body = VALUES(body), version = VALUES(version), updated_at = VALUES(updated_at),
    deleted_at = VALUES(deleted_at)",
};

/// The comment of this id, even if it is deleted.
pub(super) async fn by_id(c: &mut Connection<'_>, id: CommentId) -> PortResult<Option<Comment>> {
    let row = c.rows_in(BY_ID, vec![], args![id]).await?.pop();
    row.as_ref().map(read).transpose()
}

/// Locks and reads the comments of these ids, deleted ones included, in no order.
pub(crate) async fn lock(
    c: &mut Connection<'_>,
    ids: impl IntoIterator<Item = CommentId>,
) -> PortResult<Vec<Comment>> {
    let rows = c.rows_in(LOCK, vec![], ids.into_iter().map(Value::from).collect()).await?;
    rows.iter().map(read).collect()
}

pub(super) async fn oldest_first(
    c: &mut Connection<'_>,
    task: TaskId,
    request: &PageRequest,
) -> PortResult<Page<Comment>> {
    let list = List::of(&[b"comments", &task.to_bytes()]);
    let from = list.keyed(request, Place::FIRST)?;
    let rows = c.rows(OLDEST, args![task, from.key, from.id, request.limit.get() + 1]).await?;
    let comments = rows.iter().map(read).collect::<PortResult<_>>()?;
    let place = |c: &Comment| Place { key: c.created_at.as_millisecond(), id: c.id.to_bytes() };
    Ok(list.page(comments, request, place))
}

/// Writes comments, new ones and changed ones.
pub(crate) async fn write(c: &mut Connection<'_>, comments: &[&Comment]) -> PortResult<()> {
    let row = |comment: &&Comment| {
        args![
            comment.id,
            comment.task,
            comment.author,
            &comment.body,
            comment.version,
            comment.created_at,
            comment.updated_at,
            comment.deleted_at
        ]
    };
    c.later_rows(UPSERT, 8, comments.iter().flat_map(row).collect()).await
}

fn read(row: &Row) -> PortResult<Comment> {
    let mut columns = row.columns();
    Ok(Comment {
        id: columns.next()?,
        task: columns.next()?,
        author: columns.next()?,
        body: columns.next()?,
        version: columns.next()?,
        created_at: columns.next()?,
        updated_at: columns.next()?,
        deleted_at: columns.next()?,
    })
}
