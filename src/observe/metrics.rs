//! Figures in the text format of Prometheus (exposition format 0.0.4): what this process has counted, and how the lanes and
//! the process are now.
//!
//! A lane that cannot be read leaves its figures out, which an alert on absence sees; it does not report zeros.

use fairy_queue::LaneStats;
use prometheus::TextEncoder;

use super::{Vitals, process, series::Series};

/// All figures as they are now.
pub async fn text(vitals: &Vitals) -> Result<String, prometheus::Error> {
    let reads = vitals.lanes.iter().map(|lane| vitals.queue.stats(lane));
    let stats = futures::future::join_all(reads).await;
    let lanes: Vec<_> = vitals.lanes.iter().map(|lane| lane.name).zip(stats).collect();
    let known: Vec<(&str, LaneStats)> =
        lanes.into_iter().filter_map(|(name, stats)| Some((name, stats.ok()?))).collect();
    let now = Series::default();
    tell_lanes(&now, &known);
    tell_process(&now, vitals);
    let mut families = vitals.meters.gather();
    families.extend(now.0.gather());
    TextEncoder::new().encode_to_string(&families)
}

#[expect(clippy::cast_precision_loss, reason = "a figure")]
fn tell_lanes(now: &Series, lanes: &[(&str, LaneStats)]) {
    let jobs = now.gauges("fairy_lane_jobs", "Jobs of a lane by state.", &["lane", "state"]);
    let help = "Age of the job of a lane that has waited longest.";
    let oldest = now.gauges("fairy_lane_oldest_seconds", help, &["lane"]);
    let paused = now.gauges("fairy_lane_paused", "1 when a lane is paused.", &["lane"]);
    let help = "Groups of a lane that are paused by themselves.";
    let groups = now.gauges("fairy_lane_paused_groups", help, &["lane"]);
    for (lane, stats) in lanes {
        let states = [
            ("waiting", stats.waiting),
            ("later", stats.later),
            ("in_flight", stats.in_flight),
            ("dead", stats.dead),
        ];
        for (state, count) in states {
            jobs.with_label_values(&[*lane, state]).set(count as f64);
        }
        oldest.with_label_values(&[*lane]).set(stats.oldest.unwrap_or_default().as_secs_f64());
        paused.with_label_values(&[*lane]).set(f64::from(u8::from(stats.paused)));
        groups.with_label_values(&[*lane]).set(stats.paused_groups as f64);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure")]
fn tell_process(now: &Series, vitals: &Vitals) {
    let build = now.gauges("fairy_build_info", "The version that runs.", &["version"]);
    build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
    let stopping = f64::from(u8::from(vitals.stopping.is_cancelled()));
    now.gauge("fairy_stopping", "1 when the process is about to end.", stopping);
    let waiting = vitals.channels.waiting() as f64;
    now.gauge("fairy_waiting_requests", "Requests that wait for an outcome.", waiting);
    let followed = vitals.channels.followed() as f64;
    now.gauge("fairy_followed_workspaces", "Workspaces whose feed is followed live.", followed);
    if let Some(bus) = &vitals.bus {
        let help = "Changes that are in the feed and not on the bus, because it never takes them.";
        now.counter("fairy_events_set_aside_total", help).inc_by(bus.set_aside());
    }
    if let Some(account) = &vitals.account {
        let help = "Accepted operations that neither their lane nor the database has known for a minute.";
        now.gauge("fairy_unaccounted_operations", help, account.unaccounted() as f64);
        let help = "Accepted operations not yet found in the database, most of which wait in their lane.";
        now.gauge("fairy_unconfirmed_operations", help, account.unconfirmed() as f64);
    }
    if let Some(bytes) = process::resident_bytes() {
        now.gauge("process_resident_memory_bytes", "Memory that is resident.", bytes as f64);
    }
    if let Some(files) = process::open_files() {
        now.gauge("process_open_fds", "Open file descriptors.", files as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use fairy_jobs::ports::Meter as _;
    use fairy_queue::{JobEnd, Observer as _, PushError};
    use jiff::Timestamp;

    use super::*;
    use crate::{
        lanes::OPERATIONS,
        observe::{Meters, meters::Outlet},
    };

    struct Still;

    impl fairy_jobs::clock::Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH + Duration::from_secs(60)
        }
    }

    #[test]
    fn lanes_are_told_as_prometheus_reads_them() {
        let now = Series::default();
        let stats = LaneStats {
            waiting: 3,
            later: 1,
            in_flight: 2,
            dead: 4,
            oldest: Some(Duration::from_millis(1500)),
            paused: true,
            paused_groups: 1,
        };
        tell_lanes(&now, &[("operations", stats), ("record", LaneStats::default())]);
        insta::assert_snapshot!(TextEncoder::new().encode_to_string(&now.0.gather()).unwrap());
    }

    #[test]
    fn what_happens_is_counted_by_lane_and_sink() {
        let meters = Meters::new(Arc::new(Still));
        let (ms, full) = (Duration::from_millis, PushError::GroupFull { group: "g".into(), limit: 2 });
        meters.pushed(&OPERATIONS, 3, ms(2), None);
        meters.pushed(&OPERATIONS, 3, ms(2), Some(&full));
        meters.begun(&OPERATIONS, 59_990, 1);
        meters.begun(&OPERATIONS, 0, 2);
        meters.begun(&OPERATIONS, 61_000, 1);
        meters.worked(&OPERATIONS, ms(7));
        meters.ended(&OPERATIONS, JobEnd::Done, 2);
        meters.ended(&OPERATIONS, JobEnd::Dead, 1);
        meters.lost(&OPERATIONS, 1);
        meters.accepted(3, ms(3));
        meters.stream_opened();
        meters.applied(ms(4), Ok(2));
        meters.applied(ms(4), Err("unavailable"));
        meters.called(Outlet::Mail, ms(5), Some("away"));
        meters.called(Outlet::Bus, ms(5), None);
        let page = TextEncoder::new().encode_to_string(&meters.gather()).unwrap();
        // Of lanes where nothing happened, and of bounds that say nothing here, no word.
        let told: Vec<&str> = page
            .lines()
            .filter(|line| !line.starts_with('#') && !line.ends_with(" 0") && !line.contains("_bucket"))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
        let within = "fairy_lane_wait_seconds_bucket{lane=\"operations\",le=\"0.005\"} 1\n";
        assert!(page.contains(within), "a job from the future did not wait: {page}");
    }
}
