//! Figures in the text format of Prometheus (exposition format 0.0.4).
//!
//! Labels are lanes and states, both closed sets, so the number of series is fixed. A lane that cannot be read leaves
//! its figures out, which an alert on absence sees; it does not report zeros.

use std::fmt::Write as _;

use fairy_queue::LaneStats;

use super::Vitals;

/// All figures as they are now.
pub async fn text(vitals: &Vitals) -> String {
    let reads = vitals.lanes.iter().map(|lane| vitals.queue.stats(lane));
    let stats = futures::future::join_all(reads).await;
    let lanes: Vec<_> = vitals.lanes.iter().map(|lane| lane.name).zip(stats).collect();
    let known: Vec<(&str, LaneStats)> =
        lanes.into_iter().filter_map(|(name, stats)| Some((name, stats.ok()?))).collect();
    let mut page = Page::default();
    page.lanes(&known);
    page.gauge("fairy_build_info", "The version that runs.");
    page.value("fairy_build_info", &format!("{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1);
    page.single(
        "fairy_stopping",
        "1 when the process is about to end.",
        u64::from(vitals.stopping.is_cancelled()),
    );
    page.single(
        "fairy_waiting_requests",
        "Requests that wait for an outcome.",
        vitals.channels.waiting() as u64,
    );
    page.single(
        "fairy_followed_workspaces",
        "Workspaces whose feed is followed live.",
        vitals.channels.followed() as u64,
    );
    page.process();
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    fn value(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn single(&mut self, name: &str, help: &str, value: u64) {
        self.gauge(name, help);
        self.value(name, "", value);
    }

    fn lanes(&mut self, lanes: &[(&str, LaneStats)]) {
        let jobs = "fairy_lane_jobs";
        self.gauge(jobs, "Jobs of a lane by state.");
        for (lane, stats) in lanes {
            let states = [
                ("waiting", stats.waiting),
                ("later", stats.later),
                ("in_flight", stats.in_flight),
                ("dead", stats.dead),
            ];
            for (state, count) in states {
                self.value(jobs, &format!("{{lane=\"{lane}\",state=\"{state}\"}}"), count);
            }
        }
        let oldest = "fairy_lane_oldest_seconds";
        self.gauge(oldest, "Age of the job of a lane that has waited longest.");
        for (lane, stats) in lanes {
            let age = stats.oldest.unwrap_or_default().as_secs_f64();
            self.value(oldest, &format!("{{lane=\"{lane}\"}}"), age);
        }
        let paused = "fairy_lane_paused";
        self.gauge(paused, "1 when a lane is paused.");
        for (lane, stats) in lanes {
            self.value(paused, &format!("{{lane=\"{lane}\"}}"), u8::from(stats.paused));
        }
        let groups = "fairy_lane_paused_groups";
        self.gauge(groups, "Groups of a lane that are paused by themselves.");
        for (lane, stats) in lanes {
            self.value(groups, &format!("{{lane=\"{lane}\"}}"), stats.paused_groups);
        }
    }

    /// Memory and open files, where the system has `/proc`.
    fn process(&mut self) {
        if let Some(bytes) = resident_bytes() {
            self.single("process_resident_memory_bytes", "Memory that is resident.", bytes);
        }
        if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
            self.single("process_open_fds", "Open file descriptors.", files.count() as u64);
        }
    }
}

/// Memory of this process that is resident, in bytes.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lanes_are_told_as_prometheus_reads_them() {
        let mut page = Page::default();
        let stats = LaneStats {
            waiting: 3,
            later: 1,
            in_flight: 2,
            dead: 4,
            oldest: Some(Duration::from_millis(1500)),
            paused: true,
            paused_groups: 1,
        };
        page.lanes(&[("operations", stats), ("record", LaneStats::default())]);
        insta::assert_snapshot!(page.0);
    }

    #[test]
    fn memory_is_known_where_there_is_proc() {
        assert!(!cfg!(target_os = "linux") || resident_bytes().is_some_and(|bytes| bytes > 1_000_000));
    }
}
