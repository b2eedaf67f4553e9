//! What this process counts of what it does; clones count together.

use std::{sync::Arc, time::Duration};

use fairy_jobs::{clock::Clock, ports::Meter};
use jiff::Timestamp;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, proto::MetricFamily};

use super::{lane::LaneMeters, series::Series};

/// A place outside the database and the lanes where the work leaves something behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// The activity log, wherever it is kept.
    ActivityLog,
    /// The event bus.
    Bus,
    /// Mail.
    Mail,
}

impl Outlet {
    const ALL: [Self; 3] = [Self::ActivityLog, Self::Bus, Self::Mail];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ActivityLog => "activity_log",
            Self::Bus => "bus",
            Self::Mail => "mail",
        }
    }
}

/// The counts of a process.
#[derive(Clone)]
pub struct Meters(Arc<Counts>);

struct Counts {
    series: Series,
    clock: Arc<dyn Clock>,
    lanes: LaneMeters,
    accept: Histogram,
    accepted: IntCounter,
    streams: IntGauge,
    apply: Histogram,
    applied: IntCounter,
    apply_errors: IntCounterVec,
    outlets: Vec<Histogram>,
    outlet_errors: IntCounterVec,
}

impl Meters {
    /// Nothing counted yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let series = Series::default();
        let lanes = LaneMeters::new(&series);
        let help = "Time of a call to a sink, whatever it came to.";
        let outlets = series.latencies("fairy_sink_seconds", help, "sink");
        Self(Arc::new(Counts {
            clock,
            lanes,
            accept: series.latency(
                "fairy_accept_seconds",
                "From when a request was understood until its operations were durable.",
            ),
            accepted: series.counter("fairy_accepted_operations_total", "Operations that were accepted."),
            streams: series.live_gauge("fairy_streams", "Live streams that are open."),
            apply: series.latency("fairy_apply_seconds", "Time of applying a batch, whatever it came to."),
            applied: series.counter(
                "fairy_applied_operations_total",
                "Operations that were applied or refused, repeats included.",
            ),
            apply_errors: series.counters(
                "fairy_apply_errors_total",
                "Batches that could not be applied.",
                &["kind"],
            ),
            outlets: Outlet::ALL.map(|outlet| outlets.with_label_values(&[outlet.as_str()])).to_vec(),
            outlet_errors: series.counters(
                "fairy_sink_errors_total",
                "Calls to a sink that failed.",
                &["sink", "kind"],
            ),
            series,
        }))
    }

    pub(super) fn lanes(&self) -> &LaneMeters {
        &self.0.lanes
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// A batch was applied, so many operations of it, or failed.
    pub(super) fn applied(&self, took: Duration, ended: Result<usize, &'static str>) {
        self.0.apply.observe(took.as_secs_f64());
        match ended {
            Ok(operations) => self.0.applied.inc_by(operations as u64),
            Err(kind) => self.0.apply_errors.with_label_values(&[kind]).inc(),
        }
    }

    /// A sink was called.
    pub(super) fn called(&self, outlet: Outlet, took: Duration, error: Option<&'static str>) {
        if let Some(latency) = self.0.outlets.get(outlet as usize) {
            latency.observe(took.as_secs_f64());
        }
        if let Some(kind) = error {
            self.0.outlet_errors.with_label_values(&[outlet.as_str(), kind]).inc();
        }
    }

    /// All series as they are now.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.0.series.0.gather()
    }
}

impl Meter for Meters {
    fn accepted(&self, operations: usize, took: Duration) {
        self.0.accept.observe(took.as_secs_f64());
        self.0.accepted.inc_by(operations as u64);
    }

    fn stream_opened(&self) {
        self.0.streams.inc();
    }

    fn stream_closed(&self) {
        self.0.streams.dec();
    }
}
