//! What is particular to the SQLite broker: one process serves it, a tool may look in, the disk may be full.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod file;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use fairy_queue::sqlite::{Knobs, Mode, OpenError, Options, open};
use fairy_queue::testing::{Probe, start, until};
use fairy_queue::{
    Answer, Ask, Hand, LaneSpec, NewJob, Order, Page, PushError, Queue, RetrySchedule, Settled, Verdict,
    Which,
};
use file::TempFile;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

const fn lane(name: &'static str, order: Order) -> LaneSpec {
    let retry = RetrySchedule::Steps(&[]);
    LaneSpec {
        name,
        order,
        lease: Duration::from_secs(60),
        batch: 10,
        retry,
        group_limit: Some(1 << 40),
        max_payload: 65_536,
    }
}

static PLAIN: LaneSpec = lane("plain", Order::Plain);
static GROUPED: LaneSpec = lane("grouped", Order::Grouped);

async fn claim(queue: &Queue, lane: &LaneSpec) -> Vec<Hand> {
    let ask = Ask { hands: 1, worker: "test".into() };
    queue.broker().claim(lane, ask).await.unwrap().hands
}

async fn settle(queue: &Queue, lane: &LaneSpec, hand: &Hand, verdict: Verdict) {
    let verdicts = hand.jobs.iter().map(|job| (job.id.clone(), verdict.clone())).collect();
    let lost = queue.broker().settle(lane, vec![Settled { token: hand.token, verdicts }]).await.unwrap();
    assert!(lost.is_empty());
}

#[tokio::test]
async fn one_process_serves_it_at_a_time() {
    let file = TempFile::new();
    let queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(b"1".to_vec())]).await.unwrap();
    let second = open(file.options(Mode::Serve)).await;
    assert!(matches!(second, Err(OpenError::Locked(_))), "{second:?}");
    queue.close().await;
    assert!(matches!(queue.push(&PLAIN, vec![NewJob::default()]).await, Err(PushError::Unavailable(_))));
    let next = open(file.options(Mode::Serve)).await.unwrap();
    assert_eq!(next.stats(&PLAIN).await.unwrap().waiting, 1, "what was accepted is there");
}

#[tokio::test]
async fn leases_are_freed_at_the_start() {
    let file = TempFile::new();
    let queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(b"1".to_vec())]).await.unwrap();
    assert_eq!(claim(&queue, &PLAIN).await.len(), 1);
    drop(queue);
    let queue = file.serve(Knobs::default()).await;
    assert_eq!(claim(&queue, &PLAIN).await.len(), 1, "without waiting for the lease");
}

#[tokio::test]
async fn what_a_crash_left_has_its_age() {
    let file = TempFile::new();
    let queue = file.serve(Knobs::default()).await;
    for hand_out in [b"1", b"2"] {
        queue.push(&PLAIN, vec![NewJob::new(hand_out.to_vec())]).await.unwrap();
        assert_eq!(claim(&queue, &PLAIN).await.len(), 1);
    }
    assert_eq!(queue.stats(&PLAIN).await.unwrap().oldest, None, "both are in hand");
    drop(queue);
    let queue = file.serve(Knobs::default()).await;
    assert_eq!(claim(&queue, &PLAIN).await.len(), 1, "one hand-out of before at a time");
    let stats = queue.stats(&PLAIN).await.unwrap();
    assert_eq!((stats.waiting, stats.oldest.is_some()), (1, true), "{stats:?}");
}

