//! How far each sink has followed each feed: one row per workspace and sink.
//!
//! What was applied and what was done meet in the same row, so there is no moment at which both believe the other will
//! see to it: applying sets the target and notes since when there is something to do, marking clears that only if the
//! target is reached.

use fairy_jobs::{id::WorkspaceId, lane::Sink, ports::PortResult};
use jiff::Timestamp;

use crate::driver::{Connection, Row, Text, Value, args};

const INSERT: &str = "\
INSERT INTO sinks (workspace, sink, target_seq, done_seq, pending_since)
VALUES {rows}";

const AIM: &str = "\
UPDATE sinks
SET target_seq = ?, pending_since = COALESCE(pending_since, ?)
WHERE workspace = ? AND sink IN {list}";

const DONE: &str = "\
SELECT done_seq
FROM sinks
WHERE workspace = ? AND sink = ?";

const MARK: &str = "\
UPDATE sinks
SET done_seq = ?, pending_since = CASE WHEN target_seq <= ? THEN NULL ELSE pending_since END
WHERE workspace = ? AND sink = ? AND done_seq < ?";

const BEHIND: Text = Text {
    sqlite: "\
SELECT workspace
FROM sinks
WHERE sink = ? AND pending_since < ?
ORDER BY pending_since, workspace
LIMIT ?",
    mysql: "\
SELECT workspace
FROM sinks FORCE INDEX (sinks_by_wait)
WHERE sink = ? AND pending_since < ?
ORDER BY pending_since, workspace
LIMIT ?",
};

const ENROL: &str = "\
INSERT INTO sinks (workspace, sink, target_seq, done_seq, pending_since)
SELECT w.id, ?, w.seq, w.seq, NULL
FROM workspaces w
WHERE NOT EXISTS (SELECT 1 FROM sinks s WHERE s.workspace = w.id AND s.sink = ?)";

const RESUME: &str = "\
UPDATE sinks
SET target_seq = (SELECT w.seq FROM workspaces w WHERE w.id = sinks.workspace), pending_since = ?
WHERE sink = ? AND target_seq < (SELECT w.seq FROM workspaces w WHERE w.id = sinks.workspace)";

/// Gives the sinks in use a row in every workspace that was made without them, and those that were out of use what
/// happened meanwhile. One pass over the workspaces when a process starts.
pub(crate) async fn enrol(c: &mut Connection<'_>, in_use: &[Sink], at: Timestamp) -> PortResult<()> {
    for sink in in_use {
        c.run(ENROL, args![sink.as_str(), sink.as_str()]).await?;
        c.run(RESUME, args![at, sink.as_str()]).await?;
    }
    Ok(())
}

/// Gives the sinks in use a row in a new workspace.
pub(crate) async fn found(c: &mut Connection<'_>, in_use: &[Sink], workspace: WorkspaceId) -> PortResult<()> {
    let none = None::<Timestamp>;
    let rows = in_use.iter().flat_map(|sink| args![workspace, sink.as_str(), 0_u64, 0_u64, none]);
    c.later_rows(INSERT, 5, rows.collect()).await
}

/// The feed has grown up to this number at this time.
pub(super) async fn aim(
    c: &mut Connection<'_>,
    in_use: &[Sink],
    workspace: WorkspaceId,
    (seq, at): (u64, Timestamp),
) -> PortResult<()> {
    let names = in_use.iter().map(|sink| Value::from(sink.as_str())).collect();
    c.later_in(AIM, args![seq, at, workspace], names).await
}

pub(super) async fn done(
    c: &mut Connection<'_>,
    sink: Sink,
    workspace: WorkspaceId,
) -> PortResult<Option<u64>> {
    let row = c.row(DONE, args![workspace, sink.as_str()]).await?;
    row.as_ref().map(Row::only).transpose()
}

/// The sink has done everything up to `seq`; a smaller number than before changes nothing.
pub(crate) async fn mark(
    c: &mut Connection<'_>,
    sink: Sink,
    workspace: WorkspaceId,
    seq: u64,
) -> PortResult<()> {
    c.later(MARK, args![seq, seq, workspace, sink.as_str(), seq]).await
}

pub(super) async fn behind(
    c: &mut Connection<'_>,
    sink: Sink,
    since: Timestamp,
    limit: usize,
) -> PortResult<Vec<WorkspaceId>> {
    let rows = c.rows(BEHIND, args![sink.as_str(), since, limit]).await?;
    rows.iter().map(Row::only).collect()
}
