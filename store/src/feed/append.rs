//! Writing changes at the end of a workspace's feed.
//!
//! Operations and team commands come through here under the same lock: the workspace's row, read first and written last
//! in one transaction. So `seq` has no gaps and follows the order of the commits.

use fairy_jobs::{change::Change, id::WorkspaceId, lane::Sink, ports::PortResult};
use jiff::Timestamp;

use super::{rows, sinks};
use crate::driver::{Asked, Connection, Text, args};

/// Where a feed ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    /// The number of the last change.
    pub seq: u64,
    /// When it was made.
    pub changed_at: Timestamp,
}

impl End {
    /// The instant of what comes next: a feed never runs backwards, even when the clock does.
    pub fn not_before(&self, at: Timestamp) -> Timestamp {
        at.max(self.changed_at)
    }
}

const END: &str = "\
SELECT seq, changed_at
FROM workspaces
WHERE id = ?";

const LOCK: Text = Text {
    sqlite: END,
    mysql: "\
SELECT seq, changed_at
FROM workspaces
WHERE id = ?
FOR UPDATE",
};

const ADVANCE: &str = "\
UPDATE workspaces
SET seq = ?, changed_at = ?
WHERE id = ?";

/// Where the workspace's feed ends.
pub(super) async fn end(c: &mut Connection<'_>, workspace: WorkspaceId) -> PortResult<Option<End>> {
    let asked = c.ask(END, args![workspace]).await?;
    locked(c, asked).await
}

/// Where the workspace's feed ends, and nobody else makes it longer before this transaction has ended: whoever writes in a
/// workspace begins here. (SQLite's writer has the whole database.)
pub(crate) async fn lock(c: &mut Connection<'_>, workspace: WorkspaceId) -> PortResult<Option<End>> {
    let asked = ask_lock(c, workspace).await?;
    locked(c, asked).await
}

/// The same in two halves, between which more can be asked.
pub(crate) async fn ask_lock(c: &mut Connection<'_>, workspace: WorkspaceId) -> PortResult<Asked> {
    c.ask(LOCK, args![workspace]).await
}

/// See [`ask_lock`].
pub(crate) async fn locked(c: &mut Connection<'_>, asked: Asked) -> PortResult<Option<End>> {
    let Some(row) = c.answer(asked).await?.rows.pop() else {
        return Ok(None);
    };
    let mut columns = row.columns();
    Ok(Some(End { seq: columns.next()?, changed_at: columns.next()? }))
}

/// Writes these changes, numbered on from the end of the feed, and gives the sinks in use something to do since `noted`,
/// which is the clock's time even when the changes are dated later because it was set back.
pub(crate) async fn append(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    changes: &[Change],
    (in_use, noted): (&[Sink], Timestamp),
) -> PortResult<()> {
    let Some(last) = changes.last() else {
        return Ok(());
    };
    rows::insert(c, changes).await?;
    c.later(ADVANCE, args![last.seq, last.at, workspace]).await?;
    sinks::aim(c, in_use, workspace, (last.seq, noted)).await
}
