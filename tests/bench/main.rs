//! What Fairy costs, beside the floors of the machine, taken in the same run.
//!
//! Figures of durable systems follow the disk, and the disk follows whoever else uses it; so nothing here is compared
//! with a figure of another day. Each aim is a ratio to a floor measured in this run, but for the few that people feel
//! directly. The tables go to standard output; they assert nothing.
//!
//! `cargo bench --bench bench` runs it all; `-- embedded` and `-- cluster` a part of it, `-- lanes workers accept apply
//! idle backlog` some sections of the cluster part. `FAIRY_BENCH_SMALL` runs a tenth of it, to see that it works. The
//! cluster part starts Redis and MariaDB by itself; `scripts/bench` sees to it that they are there, and the peers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a measurement that cannot go on has failed, and the panic says where"
)]

mod cluster;
mod embedded;
mod floors;
mod lists;
mod load;
#[path = "../../queue/benches/measure/mod.rs"]
mod measure;
mod no_op;
mod report;
mod rows;
mod served;
mod wire;

use std::{process::ExitCode, time::Duration};

use report::Report;

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
    /// Jobs of one measurement of a lane.
    pub jobs: usize,
    /// Rounds of the lanes, their floors and peers.
    pub rounds: usize,
    /// Jobs of the large backlog of a lane, and operations of that of the whole system.
    pub backlog: (usize, usize),
}

const WHOLE: Size = Size {
    operations: 30_000,
    tasks: 100_000,
    samples: 500,
    starts: 11,
    jobs: 64_000,
    rounds: 3,
    backlog: (1_000_000, 100_000),
};
const SMALL: Size = Size {
    operations: 2_000,
    tasks: 5_000,
    samples: 50,
    starts: 3,
    jobs: 12_800,
    rounds: 1,
    backlog: (100_000, 20_000),
};

/// How long an idle system is left alone between two samples.
const REST: Duration = Duration::from_millis(25);

fn main() -> ExitCode {
    let (flags, asked): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    // `cargo test --all-targets` runs this too, without the flag that `cargo bench` gives.
    if !flags.iter().any(|flag| flag == "--bench") {
        eprintln!("this measures: run `cargo bench --bench bench`");
        return ExitCode::SUCCESS;
    }
    let known = |name: &String| ["embedded", "cluster"].contains(&name.as_str()) || cluster::has(name);
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        eprintln!("there is no part {unknown:?}: embedded, cluster, {}", cluster::NAMES.join(", "));
        return ExitCode::from(2);
    }
    // What servers and floors write is to be on the disk of the target directory, not in memory and not in the sources.
    std::env::set_current_dir(env!("CARGO_TARGET_TMPDIR")).expect("cargo made it");
    let size = if std::env::var_os("FAIRY_BENCH_SMALL").is_some() { SMALL } else { WHOLE };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.unwrap().block_on(measure(size, &asked));
    ExitCode::SUCCESS
}

async fn measure(size: Size, asked: &[String]) {
    let wants = |part: &str| asked.is_empty() || asked.iter().any(|name| name == part);
    if wants("embedded") {
        let mut report = Report::new();
        embedded::measure(size, &mut report).await;
        println!("{}", report.markdown("One process, rows and lanes in SQLite."));
    }
    let sections: Vec<_> =
        cluster::NAMES.into_iter().filter(|name| wants("cluster") || wants(name)).collect();
    if !sections.is_empty() {
        let mut report = Report::new();
        cluster::measure(size, &sections, &mut report).await;
        println!("{}", report.markdown(cluster::WHAT_WAS_ON));
    }
}
