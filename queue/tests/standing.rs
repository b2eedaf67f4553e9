//! Standing by on a server: what a push brings goes to one who waits for it, and never to one who is gone.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod server;
mod work;

use std::sync::Arc;
use std::time::Duration;

use fairy_queue::redis::{Options, open};
use fairy_queue::testing::{start, until};
use fairy_queue::{Ask, Claimed, LaneSpec, NewJob, Order, Queue, Verdict};
use server::{Engine, Server};
use tokio::task::JoinHandle;
use work::{GROUPED, PLAIN, claim, doing, item, lane, settle};

/// Whoever stands by in it says so once.
static LONG: LaneSpec = lane("long", Order::Plain, 10, Duration::from_secs(3_600));
/// Whoever stands by in it says so often.
static BRIEF: LaneSpec = lane("brief", Order::Plain, 10, Duration::from_millis(300));

fn job(lane: &LaneSpec, number: u64) -> NewJob {
    if lane.order == Order::Grouped { item(number).group("a") } else { item(number) }
}

/// Stands by in a process of its own, and returns when the server knows and that process listens.
async fn stand(
    server: &Arc<Server>,
    lane: &'static LaneSpec,
    instance: &str,
    hands: usize,
) -> (Queue, JoinHandle<Claimed>) {
    let channel = format!("fairy:to:{instance}");
    let queue = open(&Options { instance: instance.into(), ..server.options() }).unwrap();
    let broker = Arc::clone(queue.broker());
    let standing = tokio::spawn(async move {
        let ask = Ask { hands, worker: "test".into() };
        broker.stand_by(lane, ask).await.unwrap_or_default()
    });
    let name = format!("{instance}-0");
    until(async || score(server, lane, &name).await.is_some() && listen(server, &channel).await == 1).await;
    (queue, standing)
}

fn standing_key(lane: &LaneSpec) -> String {
    format!("fairy:{{{}}}:standing", lane.name)
}

async fn score(server: &Server, lane: &LaneSpec, name: &str) -> Option<f64> {
    server.ask(&["ZSCORE", &standing_key(lane), name]).await
}

async fn listen(server: &Server, channel: &str) -> u64 {
    server.ask::<(String, u64)>(&["PUBSUB", "NUMSUB", channel]).await.1
}

/// What who stands by was answered in the end.
async fn answered(standing: JoinHandle<Claimed>) -> Claimed {
    tokio::time::timeout(Duration::from_secs(60), standing).await.expect("it is answered").unwrap()
}

/// How many jobs wait and how many are in hand.
async fn counts(queue: &Queue, lane: &LaneSpec) -> (u64, u64) {
    let stats = queue.stats(lane).await.unwrap();
    (stats.waiting, stats.in_flight)
}

