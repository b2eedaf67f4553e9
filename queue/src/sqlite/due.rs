//! Time passing: later jobs that have become due, and blocked groups that may go on.

use super::transaction::{Released, Transaction, int, json};

const PROMOTE: &str = "
UPDATE jobs
SET state = 0, due = NULL
WHERE seq IN (
    SELECT seq FROM jobs WHERE lane = ?1 AND state = 1 AND due <= ?2 ORDER BY due LIMIT 500
)
RETURNING grp
";

const IDLE_GROUPS: &str = "
SELECT id
FROM groups
WHERE id IN (SELECT value FROM json_each(?1)) AND state = 0
";

const UNBLOCKED: &str = "
SELECT id
FROM groups
WHERE lane = ?1 AND state = 3 AND due <= ?2
ORDER BY due
LIMIT 500
";

/// Makes due jobs and groups ready, at most 500 of each.
pub(super) async fn promote(tx: &mut Transaction<'_>, lane: i64) -> Result<(), sqlx::Error> {
    let now = tx.now;
    let due: Vec<(Option<i64>,)> = tx.statement(PROMOTE).bind(lane).bind(now).rows().await?;
    let delta = tx.delta(lane);
    delta.later -= int(due.len());
    delta.waiting += int(due.len());
    let mut groups: Vec<i64> = due.into_iter().filter_map(|(group,)| group).collect();
    groups.sort_unstable();
    groups.dedup();
    let mut ready: Vec<(i64,)> = Vec::new();
    if !groups.is_empty() {
        ready = tx.statement(IDLE_GROUPS).bind(json(&groups)?).rows().await?;
    }
    let unblocked: Vec<(i64,)> = tx.statement(UNBLOCKED).bind(lane).bind(now).rows().await?;
    ready.extend(unblocked);
    let released: Vec<Released> = ready.into_iter().map(|(group,)| (group, 0, None)).collect();
    tx.release_groups(lane, &released)
}
