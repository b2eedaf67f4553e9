//! Large jobs on a server: what is handed out at once is bounded in bytes, and who listens is not cut off.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;
mod work;

use std::time::Duration;

use fairy_queue::testing::start;
use fairy_queue::{Ask, Hand, LaneSpec, NewJob, Order, Queue};
use server::{Engine, Server};
use work::{doing, drained, item, lane, times};

/// As large as an operation may be.
const LARGE: usize = 256 << 10;
/// Most bytes that are handed out at once.
const MOST: usize = 4 << 20;
/// Three of the answers that these came in without a bound break any connection that listens.
const JOBS: u64 = 400;

static PLAIN: LaneSpec =
    LaneSpec { max_payload: LARGE, ..lane("large", Order::Plain, 256, Duration::from_secs(15)) };
static GROUPED: LaneSpec =
    LaneSpec { max_payload: LARGE, ..lane("large-grouped", Order::Grouped, 256, Duration::from_secs(15)) };

fn job(lane: &LaneSpec, number: u64) -> NewJob {
    let mut payload = number.to_string().into_bytes();
    payload.resize(LARGE, b' ');
    let job = NewJob::new(payload);
    if lane.order == Order::Grouped { job.group("a") } else { job }
}

async fn fill(queue: &Queue, lane: &LaneSpec, jobs: u64) {
    let all: Vec<u64> = (0..jobs).collect();
    for part in all.chunks(60) {
        queue.push(lane, part.iter().map(|number| job(lane, *number)).collect()).await.unwrap();
    }
}

fn bytes(hands: &[Hand]) -> usize {
    hands.iter().flat_map(|hand| &hand.jobs).map(|job| job.payload.len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deep_lane_of_large_jobs_is_worked() {
    let server = Server::start(Engine::Redis).await;
    for lane in [&PLAIN, &GROUPED] {
        let queue = server.open();
        fill(&queue, lane, JOBS).await;
        let probe = doing();
        let running = start(&queue, lane, &probe, 4);
        drained(&queue, lane).await;
        let clients: String = server.ask(&["CLIENT", "LIST", "TYPE", "pubsub"]).await;
        running.stop().await;
        let times = times([&probe]);
        assert_eq!((times.len() as u64, times.values().max()), (JOBS, Some(&1)), "each once");
        assert!(probe.seen().iter().all(|seen| seen.together * LARGE <= MOST));
        let only_listens = |client: &str| client.contains(" cmd=subscribe") || client.contains(" cmd=ping");
        assert!(!clients.is_empty() && clients.lines().all(only_listens), "{clients}");
    }
}

#[tokio::test]
async fn a_claim_is_bounded_in_bytes_and_the_turn_of_others_is_kept() {
    let server = Server::start(Engine::Redis).await;
    let queue = server.open();
    let claim =
        async |lane| queue.broker().claim(lane, Ask { hands: 3, worker: "test".into() }).await.unwrap();
    fill(&queue, &GROUPED, 20).await;
    queue.push(&GROUPED, vec![item(1).group("b")]).await.unwrap();
    queue.push(&GROUPED, vec![item(2).group("c")]).await.unwrap();
    queue.push(&GROUPED, vec![item(3).group("d")]).await.unwrap();
    let first = claim(&GROUPED).await;
    assert!(first.hands.len() == 1 && bytes(&first.hands) <= MOST && bytes(&first.hands) > MOST - 2 * LARGE);
    assert_eq!(first.again_in, Some(Duration::ZERO), "there is more");
    let groups: Vec<_> =
        claim(&GROUPED).await.hands.iter().map(|hand| hand.jobs[0].group.clone().unwrap()).collect();
    assert_eq!(groups, ["b", "c", "d"], "they are where they were");

    fill(&queue, &PLAIN, 40).await;
    let mut given = Vec::new();
    while given.len() < 40 {
        let claimed = claim(&PLAIN).await;
        assert!(!claimed.hands.is_empty() && bytes(&claimed.hands) <= MOST);
        for job in claimed.hands.into_iter().flat_map(|hand| hand.jobs) {
            given.push(serde_json::from_slice::<u64>(&job.payload).unwrap());
        }
    }
    assert!(given.is_sorted(), "{given:?}");
}

#[tokio::test]
async fn one_job_is_handed_out_however_large_it_is() {
    static HUGE: LaneSpec =
        LaneSpec { max_payload: 2 * MOST, ..lane("huge", Order::Plain, 10, Duration::from_secs(15)) };
    let server = Server::start(Engine::Redis).await;
    let queue = server.open();
    for _ in 0..2 {
        queue.push(&HUGE, vec![NewJob::new(vec![b' '; MOST + 1])]).await.unwrap();
    }
    for _ in 0..2 {
        let ask = Ask { hands: 2, worker: "test".into() };
        let claimed = queue.broker().claim(&HUGE, ask).await.unwrap();
        assert_eq!((claimed.hands.len(), claimed.hands[0].jobs.len()), (1, 1));
    }
}
