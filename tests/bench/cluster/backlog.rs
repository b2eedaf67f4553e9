//! Whether a large backlog drains as fast as a small one: of a lane by itself, and of operations that are applied.

use super::{lanes::MANY, redis_server::RedisServer, stack::Stack};
use crate::{
    Size,
    load::fill,
    measure::{push_bulk, work},
    report::{Aim, Report},
};

/// Groups and workspaces, and jobs of the small backlog.
const GROUPS: usize = 10_000;

/// Measures it.
pub async fn measure(size: Size, report: &mut Report) {
    let (jobs, operations) = size.backlog;
    let server = RedisServer::start("always").await;
    let queue = server.lanes("bench");
    let mut rates = Vec::new();
    for count in [GROUPS, jobs] {
        push_bulk(&queue, &MANY, count).await;
        let rate = work(&queue, &MANY, 64).await;
        report.rate(&format!("a lane of {GROUPS} groups: {count} jobs drain, 64 at once"), rate);
        rates.push(rate);
    }
    queue.close().await;
    report.aim(Aim::above(format!("{jobs} jobs : {GROUPS} jobs, drained"), rates[1] / rates[0], 0.9, "×"));
    drop(server);

    let stack = Stack::start().await;
    let team = stack.team(GROUPS).await;
    let mut rates = Vec::new();
    for count in [GROUPS, operations] {
        fill(&team, count / GROUPS).await;
        let rate = stack.drain(1).await;
        report.rate(&format!("{GROUPS} workspaces: {count} operations are applied by one worker"), rate);
        rates.push(rate);
    }
    stack.stop().await;
    let row = format!("{operations} operations : {GROUPS} operations, applied");
    report.aim(Aim::above(row, rates[1] / rates[0], 0.9, "×"));
}
