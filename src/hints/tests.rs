//! What the relay pushes, what it leaves because a hint waits already, and that nothing is missed for that.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use std::time::{Duration, Instant};

use apalis::prelude::Monitor;
use fairy_queue::{
    Answer, Crew, Handler, Job, LaneStats, register,
    sqlite::{Mode, Options, open},
};
use tokio::sync::Semaphore;

use super::*;
use crate::lanes;

fn workspace(number: u16) -> WorkspaceId {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    WorkspaceId::from_bytes(bytes)
}

fn hints() -> Hints {
    let sinks = vec![(Sink::Record, &lanes::RECORD), (Sink::Notify, &lanes::NOTIFY)];
    Hints::new(Channels::default(), Lanes { sinks, deliver: &lanes::DELIVER })
}

async fn queue(directory: &tempfile::TempDir) -> Queue {
    let start = Instant::now();
    let clock = move || i64::try_from(start.elapsed().as_millis()).unwrap();
    let path = directory.path().join("queue.db");
    open(Options { path, clock: Arc::new(clock), mode: Mode::Serve }).await.unwrap()
}

async fn waiting(queue: &Queue) -> [u64; 3] {
    let mut counts = [0; 3];
    for (count, lane) in counts.iter_mut().zip([&lanes::RECORD, &lanes::NOTIFY, &lanes::DELIVER]) {
        *count = queue.stats(lane).await.unwrap().waiting;
    }
    counts
}

#[tokio::test]
async fn what_is_noted_is_pushed_once_and_again_only_when_that_helps() {
    let directory = tempfile::tempdir().unwrap();
    let queue = queue(&directory).await;
    let (hints, stop) = (hints(), CancellationToken::new());
    hints.changed(workspace(1), 1).await;
    hints.changed(workspace(1), 2).await;
    hints.changed(workspace(2), 1).await;
    hints.due(&[DeliveryId::from_bytes([1; 16]); 2]).await;
    let task = tokio::spawn(hints.clone().run(queue.clone(), stop.clone()));
    hints.idle().await;
    assert_eq!(waiting(&queue).await, [2, 2, 1], "one hint for each sink of each workspace");

    for _ in 0..3 {
        hints.behind(Sink::Record, &[workspace(1)]).await;
        hints.due(&[DeliveryId::from_bytes([1; 16])]).await;
        hints.idle().await;
    }
    assert_eq!(waiting(&queue).await, [3, 2, 1], "two of a workspace, whoever gave them");
    // One workspace has its two; that does not keep the others from theirs.
    hints.behind(Sink::Record, &[workspace(1), workspace(2), workspace(3)]).await;
    hints.idle().await;
    assert_eq!(waiting(&queue).await, [5, 2, 1]);
    hints.changed(workspace(4), 1).await;
    stop.cancel();
    task.await.unwrap();
    assert_eq!(waiting(&queue).await, [6, 3, 1], "what was noted before the stop is pushed");
}

/// A sink that is stuck at first: how many changes there are, how many it has read, and how many it has done.
struct Stuck {
    free: AtomicBool,
    changes: AtomicU64,
    read: AtomicU64,
    done: AtomicU64,
    /// What it waits for between reading and doing.
    gate: Semaphore,
}

#[async_trait]
impl Handler for Stuck {
    type Job = Hint;

    async fn handle(&self, batch: Vec<Job<Hint>>) -> Vec<Answer> {
        if !self.free.load(Ordering::SeqCst) {
            return vec![Answer::Snooze(Duration::from_millis(1)); batch.len()];
        }
        let changes = self.changes.load(Ordering::SeqCst);
        self.read.store(changes, Ordering::SeqCst);
        drop(self.gate.acquire().await);
        self.done.store(changes, Ordering::SeqCst);
        vec![Answer::Done; batch.len()]
    }
}

async fn reaches(count: &AtomicU64, wanted: u64) {
    let wait = async {
        while count.load(Ordering::SeqCst) < wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("it comes so far");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_sink_gathers_no_hints_and_no_change_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let queue = queue(&directory).await;
    let hints = Hints::new(
        Channels::default(),
        Lanes { sinks: vec![(Sink::Record, &lanes::RECORD)], deliver: &lanes::DELIVER },
    );
    let stop = CancellationToken::new();
    let pushing = tokio::spawn(hints.clone().run(queue.clone(), stop.clone()));
    let sink = Arc::new(Stuck {
        free: AtomicBool::new(false),
        changes: AtomicU64::new(0),
        read: AtomicU64::new(0),
        done: AtomicU64::new(0),
        gate: Semaphore::new(0),
    });
    let crew = Crew { name: "test".into(), concurrency: 2, version: 1, time_up: CancellationToken::new() };
    let monitor = register(Monitor::new(), &queue, &lanes::RECORD, Arc::clone(&sink), crew);
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());

    let change = async || {
        let seq = sink.changes.fetch_add(1, Ordering::SeqCst) + 1;
        hints.changed(workspace(1), seq).await;
        if seq.is_multiple_of(10) {
            hints.idle().await;
        }
    };
    for _ in 0..10_000 {
        change().await;
    }
    let LaneStats { waiting, later, in_flight, .. } = queue.stats(&lanes::RECORD).await.unwrap();
    assert!((1..=2).contains(&(waiting + later + in_flight)), "{waiting} {later} {in_flight}");

    // One more comes just after it has looked; no sweeper is there to find it.
    sink.free.store(true, Ordering::SeqCst);
    reaches(&sink.read, 10_000).await;
    change().await;
    hints.idle().await;
    sink.gate.add_permits(1);
    reaches(&sink.done, 10_001).await;
    stop.cancel();
    pushing.await.unwrap();
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn notes_are_bounded() {
    let hints = hints();
    for number in 0..12_000 {
        hints.changed(workspace(number), 1).await;
    }
    let noted = hints.take().unwrap();
    assert_eq!(noted.behind.len(), MAX_NOTES);
}
