//! Applying operations: once, whole, in order, whoever repeats and whoever goes away.

use fairy_jobs::{ports::PortResult, task::Task};

use super::stage::{Stage, Team};
use crate::driver::Row;

/// Every task of a workspace, deleted ones included, which no port shows.
pub async fn every_task(stage: &Stage, team: &Team) -> Vec<Task> {
    let mut c = stage.store.read().await.unwrap();
    let sql = "SELECT id FROM tasks WHERE workspace = ? LIMIT 100000";
    let rows = c.rows(sql, crate::driver::args![team.workspace]).await.unwrap();
    let ids: PortResult<Vec<_>> = rows.iter().map(Row::only).collect();
    crate::tasks::by_id(&mut c, team.workspace, ids.unwrap()).await.unwrap()
}
