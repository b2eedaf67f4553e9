//! What Fairy costs, beside the floors of the machine, taken in the same run.
//!
//! Figures of durable systems follow the disk, and the disk follows whoever else uses it; so nothing here is compared
//! with a figure of another day. Each aim is a ratio to a floor measured in this run, but for the few that people feel
//! directly. The table goes to standard output; it asserts nothing.
//!
//! `cargo bench --bench bench` runs it; `FAIRY_BENCH_SMALL` runs a tenth of it, to see that it works.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot go on has failed, and the panic says where"
)]

mod floors;
mod lists;
mod load;
mod no_op;
mod report;
mod rows;
mod served;
mod wire;

use std::{process::ExitCode, time::Duration};

use report::{Aim, Report};
use served::Served;

/// How much is done.
#[derive(Clone, Copy)]
pub struct Size {
    /// Operations of one load.
    pub operations: usize,
    /// Tasks in the list that is read.
    pub tasks: usize,
    /// Waited creates, flushes, single transactions, list reads.
    pub samples: usize,
    /// Starts.
    pub starts: usize,
}

const WHOLE: Size = Size { operations: 30_000, tasks: 100_000, samples: 500, starts: 11 };
const SMALL: Size = Size { operations: 2_000, tasks: 5_000, samples: 50, starts: 3 };

/// How long an idle system is left alone between two samples.
const REST: Duration = Duration::from_millis(25);

fn main() -> ExitCode {
    // `cargo test --all-targets` runs this too, without the flag that `cargo bench` gives.
    if !std::env::args().any(|argument| argument == "--bench") {
        eprintln!("this measures: run `cargo bench --bench bench`");
        return ExitCode::SUCCESS;
    }
    let small = std::env::var_os("FAIRY_BENCH_SMALL").is_some();
    let size = if small { SMALL } else { WHOLE };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let report = runtime.unwrap().block_on(measure(size));
    println!("{}", report.markdown());
    ExitCode::SUCCESS
}

async fn measure(size: Size) -> Report {
    let mut report = Report::new();
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
    let no_op = no_op::flood(size.operations).await;
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
    report
}
