//! Standing by on a server: what a push brings goes to one who waits for it, and never to one who is gone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;
mod work;

use std::sync::Arc;

use fairy_queue::redis::{Options, open};
use fairy_queue::testing::until;
use fairy_queue::{Ask, Claimed, LaneSpec, NewJob, Queue, Verdict};
use server::{Engine, Server};
use tokio::task::JoinHandle;
use work::{GROUPED, PLAIN, claim, item, settle};

fn job(lane: &LaneSpec, number: u64) -> NewJob {
    if lane.name == GROUPED.name { item(number).group("a") } else { item(number) }
}

/// Stands by in a process of its own, and returns when the server knows and that process listens.
async fn stand(server: &Arc<Server>, lane: &'static LaneSpec) -> (Queue, JoinHandle<Claimed>) {
    let instance = format!("stander-{}", lane.name);
    let channel = format!("fairy:to:{instance}");
    let queue = open(&Options { instance, ..server.options() }).unwrap();
    let broker = Arc::clone(queue.broker());
    let standing = tokio::spawn(async move {
        let ask = Ask { hands: 2, worker: "test".into() };
        broker.stand_by(lane, ask).await.unwrap_or_default()
    });
    let key = format!("fairy:{{{}}}:standing", lane.name);
    until(async || server.ask::<u64>(&["HLEN", &key]).await == 1 && listen(server, &channel).await == 1)
        .await;
    (queue, standing)
}

async fn listen(server: &Server, channel: &str) -> u64 {
    server.ask::<(String, u64)>(&["PUBSUB", "NUMSUB", channel]).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_push_gives_its_job_to_one_who_stands_by() {
    for engine in [Engine::Redis, Engine::Valkey] {
        let server = Server::start(engine).await;
        let pusher = server.open();
        for lane in [&PLAIN, &GROUPED] {
            let (stander, standing) = stand(&server, lane).await;
            pusher.push(lane, vec![job(lane, 7)]).await.unwrap();
            let hands = standing.await.unwrap().hands;
            assert_eq!((hands.len(), hands[0].jobs.len()), (1, 1), "it was given the job");
            assert_eq!(hands[0].jobs[0].payload, b"7");
            assert_eq!(pusher.stats(lane).await.unwrap().in_flight, 1);
            assert!(claim(&pusher, lane).await.is_empty(), "and nobody else is");
            assert_eq!(settle(&stander, lane, &hands[0], Verdict::Remove).await, []);
            pusher.push(lane, vec![job(lane, 8)]).await.unwrap();
            assert_eq!(claim(&stander, lane).await.len(), 1, "once: the next push waits for a claim");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_stood_by_and_is_gone_is_given_nothing() {
    let server = Server::start(Engine::Redis).await;
    let pusher = server.open();
    for lane in [&PLAIN, &GROUPED] {
        let (stander, standing) = stand(&server, lane).await;
        stander.close().await;
        let channel = format!("fairy:to:stander-{}", lane.name);
        until(async || listen(&server, &channel).await == 0).await;
        pusher.push(lane, vec![job(lane, 7)]).await.unwrap();
        let stats = pusher.stats(lane).await.unwrap();
        assert_eq!((stats.waiting, stats.in_flight), (1, 0), "nobody has it");
        assert_eq!(claim(&pusher, lane).await.len(), 1, "and anybody can");
        standing.abort();
    }
}
