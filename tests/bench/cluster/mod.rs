//! Processes on servers: lanes over Redis, acceptance, applying on MariaDB, several workers, large backlogs.
//!
//! Each figure stands beside its floor or peer of the same run. All servers are started here, on the disk of the target
//! directory, and end with this process.

mod accept;
mod apply;
mod backlog;
mod bare;
mod idle;
mod lanes;
mod peers;
mod redis_server;
mod rounds;
#[path = "../../../store/benches/apply/server_floor.rs"]
mod server_floor;
#[expect(dead_code, reason = "the suite of the store runs on more engines than this does")]
#[path = "../../../store/src/testing/servers.rs"]
mod servers;
mod stack;
mod workers;

use crate::{Size, floors, report::Report};

/// What the figures of this part were taken with.
pub const WHAT_WAS_ON: &str = "Lanes on Redis (`appendfsync always`; where two figures stand in a row the second is of \
    `everysec`), rows in MariaDB (`innodb_flush_log_at_trx_commit=1`), both on this machine.";

/// The sections, in the order in which they run.
pub const NAMES: [&str; 6] = ["lanes", "accept", "apply", "idle", "workers", "backlog"];

/// Whether there is a section of that name.
pub fn has(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Measures these sections.
pub async fn measure(size: Size, sections: &[&str], report: &mut Report) {
    report.latency("floor: write and fdatasync of 4 KiB", &floors::flush(size.samples));
    for section in sections {
        match *section {
            "lanes" => lanes::measure(size, report).await,
            "accept" => accept::measure(size, report).await,
            "apply" => apply::measure(size, report).await,
            "idle" => idle::measure(size, report).await,
            "workers" => workers::measure(size, report).await,
            _ => backlog::measure(size, report).await,
        }
    }
}