#[tokio::test]
async fn an_accused_is_heard_alone() {
    let file = TempFile::new();
    let mut queue = file.serve(Knobs::default()).await;
    let jobs = |group: Option<&str>| {
        let job = |number: u8| NewJob { group: group.map(str::to_owned), ..NewJob::new(vec![number]) };
        (0..3).map(job).collect::<Vec<_>>()
    };
    queue.push(&PLAIN, jobs(None)).await.unwrap();
    queue.push(&GROUPED, jobs(Some("a"))).await.unwrap();
    assert_eq!(claim(&queue, &PLAIN).await[0].jobs.len(), 3);
    assert_eq!(claim(&queue, &GROUPED).await[0].jobs.len(), 3);
    // The first crash makes cohorts, the second suspects: one of a lane at a time, others pass by.
    drop(queue);
    queue = file.serve(Knobs::default()).await;
    assert_eq!(claim(&queue, &PLAIN).await[0].jobs.len(), 3);
    assert_eq!(claim(&queue, &GROUPED).await[0].jobs.len(), 3, "lanes do not wait for each other");
    drop(queue);
    queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(vec![9])]).await.unwrap();
    let suspect = claim(&queue, &PLAIN).await.remove(0);
    assert_eq!(suspect.jobs.iter().map(|job| job.payload[0]).collect::<Vec<_>>(), [0]);
    assert_eq!(claim(&queue, &PLAIN).await[0].jobs[0].payload, [9]);
    assert!(claim(&queue, &PLAIN).await.is_empty());
    assert_eq!(claim(&queue, &GROUPED).await[0].jobs.len(), 1, "lanes do not wait for each other");
    // The third is laid to both, so now both are accused: one at a time in all lanes.
    drop(queue);
    queue = file.serve(Knobs::default()).await;
    let accused = claim(&queue, &PLAIN).await.remove(0);
    assert_eq!((accused.jobs[0].payload[0], accused.jobs[0].attempts), (0, 1));
    assert!(claim(&queue, &GROUPED).await.is_empty(), "two accused are never in hand together");
    let mut wake = queue.broker().wake(&GROUPED);
    wake.borrow_and_update();
    settle(&queue, &PLAIN, &accused, Verdict::Remove).await;
    tokio::time::timeout(Duration::from_secs(20), wake.changed()).await.expect("the place is free").unwrap();
    let second = claim(&queue, &GROUPED).await.remove(0);
    assert_eq!((second.jobs.len(), second.jobs[0].attempts), (1, 1));
    assert_eq!(
        claim(&queue, &PLAIN).await[0].jobs[0].payload,
        [1],
        "a mere suspect does not wait for an accused"
    );
}

#[tokio::test]
async fn a_tool_works_beside_the_server_and_is_noticed() {
    let file = TempFile::new();
    let missing = open(file.options(Mode::Tool)).await;
    assert!(matches!(missing, Err(OpenError::Unusable { .. })), "a tool makes no queue: {missing:?}");
    let queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(b"1".to_vec())]).await.unwrap();
    let hand = claim(&queue, &PLAIN).await.remove(0);
    settle(&queue, &PLAIN, &hand, Verdict::Doom { error: "no".into(), attempted: true }).await;
    let hand = claim(&queue, &PLAIN).await.remove(0);
    settle(&queue, &PLAIN, &hand, Verdict::Bury).await;

    let tool = open(file.options(Mode::Tool)).await.unwrap();
    assert!(tool.broker().claim(&PLAIN, Ask { hands: 1, worker: "tool".into() }).await.is_err());
    assert_eq!(tool.dead(&PLAIN, Page { after: None, limit: 10 }).await.unwrap().items.len(), 1);
    let mut wake = queue.broker().wake(&PLAIN);
    tool.pause(&PLAIN, None, "ada").await.unwrap();
    tool.retry_dead(&PLAIN, Which::Oldest(10), "ada").await.unwrap();
    wake.changed().await.unwrap();
    assert!(claim(&queue, &PLAIN).await.is_empty(), "paused by the tool");
    wake.borrow_and_update();
    tool.resume(&PLAIN, None, "ada").await.unwrap();
    tokio::time::timeout(Duration::from_secs(20), wake.changed()).await.expect("it is noticed").unwrap();
    let again = claim(&queue, &PLAIN).await;
    assert_eq!(again[0].jobs[0].id, hand.jobs[0].id, "retried by the tool, under its old id");
    let pushed = queue.push(&PLAIN, vec![NewJob::new(b"2".to_vec())]).await.unwrap();
    assert_ne!(pushed[0].id, hand.jobs[0].id);
    assert_eq!(tool.audit(10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_clock_that_was_set_is_noticed() {
    let file = TempFile::new();
    let clock = Arc::new(AtomicI64::new(1_700_000_000_000));
    let read = Arc::clone(&clock);
    let options =
        Options { clock: Arc::new(move || read.load(Ordering::Relaxed)), ..file.options(Mode::Serve) };
    let queue = open(options).await.unwrap();
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&queue, &PLAIN, &probe, 1);
    let later = NewJob::json(&1).unwrap().delay(Duration::from_secs(24 * 60 * 60));
    queue.push(&PLAIN, vec![later]).await.unwrap();
    until(async || queue.stats(&PLAIN).await.unwrap().later == 1).await;
    clock.fetch_add(24 * 60 * 60 * 1_000, Ordering::Relaxed);
    let noticed = async { until(async || probe.items() == [1]).await };
    tokio::time::timeout(Duration::from_secs(20), noticed).await.expect("sooner than any timer");
    running.stop().await;
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let file = TempFile::new();
    let queue = file.serve(Knobs { max_pages: Some(100), ..Knobs::default() }).await;
    let job = || NewJob::new(vec![b'7'; 4_000]);
    let mut accepted = 0;
    let refused = loop {
        match queue.push(&PLAIN, vec![job()]).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, PushError::Unavailable(_)), "certainly nothing was written: {refused:?}");
    assert!(accepted > 20, "{accepted}");
    assert_eq!(queue.stats(&PLAIN).await.unwrap().waiting, accepted);
    let hand = claim(&queue, &PLAIN).await.remove(0);
    settle(&queue, &PLAIN, &hand, Verdict::Remove).await;
    queue.push(&PLAIN, vec![job()]).await.expect("there is room again");
    assert_eq!(queue.stats(&PLAIN).await.unwrap().waiting, accepted - 10 + 1);
}

