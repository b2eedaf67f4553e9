//! The jobs in real lanes: what the answers of the handlers do there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use apalis::prelude::Monitor;
use fairy_jobs::{id::OperationId, lane, operation::Operation, ports::PortError};
use fairy_queue::{Hold, LaneSpec, NewJob, Order, Page, Queue, RetrySchedule, sqlite};
use serde_json::json;

use super::{
    deliver::Bench,
    fakes::FakeLedger,
    world::{MINA, TASK, WORKSPACE, World},
};
use crate::{Lanes, Services, register};

const fn spec(name: &'static str, order: Order) -> LaneSpec {
    let second = Duration::from_secs(1);
    LaneSpec {
        name,
        order,
        lease: Duration::from_secs(5),
        batch: 256,
        retry: RetrySchedule::Backoff { base: Duration::from_millis(2), cap: second, attempts: 3 },
        group_limit: None,
        max_payload: 100_000,
    }
}

static OPERATIONS: LaneSpec = spec(lane::OPERATIONS, Order::Grouped);
static RECORD: LaneSpec = spec(lane::RECORD, Order::Grouped);
static PUBLISH: LaneSpec = spec(lane::PUBLISH, Order::Grouped);
static NOTIFY: LaneSpec = spec(lane::NOTIFY, Order::Grouped);
static DELIVER: LaneSpec = spec(lane::DELIVER, Order::Plain);
static LANES: Lanes =
    Lanes { operations: &OPERATIONS, record: &RECORD, publish: &PUBLISH, notify: &NOTIFY, deliver: &DELIVER };

async fn queue(directory: &tempfile::TempDir) -> Queue {
    let start = Instant::now();
    let clock = move || i64::try_from(start.elapsed().as_millis()).unwrap();
    let path = directory.path().join("queue.db");
    sqlite::open(sqlite::Options { path, clock: Arc::new(clock), mode: sqlite::Mode::Serve }).await.unwrap()
}

fn job(operation: &Operation) -> NewJob {
    let key = operation.id.to_string();
    NewJob::json(operation).unwrap().group(WORKSPACE.to_string()).unique(key, Hold::UntilAcknowledged)
}

#[tokio::test]
async fn one_bad_operation_is_buried_in_its_place_and_the_others_go_on() {
    let mut world = World::new();
    let delete = json!({"delete_task": {"task": TASK}});
    let operations: Vec<Operation> = (0..10).map(|_| world.operation(MINA, &delete)).collect();
    let ids: Vec<OperationId> = operations.iter().map(|o| o.id).collect();
    let ledger = Arc::new(FakeLedger { poison: BTreeSet::from([ids[3]]), ..FakeLedger::default() });
    // The database is away at first, which must cost nobody an attempt: more often than an operation has attempts.
    let away = || PortError::Unavailable("down".to_owned());
    ledger.errors.lock().unwrap().extend([away(), away(), away(), away()]);

    let directory = tempfile::tempdir().unwrap();
    let queue = queue(&directory).await;
    // One payload cannot be read; the tag says what it was.
    let mut jobs: Vec<NewJob> = operations.iter().map(job).collect();
    jobs[6].payload = b"{}".to_vec();
    let tag = json!({
        "fingerprint": operations[6].fingerprint, "actor": MINA, "workspace": WORKSPACE,
        "resource": {"type": "task", "id": TASK}, "accepted_at": operations[6].accepted_at,
    });
    jobs[6].tag = Some(tag.to_string());
    queue.push(&OPERATIONS, jobs).await.unwrap();

    let bench = Bench::new();
    let services = Services { ledger: ledger.clone(), ..bench.services(&Arc::default()) };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let wanted = [LANES.operations, LANES.record, LANES.publish, LANES.notify, LANES.deliver];
    let monitor = register(Monitor::new(), &queue, &LANES, Arc::new(services), &wanted);
    let running = tokio::spawn(monitor.run_with_signal(async {
        drop(stopped.await);
        Ok(())
    }));
    let all_told = async {
        while bench.said.outcomes.lock().unwrap().len() < ids.len() {
            bench.said.told.notified().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all_told).await.expect("everybody is told");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();

    assert_eq!(*bench.said.outcomes.lock().unwrap(), ids, "in order, the failed ones in their places");
    let good: Vec<OperationId> = ids.iter().copied().filter(|id| *id != ids[3] && *id != ids[6]).collect();
    assert_eq!(*ledger.applied.lock().unwrap(), good);
    let failed: Vec<OperationId> = ledger.failed.lock().unwrap().iter().map(|o| o.id).collect();
    assert_eq!(failed, [ids[3], ids[6]]);
    let dead = queue.dead(&OPERATIONS, Page { after: None, limit: 10 }).await.unwrap().items;
    assert_eq!(dead.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [3, 0]);
    let stats = queue.stats(&OPERATIONS).await.unwrap();
    assert_eq!((stats.waiting, stats.later, stats.in_flight, stats.dead), (0, 0, 0, 2));
    queue.close().await;
}
