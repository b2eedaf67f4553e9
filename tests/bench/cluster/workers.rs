//! One to four workers on one lane: of a lane by itself, and whole processes.

use fairy_queue::{LaneSpec, Order, Queue};

use super::{lanes::MANY, redis_server::RedisServer, stack::Stack};
use crate::{
    Size,
    load::fill,
    measure::{lane, push_bulk, work_together},
    report::{Aim, Report},
};

/// A plain lane by which it can be seen whether workers are in each other's way.
static SHARED: LaneSpec = lane("shared", Order::Plain, 64);

/// Measures it.
pub async fn measure(size: Size, report: &mut Report) {
    for (what, lane) in [("plain lane", &SHARED), ("lane of 10,000 groups", &MANY)] {
        let server = RedisServer::start("always").await;
        let queues: Vec<Queue> = (1..=4).map(|number| server.lanes(&format!("bench-{number}"))).collect();
        let mut rates = Vec::new();
        for count in 1..=4 {
            push_bulk(&queues[0], lane, size.jobs).await;
            rates.push(work_together(&queues[..count], lane, 16).await);
        }
        tell(what, "jobs", &rates, report);
        for queue in queues {
            queue.close().await;
        }
    }
    let mut rates = Vec::new();
    for count in 1..=4 {
        let stack = Stack::start().await;
        fill(&stack.team(64).await, size.operations / 64).await;
        rates.push(stack.drain(count).await);
        stack.stop().await;
    }
    tell("`fairy worker` processes, 64 workspaces", "operations", &rates, report);
}

fn tell(what: &str, unit: &str, rates: &[f64], report: &mut Report) {
    let figures: Vec<String> = rates.iter().map(|rate| format!("{rate:.0}")).collect();
    report.row(&format!("{what}: 1, 2, 3, 4 workers"), format!("{} {unit}/s", figures.join(", ")));
    let least = rates.iter().copied().fold(f64::INFINITY, f64::min);
    report.aim(Aim::above(format!("{what}: least of 1 to 4 workers : one"), least / rates[0], 0.9, "×"));
}
