//! Applying what waits, with all lanes at work, beside the same rows written by plain statements.

use super::{server_floor, stack};
use crate::{
    Size,
    load::fill,
    report::{Aim, Report},
};
use sqlx::{Connection as _, Row as _, mysql::MySqlConnection};
use stack::Stack;

/// Connections on which a process writes, and on which the floor does.
const WRITERS: usize = 8;
/// Most operations that may wait in a workspace.
const MOST_IN_ONE: usize = 10_000;

/// Measures it.
pub async fn measure(size: Size, report: &mut Report) {
    let stack = Stack::start().await;
    let team = stack.team(64).await;
    fill(&team, size.operations / 64).await;
    let spread = stack.drain(1).await;
    report.rate("64 workspaces: applied by one worker", spread);
    let batch = batch(&stack.database).await;
    let floor = floor(&stack.database, batch, WRITERS).await;
    report.rate(
        &format!("floor: the same rows, {batch} operations a transaction, {WRITERS} connections"),
        floor,
    );
    let one_connection = self::floor(&stack.database, batch, 1).await;
    report.rate("floor: the same on one connection", one_connection);
    stack.stop().await;

    let stack = Stack::start().await;
    let team = stack.team(1).await;
    fill(&team, size.operations.min(MOST_IN_ONE)).await;
    report.rate("one workspace: applied by one worker", stack.drain(1).await);
    stack.stop().await;

    report.aim(Aim::above("64 workspaces, applied", spread, 5_000.0, "operations/s"));
    report.aim(Aim::above(
        format!("64 workspaces, applied : floor on {WRITERS} connections"),
        spread / floor,
        0.4,
        "×",
    ));
}

/// How many operations a transaction had.
async fn batch(database: &str) -> usize {
    let mut connection = MySqlConnection::connect(database).await.unwrap();
    let counts = sqlx::query("SELECT COUNT(*), COUNT(DISTINCT batch) FROM operations");
    let counts = counts.fetch_one(&mut connection).await.unwrap();
    let count = |place: usize| usize::try_from(counts.get::<i64, _>(place)).unwrap();
    count(0).div_ceil(count(1).max(1))
}

/// How many operations a second plain statements write in transactions of that size.
async fn floor(from: &str, batch: usize, connections: usize) -> f64 {
    let to = stack::new_database().await;
    stack::migrate(&to).await;
    server_floor::floor(from, &to, batch, connections, usize::MAX >> 1).await
}