#[tokio::test]
async fn the_file_does_not_grow_with_what_passes_through() {
    let file = TempFile::new();
    let queue = file.serve(Knobs::default()).await;
    let mut sizes = Vec::new();
    for _ in 0..30 {
        for _ in 0..5 {
            queue.push(&PLAIN, vec![NewJob::new(vec![b'7'; 2_000]); 100]).await.unwrap();
        }
        loop {
            let hands = claim(&queue, &PLAIN).await;
            let Some(hand) = hands.first() else { break };
            settle(&queue, &PLAIN, hand, Verdict::Remove).await;
        }
        let wal = file.path().with_extension("db-wal");
        sizes.push(std::fs::metadata(file.path()).unwrap().len() + std::fs::metadata(wal).unwrap().len());
    }
    let most = sizes.iter().max().unwrap();
    assert!(*most < 40 << 20, "30 MB passed through, the log is cut at 16 MB: {sizes:?}");
    queue.close().await;
    assert!(std::fs::metadata(file.path()).unwrap().len() < 4 << 20, "only ever 1 MB at once");
}

/// Steps of SQLite's machine for pushing, handing out and settling 200 jobs, with this much waiting already.
async fn steps(lane: &LaneSpec, backlog: usize, groups: usize) -> u64 {
    let file = TempFile::new();
    let counted = Arc::new(AtomicU64::new(0));
    let queue = file.serve(Knobs { steps: Some(Arc::clone(&counted)), ..Knobs::default() }).await;
    let job = |number: usize| {
        let job = NewJob::new(b"7".to_vec());
        if lane.order == Order::Grouped { job.group(format!("group {}", number % groups)) } else { job }
    };
    let all: Vec<NewJob> = (0..backlog).map(job).collect();
    for part in all.chunks(1_000) {
        queue.push(lane, part.to_vec()).await.unwrap();
    }
    let later = (0..backlog).map(|number| job(number).delay(Duration::from_secs(3_600))).collect::<Vec<_>>();
    for part in later.chunks(1_000) {
        queue.push(lane, part.to_vec()).await.unwrap();
    }
    counted.store(0, Ordering::Relaxed);
    for round in 0..20 {
        queue.push(lane, (0..10).map(|number| job(round * 10 + number)).collect()).await.unwrap();
        let hand = claim(&queue, lane).await.remove(0);
        assert_eq!(hand.jobs.len(), 10);
        settle(&queue, lane, &hand, Verdict::Remove).await;
    }
    counted.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_job_costs_the_same_however_deep_the_lane() {
    for (lane, groups) in [(&PLAIN, (1, 1)), (&GROUPED, (20, 2_000))] {
        let shallow = steps(lane, 400, groups.0).await;
        let deep = steps(lane, 40_000, groups.1).await;
        assert!(shallow > 20, "steps are counted: {shallow}");
        assert!(deep * 10 <= shallow * 13, "{}: {shallow} hundred steps became {deep}", lane.name);
    }
}

/// Steps of SQLite's machine for doing what 30 hand-outs of ten hold, after a crash with all of it in hand or without.
async fn steps_to_do(lane: &LaneSpec, crash: bool) -> u64 {
    let file = TempFile::new();
    let counted = Arc::new(AtomicU64::new(0));
    let knobs = Knobs { steps: Some(Arc::clone(&counted)), ..Knobs::default() };
    let mut queue = file.serve(knobs.clone()).await;
    for number in 0..30 {
        let group = (lane.order == Order::Grouped).then(|| format!("group {number}"));
        let job = NewJob { group, ..NewJob::new(b"7".to_vec()) };
        queue.push(lane, vec![job; 10]).await.unwrap();
    }
    if crash {
        let ask = Ask { hands: 30, worker: "test".into() };
        assert_eq!(queue.broker().claim(lane, ask).await.unwrap().hands.len(), 30);
        drop(queue);
        queue = file.serve(knobs).await;
    }
    counted.store(0, Ordering::Relaxed);
    loop {
        let hands = claim(&queue, lane).await;
        let Some(hand) = hands.first() else { break };
        settle(&queue, lane, hand, Verdict::Remove).await;
    }
    assert_eq!(queue.stats(lane).await.unwrap().waiting, 0);
    counted.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_crash_with_much_in_hand_costs_little() {
    for lane in [&PLAIN, &GROUPED] {
        let (plainly, after) = (steps_to_do(lane, false).await, steps_to_do(lane, true).await);
        assert!(plainly > 20, "steps are counted: {plainly}");
        assert!(after < plainly * 2, "{}: {plainly} hundred steps became {after}", lane.name);
    }
}

#[tokio::test]
async fn a_file_of_an_older_version_is_brought_up_to_date() {
    let file = TempFile::new();
    file.serve(Knobs::default()).await.close().await;
    let mut conn = SqliteConnectOptions::new().filename(file.path()).connect().await.unwrap();
    let older = "DROP TABLE owed; DROP INDEX jobs_cohort; ALTER TABLE jobs DROP COLUMN cohort; PRAGMA user_version = 1";
    sqlx::raw_sql(older).execute(&mut conn).await.unwrap();
    let tool = open(file.options(Mode::Tool)).await;
    assert!(matches!(&tool, Err(OpenError::Unusable { error, .. }) if error.contains("older")), "{tool:?}");
    let queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(b"1".to_vec()); 2]).await.unwrap();
    assert_eq!(claim(&queue, &PLAIN).await[0].jobs.len(), 2);
    drop(queue);
    let queue = file.serve(Knobs::default()).await;
    assert_eq!(claim(&queue, &PLAIN).await[0].jobs.len(), 2, "a cohort");
}

