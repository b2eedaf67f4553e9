//! Everything in one process on files: what a person feels, what a load does, what reading costs.

use std::time::Duration;

use crate::{
    REST, Size, floors, lists, load, no_op,
    report::{Aim, Report},
    rows,
    served::{self, Served},
};

/// Measures all of it.
pub async fn measure(size: Size, report: &mut Report) {
    let flush = floors::flush(size.samples);
    report.latency("floor: write and fdatasync of 4 KiB", &flush);

    let starts = served::starts(size.starts).await;
    report.latency("start to ready (an existing data directory)", &starts);
    report.aim(Aim::below("start to ready, p50", starts.p50_ms(), 300.0, "ms"));

    let mut served = Served::start().await;
    let team = load::Team::make(&served, "Idle").await;
    let idle = served.resident_mb();
    report.figure("memory at idle, after start and first requests", idle, "MB");
    report.aim(Aim::below("memory at idle", idle, 60.0, "MB"));
    let waited = load::waited(&team, size.samples, REST).await;
    report.latency("idle: a waited create", &waited);
    report.latency("back to back: a waited create", &load::waited(&team, size.samples, Duration::ZERO).await);

    let many = load::flood(&served, 64, size.operations).await;
    report.rate("64 workspaces: accepted", many.accepted_per_second());
    report.rate("64 workspaces: accepted and applied", many.applied_per_second());
    let peak = served.peak_mb();
    report.figure("memory under that load, peak", peak, "MB");
    served.stop().await;
    let rows = rows::read(&served.database()).await;
    let floor = floors::transactions(&rows, size.samples).await;
    report.latency("floor: one row in one durable transaction", &floor.single);
    report.latency("floor: the same on an idle machine", &floor.idle);
    report.rate("floor: one row per transaction", floor.single_per_second());
    report.rate(
        &format!("floor: the same rows, {} operations a transaction", rows.batch),
        floor.batched_per_second,
    );
    report.rate("floor: the same rows, 256 operations a transaction", floor.full_batches_per_second);

    let one = load::alone(1, size.operations).await;
    report.rate("one workspace: accepted", one.accepted_per_second());
    report.rate("one workspace: accepted and applied", one.applied_per_second());
    let in_batches = load::in_batches(size.operations).await;
    report
        .rate("64 workspaces, 500 operations a call: accepted and applied", in_batches.applied_per_second());
    let no_op = no_op::on_file(size.operations).await;
    report.rate("floor: the same route, the push a no-op", no_op.accepted_per_second());

    let aim = (5.0 * floor.single_per_second()).min(0.3 * floor.batched_per_second);
    report.aim(Aim::above("64 workspaces, applied", many.applied_per_second(), aim, "operations/s"));
    report.aim(Aim::above("one workspace, applied", one.applied_per_second(), aim, "operations/s"));
    let aim = 3.0 * floor.idle.p50_ms() + 2.0;
    report.aim(Aim::below("idle waited create, p50", waited.p50_ms(), aim, "ms"));

    let lists = lists::measure(size.tasks, size.samples).await;
    let mut worst: f64 = 0.0;
    for (name, times) in &lists {
        report.latency(&format!("{name} over {} tasks", size.tasks), times);
        worst = worst.max(times.p99_ms());
    }
    report.aim(Aim::below("task lists, worst p99", worst, 20.0, "ms"));
}
