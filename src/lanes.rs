//! The lanes: how long a lease is, how many jobs are handed out at once, how often a job is tried.
//!
//! What the jobs carry is said in `fairy_jobs::lane`; these numbers belong to the process that runs them. A lane whose
//! job is only a hint (`record`, `publish`, `notify`, `deliver`) may lose it: the rows say what is to be done, and the
//! sweeper looks.

use std::time::Duration;

use fairy_jobs::lane::{self, Sink};
use fairy_queue::{LaneSpec, Order, RetrySchedule};

/// Largest payload of an operation. The largest command is a body of 20,000 characters, at most 80 kB of UTF-8.
const OPERATION_BYTES: usize = 256 * 1024;
/// Largest payload of a hint, which is one id.
const HINT_BYTES: usize = 512;

/// Writes wait here, in order within their workspace.
///
/// The lease is short, because somebody waits: what a killed worker had in hand goes on 5 s later. An operation that
/// fails by its content is tried three times within a second and then given up, for its followers wait behind it; a
/// database that is away costs no attempt.
pub static OPERATIONS: LaneSpec = LaneSpec {
    name: lane::OPERATIONS,
    order: Order::Grouped,
    lease: Duration::from_secs(5),
    batch: 256,
    retry: RetrySchedule::Backoff {
        base: Duration::from_millis(50),
        cap: Duration::from_millis(500),
        attempts: 3,
    },
    group_limit: Some(10_000),
    max_payload: OPERATION_BYTES,
};

/// The activity log has something to do.
pub static RECORD: LaneSpec = sink(lane::RECORD);
/// The event bus has something to do.
pub static PUBLISH: LaneSpec = sink(lane::PUBLISH);
/// People may have to be told.
pub static NOTIFY: LaneSpec = sink(lane::NOTIFY);

/// Deliveries are due; when each is tried again is said by its row, so the lane's own schedule is only for defects.
pub static DELIVER: LaneSpec = LaneSpec {
    name: lane::DELIVER,
    order: Order::Plain,
    lease: Duration::from_secs(15),
    batch: fairy_workers::DELIVERIES_AT_ONCE,
    retry: SINK_RETRY,
    group_limit: None,
    max_payload: HINT_BYTES,
};

/// All lanes, in the order in which an operation passes them.
pub static ALL: [&LaneSpec; 5] = [&OPERATIONS, &RECORD, &PUBLISH, &NOTIFY, &DELIVER];

const SINK_RETRY: RetrySchedule =
    RetrySchedule::Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(60), attempts: 10 };

/// A sink's lane holds at most two hints of a workspace: one in hand, which may have read the rows already, and one that
/// has not. A third could not say more, so the relay takes [`fairy_queue::PushError::GroupFull`] for an answer; while a
/// sink is stuck, nothing gathers. It rests on `batch` being 1: of two hints one is not in hand.
const fn sink(name: &'static str) -> LaneSpec {
    LaneSpec {
        name,
        order: Order::Grouped,
        lease: Duration::from_secs(15),
        batch: 1,
        retry: SINK_RETRY,
        group_limit: Some(2),
        max_payload: HINT_BYTES,
    }
}

/// The lane of that name.
pub fn find(name: &str) -> Option<&'static LaneSpec> {
    ALL.into_iter().find(|lane| lane.name == name)
}

/// The lane that a sink works.
pub fn of_sink(sink: Sink) -> &'static LaneSpec {
    match sink {
        Sink::Record => &RECORD,
        Sink::Publish => &PUBLISH,
        Sink::Notify => &NOTIFY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_found_by_its_name() {
        for lane in ALL {
            assert_eq!(find(lane.name).map(|found| found.name), Some(lane.name));
        }
        for sink in Sink::ALL {
            assert_eq!(of_sink(sink).name, sink.as_str());
        }
        assert!(find("no-such-lane").is_none());
    }
}