#[tokio::test]
async fn a_newer_file_and_a_missing_directory_are_refused() {
    let file = TempFile::new();
    file.serve(Knobs::default()).await.close().await;
    let mut conn = SqliteConnectOptions::new().filename(file.path()).connect().await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut conn).await.unwrap();
    let newer = open(file.options(Mode::Serve)).await;
    assert!(matches!(newer, Err(OpenError::TooNew { found: 99, .. })), "{newer:?}");
    let options = Options { path: file.path().join("nowhere/queue.db"), ..file.options(Mode::Serve) };
    let missing = open(options).await;
    assert!(matches!(missing, Err(OpenError::Unusable { .. })), "{missing:?}");
}

#[tokio::test]
async fn a_worker_outlives_a_store_that_fails() {
    let file = TempFile::new();
    let queue = file.serve(Knobs { max_pages: Some(120), ..Knobs::default() }).await;
    let mut disk = SqliteConnectOptions::new().filename(file.path()).connect().await.unwrap();
    let filler =
        "INSERT INTO audit (at, by, action, lane, subject) VALUES (0, '', '', '', hex(zeroblob(40000)))";
    sqlx::raw_sql(filler).execute(&mut disk).await.unwrap();
    let job = || NewJob::json(&1).unwrap().trace("x".repeat(2_000));
    let mut accepted = 0;
    for batch in [10, 1] {
        while queue.push(&PLAIN, vec![job(); batch]).await.is_ok() {
            accepted += batch;
        }
    }
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&queue, &PLAIN, &probe, 4);
    sqlx::raw_sql("DELETE FROM audit").execute(&mut disk).await.unwrap();
    until(async || {
        let stats = queue.stats(&PLAIN).await.unwrap();
        stats.waiting + stats.in_flight == 0
    })
    .await;
    running.stop().await;
    assert_eq!(probe.items().len(), accepted);
}

#[tokio::test]
async fn server_and_tool_number_jobs_together() {
    let file = TempFile::new();
    let queue = file.serve(Knobs::default()).await;
    queue.push(&PLAIN, vec![NewJob::new(vec![0])]).await.unwrap();
    let tool = open(file.options(Mode::Tool)).await.unwrap();
    let mut wake = queue.broker().wake(&PLAIN);
    wake.borrow_and_update();
    let mut ids = std::collections::HashSet::new();
    for number in 1..6 {
        let pusher = if number % 2 == 1 { &tool } else { &queue };
        let pushed = pusher.push(&PLAIN, vec![NewJob::new(vec![number])]).await.unwrap();
        assert!(ids.insert(pushed[0].id.clone()), "an id is given twice");
    }
    tokio::time::timeout(Duration::from_secs(20), wake.changed()).await.expect("it is noticed").unwrap();
    let hand = claim(&queue, &PLAIN).await.remove(0);
    assert_eq!(hand.jobs.iter().map(|job| job.payload[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    settle(&queue, &PLAIN, &hand, Verdict::Remove).await;
    assert_eq!(queue.stats(&PLAIN).await.unwrap().in_flight, 0);
}
