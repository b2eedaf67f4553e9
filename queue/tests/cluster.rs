//! What only several nodes can show: lanes on different ones, nodes that go away, slots that move.

mod cluster_of;
mod server;
mod work;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cluster_of::Cluster;
use fairy_queue::redis::{Ear, Line, Options, Script, Unfit, inspect, open};
use fairy_queue::testing::{start, until};
use fairy_queue::{LaneSpec, NewJob, Order, PushError};
use server::{Engine, Server};
use work::{GROUPED, Heard, PLAIN, SHORT, conserves, doing, drained, item, keeps, lane};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lanes_on_different_nodes_are_one_queue() {
    let cluster = Cluster::start(Engine::Redis, 3, false).await;
    let queue = cluster.open();
    for (lane, group) in [(&PLAIN, None), (&GROUPED, Some("a")), (&SHORT, None)] {
        let probe = doing();
        let running = start(&queue, lane, &probe, 2);
        let job = NewJob { group: group.map(str::to_owned), ..item(1) };
        queue.push(lane, vec![job]).await.unwrap();
        drained(&queue, lane).await;
        running.stop().await;
        assert_eq!(probe.items(), [1]);
        queue.pause(lane, None, "ada").await.unwrap();
    }
    assert_ne!(cluster.owner("plain").await, cluster.owner("short").await, "or this test shows nothing");
    let audit = queue.audit(10).await.unwrap();
    let lanes: Vec<_> = audit.iter().map(|entry| entry.lane.as_str()).collect();
    assert_eq!(lanes, ["short", "grouped", "plain"], "one list of what is on several nodes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_said_on_one_node_is_heard_from_all() {
    let cluster = Cluster::start(Engine::Redis, 3, false).await;
    let heard = Arc::new(Heard::default());
    let ear = Arc::clone(&heard) as Arc<dyn Ear>;
    let hears = Line::open(&cluster.options(), &["news".into()], ear).unwrap();
    until(async || heard.times.load(Ordering::Relaxed) == 1).await;
    for node in &cluster.nodes {
        node.ask::<()>(&["PUBLISH", "fairy:news", "a"]).await;
    }
    hears.publish(&[("news".into(), b"b".to_vec())]).await.unwrap();
    until(async || heard.messages.lock().unwrap().len() == 4).await;

    // Whichever node it listens at goes away and comes back.
    for node in &cluster.nodes {
        node.kill();
        node.resume().await;
        cluster.agrees().await;
        until(async || {
            let before = heard.messages.lock().unwrap().len();
            let said = hears.publish(&[("news".into(), b"c".to_vec())]).await;
            said.is_ok() && heard.messages.lock().unwrap().len() > before
        })
        .await;
    }
    until(async || heard.times.load(Ordering::Relaxed) > 1).await;

    static COUNT: Script = Script::new("return {redis.call('INCRBY', KEYS[1], ARGV[1])}");
    for name in ["one", "two", "three", "four"] {
        assert_eq!(hears.numbers(&COUNT, name, &[7]).await.unwrap(), [7]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_node_that_dies_under_its_workers_loses_and_doubles_nothing() {
    let cluster = Cluster::start(Engine::Redis, 3, false).await;
    let (one, two) = (cluster.open(), cluster.open());
    for (lane, groups) in [(&PLAIN, None), (&GROUPED, Some(7))] {
        conserves([&one, &two], lane, groups, async |done| {
            done.more(100).await;
            let node = &cluster.nodes[cluster.owner(lane.name).await];
            for _ in 0..3 {
                node.kill();
                node.resume().await;
                done.more(100).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slot_that_moves_under_load_loses_and_doubles_nothing() {
    let cluster = Cluster::start(Engine::Redis, 3, false).await;
    let (one, two) = (cluster.open(), cluster.open());
    for (lane, groups) in [(&PLAIN, None), (&GROUPED, Some(7))] {
        conserves([&one, &two], lane, groups, async |done| {
            done.more(100).await;
            let mut at = cluster.owner(lane.name).await;
            for _ in 0..6 {
                let to = (at + 1) % 3;
                cluster.move_lane(lane.name, at, to).await;
                at = to;
                done.more(100).await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_takes_a_nodes_place_is_found() {
    let cluster = Cluster::start(Engine::Valkey, 3, true).await;
    let careful =
        || open(&Options { replicas: 1, patience: Duration::from_secs(1), ..cluster.options() }).unwrap();
    let (one, two) = (careful(), careful());
    static REPLICATED: LaneSpec = lane("replicated", Order::Plain, 10, Duration::from_secs(15));
    assert!(cluster.slot(REPLICATED.name).await < 5_461, "the first node has it, which has a replica");
    // The replica's file is there a moment after its data.
    until(async || one.push(&REPLICATED, vec![item(1 << 32)]).await.is_ok()).await;
    let running = start(&one, &REPLICATED, &doing(), 1);
    drained(&one, &REPLICATED).await;
    running.stop().await;
    // Only pushes wait for the replica: what was done just before may be done again.
    keeps([&one, &two], &REPLICATED, None, async |done| {
        done.more(100).await;
        cluster.nodes[0].kill();
        until(async || one.stats(&REPLICATED).await.is_ok()).await;
        // What is on one disk alone is not accepted; the old master comes back as a replica.
        cluster.nodes[0].resume().await;
        done.more(100).await;
    })
    .await;
    let roles: String = cluster.nodes[0].ask(&["INFO", "replication"]).await;
    assert!(roles.contains("role:slave"), "it was a fail-over");
}

#[tokio::test]
async fn every_node_is_inspected() {
    let cluster = Cluster::start(Engine::Redis, 3, true).await;
    // A replica counts as one once it has received something.
    cluster.open().push(&SHORT, vec![item(1)]).await.unwrap();
    let whole = ", a cluster of 4 nodes, 3 of them masters";
    until(async || inspect(&cluster.options()).await.unwrap().server.ends_with(whole)).await;
    let found = inspect(&cluster.options()).await.unwrap();
    assert_eq!(found.times.len(), 4);
    let replicated = |warning: &String| warning.contains("does not wait");
    assert!(found.warnings.len() == 1 && found.warnings.iter().all(replicated), "{found:?}");
    cluster.nodes[3].ask::<()>(&["CONFIG", "SET", "appendfsync", "everysec"]).await;
    let warnings = inspect(&cluster.options()).await.unwrap().warnings;
    let replica = format!("127.0.0.1:{}: appendfsync is everysec", cluster.nodes[3].port());
    assert!(warnings.iter().any(|warning| warning.starts_with(&replica)), "{warnings:?}");
    cluster.nodes[2].ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
    assert!(matches!(inspect(&cluster.options()).await, Err(Unfit::Evicts(_))));

    let alone = inspect(&cluster.nodes[1].options()).await;
    assert!(matches!(alone, Err(Unfit::NotAlone)), "{alone:?}");
    let server = Server::start(Engine::Redis).await;
    let url = server.url().replace("redis://", "redis+cluster://");
    let none = inspect(&Options { url: url.clone(), ..server.options() }).await.unwrap_err();
    assert!(!none.may_pass() && none.to_string().contains("redis://"), "{none}");
    let numbered = inspect(&Options { url: format!("{url}/1"), ..server.options() }).await;
    assert!(matches!(numbered, Err(Unfit::Address(_))), "{numbered:?}");
    server.kill();
    let away = Options { url, ..server.options() };
    assert!(inspect(&away).await.unwrap_err().may_pass());
    let refused = open(&away).unwrap().push(&PLAIN, vec![item(1)]).await;
    assert!(matches!(refused, Err(PushError::Unavailable(_))), "certainly nothing was written: {refused:?}");
}
