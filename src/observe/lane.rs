//! What happens in the lanes, counted.

use std::time::Duration;

use fairy_queue::{JobEnd, LaneSpec, Observer, PushError};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec};

use super::{meters::Meters, series::Series};
use crate::lanes;

/// The series of all lanes, those of each found without a look at its name.
pub(super) struct LaneMeters {
    lanes: Vec<LaneMeter>,
    refused: IntCounterVec,
}

struct LaneMeter {
    pushed: IntCounter,
    push: Histogram,
    attempts: IntCounter,
    waited: Histogram,
    worked: Histogram,
    ends: Vec<IntCounter>,
    lost: IntCounter,
}

impl LaneMeters {
    pub fn new(series: &Series) -> Self {
        let lane = &["lane"];
        let pushed = series.counters("fairy_lane_pushed_jobs_total", "Jobs that were pushed.", lane);
        let push =
            series.latencies("fairy_lane_push_seconds", "Time of a push, until it was durable.", "lane");
        let attempts = series.counters("fairy_lane_attempts_total", "Jobs that a handler was given.", lane);
        let help = "From the push of a job to its first start, by the clock of this process.";
        let waited = series.waits("fairy_lane_wait_seconds", help, "lane");
        let worked = series.waits(
            "fairy_lane_work_seconds",
            "How long a handler had jobs in its hands, once for each hand-out.",
            "lane",
        );
        let ends = series.counters("fairy_lane_ends_total", "What jobs came to.", &["lane", "end"]);
        let lost = series.counters(
            "fairy_lane_lost_leases_total",
            "Hand-outs whose lease was lost before their end was brought back.",
            lane,
        );
        let refused =
            series.counters("fairy_lane_refused_pushes_total", "Pushes not carried out.", &["lane", "kind"]);
        let of = |counters: &IntCounterVec, lane: &LaneSpec| counters.with_label_values(&[lane.name]);
        let times = |histograms: &HistogramVec, lane: &LaneSpec| histograms.with_label_values(&[lane.name]);
        let meter = |lane: &LaneSpec| LaneMeter {
            pushed: of(&pushed, lane),
            push: times(&push, lane),
            attempts: of(&attempts, lane),
            waited: times(&waited, lane),
            worked: times(&worked, lane),
            ends: JobEnd::ALL.iter().map(|end| ends.with_label_values(&[lane.name, end.as_str()])).collect(),
            lost: of(&lost, lane),
        };
        Self { lanes: lanes::ALL.into_iter().map(meter).collect(), refused }
    }

    fn of(&self, lane: &LaneSpec) -> Option<&LaneMeter> {
        let at = lanes::ALL.iter().position(|known| known.name == lane.name)?;
        self.lanes.get(at)
    }
}

impl Observer for Meters {
    fn pushed(&self, lane: &LaneSpec, jobs: usize, took: Duration, refused: Option<&PushError>) {
        let meters = self.lanes();
        if let Some(error) = refused {
            meters.refused.with_label_values(&[lane.name, kind(error)]).inc();
        } else if let Some(meter) = meters.of(lane) {
            meter.pushed.inc_by(jobs as u64);
            meter.push.observe(took.as_secs_f64());
        }
    }

    fn begun(&self, lane: &LaneSpec, pushed_at: i64, attempt: u32) {
        let Some(meter) = self.lanes().of(lane) else { return };
        meter.attempts.inc();
        if attempt == 1 {
            let waited = self.now().as_millisecond().saturating_sub(pushed_at);
            let waited = Duration::from_millis(u64::try_from(waited).unwrap_or(0));
            meter.waited.observe(waited.as_secs_f64());
        }
    }

    fn worked(&self, lane: &LaneSpec, took: Duration) {
        if let Some(meter) = self.lanes().of(lane) {
            meter.worked.observe(took.as_secs_f64());
        }
    }

    fn ended(&self, lane: &LaneSpec, end: JobEnd, jobs: usize) {
        let of_end = self.lanes().of(lane).and_then(|meter| meter.ends.get(end as usize));
        if let Some(counter) = of_end {
            counter.inc_by(jobs as u64);
        }
    }

    fn lost(&self, lane: &LaneSpec, hands: usize) {
        if let Some(meter) = self.lanes().of(lane) {
            meter.lost.inc_by(hands as u64);
        }
    }
}

const fn kind(error: &PushError) -> &'static str {
    match error {
        PushError::Unavailable(_) => "unavailable",
        PushError::Unknown(_) => "unknown",
        PushError::GroupFull { .. } => "group_full",
        PushError::KeyTaken { .. } => "key_taken",
        PushError::PayloadTooLarge { .. } => "too_large",
        PushError::TooMany { .. } => "too_many",
        PushError::Misfit(_) => "misfit",
    }
}
