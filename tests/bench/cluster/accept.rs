//! Accepting over HTTP without waiting, from 64 connections: by itself, and with a worker that applies meanwhile.

use fairy_store::{Database, Server};

use super::stack::{Stack, new_database};
use crate::{
    Size,
    load::flood_team,
    no_op,
    report::{Aim, Report},
};

/// Measures it.
pub async fn measure(size: Size, report: &mut Report) {
    let no_op = no_op::flood(Database::Server(Server::at(new_database().await)), size.operations).await;
    report.rate("floor: the same route, the push a no-op", no_op.accepted_per_second());

    let stack = Stack::start().await;
    let team = stack.team(64).await;
    let accepted = flood_team(&team, size.operations, false).await;
    report.rate("64 connections, `respond-async`: accepted", accepted.accepted_per_second());
    report.latency("64 connections, `respond-async`: one answer", &accepted.answers);
    stack.stop().await;

    let stack = Stack::start().await;
    let team = stack.team(64).await;
    let mut worker = stack.worker().await;
    let both = flood_team(&team, size.operations, true).await;
    report.rate("the same while one worker applies: accepted", both.accepted_per_second());
    report.rate("the same while one worker applies: accepted and applied", both.applied_per_second());
    worker.stop().await;
    stack.stop().await;

    let rate = accepted.accepted_per_second();
    report.aim(Aim::above("accepted", rate, 5_000.0, "operations/s"));
    report.aim(Aim::below("accepted, p99", accepted.answers.p99_ms(), 20.0, "ms"));
    report.aim(Aim::above("accepted : the push a no-op", rate / no_op.accepted_per_second(), 0.5, "×"));
}
