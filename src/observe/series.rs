//! Making the series that are counted: each by its name, its help and its labels, in one registry.
//!
//! Labels are names of closed sets (lanes, sinks, ends, kinds of errors), never ids, so that the number of series does
//! not grow with what is kept.

use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts,
    Registry, core::Collector,
};

/// Upper bounds of what is waited for by a person, in seconds.
const QUICK: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];
/// Upper bounds of what may wait in a lane, in seconds.
const SLOW: [f64; 15] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 1_800.0, 21_600.0];

/// A registry that is being filled.
#[derive(Default)]
pub(super) struct Series(pub Registry);

#[expect(clippy::expect_used, reason = "names and labels are constants, and a test makes all series")]
impl Series {
    fn keep<C: Collector + Clone + 'static>(&self, made: prometheus::Result<C>) -> C {
        let made = made.expect("a valid name");
        self.0.register(Box::new(made.clone())).expect("a name of its own");
        made
    }

    pub fn gauge(&self, name: &str, help: &str, value: f64) {
        self.keep(Gauge::new(name, help)).set(value);
    }

    pub fn live_gauge(&self, name: &str, help: &str) -> IntGauge {
        self.keep(IntGauge::new(name, help))
    }

    pub fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> GaugeVec {
        self.keep(GaugeVec::new(Opts::new(name, help), labels))
    }

    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        self.keep(IntCounter::new(name, help))
    }

    pub fn counters(&self, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
        self.keep(IntCounterVec::new(Opts::new(name, help), labels))
    }

    pub fn latency(&self, name: &str, help: &str) -> Histogram {
        self.keep(Histogram::with_opts(HistogramOpts::new(name, help).buckets(QUICK.to_vec())))
    }

    pub fn latencies(&self, name: &str, help: &str, label: &str) -> HistogramVec {
        self.keep(HistogramVec::new(HistogramOpts::new(name, help).buckets(QUICK.to_vec()), &[label]))
    }

    pub fn waits(&self, name: &str, help: &str, label: &str) -> HistogramVec {
        self.keep(HistogramVec::new(HistogramOpts::new(name, help).buckets(SLOW.to_vec()), &[label]))
    }
}