/// A number that the server tells about itself.
async fn told(server: &Server, section: &str, before: &str) -> u64 {
    let info: String = server.ask(&["INFO", section]).await;
    let rest = info.split_once(before).map(|(_, rest)| rest).unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

async fn scripts_run(server: &Server) -> u64 {
    told(server, "commandstats", "cmdstat_evalsha:calls=").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_push_gives_its_job_to_one_who_stands_by() {
    for engine in [Engine::Redis, Engine::Valkey] {
        let server = Server::start(engine).await;
        let pusher = server.open();
        for lane in [&PLAIN, &GROUPED] {
            let (stander, standing) = stand(&server, lane, lane.name, 2).await;
            pusher.push(lane, vec![job(lane, 7)]).await.unwrap();
            let hands = answered(standing).await.hands;
            assert_eq!((hands.len(), hands[0].jobs.len()), (1, 1), "it was given the job");
            assert_eq!(hands[0].jobs[0].payload, b"7");
            assert_eq!(counts(&pusher, lane).await, (0, 1));
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
        let (stander, standing) = stand(&server, lane, lane.name, 2).await;
        stander.close().await;
        let channel = format!("fairy:to:{}", lane.name);
        until(async || listen(&server, &channel).await == 0).await;
        pusher.push(lane, vec![job(lane, 7)]).await.unwrap();
        assert_eq!(counts(&pusher, lane).await, (1, 0), "nobody has it");
        assert_eq!(claim(&pusher, lane).await.len(), 1, "and anybody can");
        standing.abort();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_has_not_said_so_for_half_a_lease_is_given_nothing() {
    let server = Server::start(Engine::Redis).await;
    let pusher = server.open();
    let (_vanished, standing) = stand(&server, &LONG, "vanished", 2).await;
    let last = score(&server, &LONG, "vanished-0").await.unwrap() - 1_800_001.0;
    server.ask::<()>(&["ZADD", &standing_key(&LONG), &last.to_string(), "vanished-0"]).await;
    pusher.push(&LONG, vec![item(7)]).await.unwrap();
    assert_eq!(counts(&pusher, &LONG).await, (1, 0), "nobody has it");
    standing.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_one_with_most_hands_free_is_given_it_and_of_equals_the_last() {
    let server = Server::start(Engine::Redis).await;
    let pusher = server.open();
    let (_one, first) = stand(&server, &LONG, "first", 2).await;
    let (_two, most) = stand(&server, &LONG, "most", 3).await;
    let (_three, last) = stand(&server, &LONG, "last", 2).await;
    for (number, standing) in [(1, most), (2, last), (3, first)] {
        pusher.push(&LONG, vec![item(number)]).await.unwrap();
        let hands = answered(standing).await.hands;
        assert_eq!(hands[0].jobs[0].payload, number.to_string().as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_is_heard_late_starts_nothing() {
    let server = Server::start(Engine::Redis).await;
    for (ago, is_begun) in [(0, true), (1_799_000, true), (1_801_000, false)] {
        let instance = format!("heard-{ago}");
        let (queue, standing) = stand(&server, &LONG, &instance, 2).await;
        let since = score(&server, &LONG, &format!("{instance}-0")).await.unwrap();
        let sent = format!("{}", since - f64::from(ago));
        let name = format!("{instance}-0");
        let words = [("s", name.as_str()), ("s", "1"), ("i", &sent), ("i", "-1"), ("s", "7"), ("i", "1")];
        let job = [("s", "8"), ("s", "{}\n1"), ("s", "")];
        let message = words.iter().chain(&job).map(|(kind, word)| format!("{kind}{}:{word}", word.len()));
        let message: String = message.collect();
        server.ask::<u64>(&["PUBLISH", &format!("fairy:to:{instance}"), &message]).await;
        let claimed = answered(standing).await;
        assert_eq!(!claimed.hands.is_empty(), is_begun, "{ago} ms");
        assert!(is_begun || claimed.again_in == Some(Duration::ZERO), "it claims instead");
        queue.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_message_that_is_lost_costs_no_lease() {
    let server = Server::start(Engine::Redis).await;
    let pusher = server.open();
    let (stander, standing) = stand(&server, &PLAIN, "deaf", 2).await;
    // The server believes that it listens elsewhere, where somebody does.
    let _elsewhere = stand(&server, &LONG, "elsewhere", 2).await;
    let asks = "1 15000 10 2 fairy:to:elsewhere";
    server.ask::<()>(&["HSET", "fairy:{plain}:stands", "deaf-0", asks]).await;
    pusher.push(&PLAIN, vec![item(7)]).await.unwrap();
    assert_eq!(counts(&pusher, &PLAIN).await, (0, 1), "it was handed out, and nobody knows");
    // Others are heard all the while, so nobody need claim to be.
    server.ask::<()>(&["HSET", "fairy:{plain}", "alive", "9000000000000"]).await;
    let claimed = answered(standing).await;
    assert_eq!((claimed.hands.len(), claimed.again_in), (0, Some(Duration::ZERO)), "it is told to claim");
    assert!(claim(&pusher, &PLAIN).await.is_empty(), "its lease goes on");
    assert_eq!(claim(&stander, &PLAIN).await[0].jobs[0].payload, b"7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_paused_lane_lets_its_workers_sleep() {
    let server = Server::start(Engine::Redis).await;
    let (queue, probe) = (server.open(), doing());
    queue.pause(&PLAIN, None, "ada").await.unwrap();
    queue.push(&PLAIN, vec![item(1), item(2).delay(Duration::from_secs(60))]).await.unwrap();
    let running = start(&queue, &PLAIN, &probe, 1);
    queue.broker().shift_clock(Duration::from_secs(120)).await.unwrap();
    let before = scripts_run(&server).await;
    for _ in 0..200 {
        queue.stats(&PLAIN).await.unwrap();
    }
    let run = scripts_run(&server).await - before - 200;
    assert!(run < 20, "{run} scripts were run besides");
    queue.resume(&PLAIN, None, "ada").await.unwrap();
    until(async || probe.items().len() == 2).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_idle_lane_writes_nothing_and_forgets_who_stood_by() {
    for engine in [Engine::Redis, Engine::Valkey] {
        let server = Server::start(engine).await;
        let queue = server.open();
        let running = start(&queue, &BRIEF, &doing(), 1);
        let keys = [standing_key(&BRIEF), format!("fairy:{{{}}}:stands", BRIEF.name)];
        until(async || server.ask::<u64>(&["EXISTS", &keys[0], &keys[1]]).await == 2).await;
        let written = async || told(&server, "persistence", "aof_current_size:").await;
        let (size, before) = (written().await, scripts_run(&server).await);
        until(async || scripts_run(&server).await > before + 6).await;
        let claim = async || {
            let asks: Vec<String> = server.ask(&["HVALS", &keys[1]]).await;
            asks.first().and_then(|asks| asks.split(' ').next()?.parse::<u64>().ok())
        };
        let last = claim().await;
        server.ask::<u64>(&["PUBLISH", "fairy:{brief}:wake", ""]).await;
        until(async || claim().await > last).await;
        assert_eq!(written().await, size, "it was said again and claimed in vain, and nothing was written");
        for key in &keys {
            let ends = server.ask::<i64>(&["PTTL", key]).await;
            assert!((1..=600).contains(&ends), "{key} ends in {ends} ms");
        }
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_due_comes_before_what_is_pushed() {
    let server = Server::start(Engine::Redis).await;
    let pusher = server.open();
    pusher.push(&GROUPED, vec![job(&GROUPED, 1).delay(Duration::from_secs(60))]).await.unwrap();
    let (stander, standing) = stand(&server, &GROUPED, "stander", 2).await;
    // Nobody is told, as when a timer is a little late.
    server.ask::<()>(&["HINCRBY", "fairy:{grouped}", "shift", "60000"]).await;
    pusher.push(&GROUPED, vec![job(&GROUPED, 2)]).await.unwrap();
    let mut hands = claim(&stander, &GROUPED).await;
    hands.extend(answered(standing).await.hands);
    let given: Vec<_> = hands.iter().flat_map(|hand| &hand.jobs).map(|job| job.payload.clone()).collect();
    assert_eq!(given, [b"1", b"2"], "in the order of their pushes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn others_learn_of_what_a_push_brings_for_later() {
    let server = Server::start(Engine::Redis).await;
    let (pusher, other) = (server.open(), server.open());
    let mut wake = other.broker().wake(&PLAIN);
    wake.changed().await.unwrap();
    let (_stander, standing) = stand(&server, &PLAIN, "stander", 2).await;
    pusher.push(&PLAIN, vec![item(1), item(2).delay(Duration::from_secs(60))]).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), wake.changed()).await.unwrap().unwrap();
    standing.abort();
}
