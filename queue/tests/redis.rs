//! What only a server shared by several processes can show. Each handle stands for a process.

mod server;
mod work;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fairy_queue::redis::{Ear, Line, Options, Script, Unfit, inspect, open};
use fairy_queue::testing::{Probe, start, until};
use fairy_queue::{Answer, Ask, Hand, Hold, LaneSpec, NewJob, PushError, Queue, Verdict};
use server::{Engine, Server};
use work::{
    GROUPED, Heard, PLAIN, SHORT, claim, conserves, doing, drained, gated, item, push_surely, settle, times,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_a_lane() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    let (first, second) = (doing(), doing());
    let running = [start(&one, &PLAIN, &first, 2), start(&two, &PLAIN, &second, 2)];
    for part in 0..50 {
        let queue = if part % 2 == 0 { &one } else { &two };
        queue.push(&PLAIN, (0..20).map(|number| item(part * 20 + number)).collect()).await.unwrap();
    }
    drained(&one, &PLAIN).await;
    for running in running {
        running.stop().await;
    }
    let times = times([&first, &second]);
    assert_eq!((times.len(), times.values().max()), (1_000, Some(&1)), "each once");
    assert!(!first.items().is_empty() && !second.items().is_empty(), "both had their share");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_keep_the_order_of_a_group() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    let (next, inside) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let broken = Arc::new(AtomicBool::new(false));
    let probe = || {
        let (next, inside, broken) = (Arc::clone(&next), Arc::clone(&inside), Arc::clone(&broken));
        Arc::new(Probe::batch(move |jobs| {
            let (next, inside, broken) = (Arc::clone(&next), Arc::clone(&inside), Arc::clone(&broken));
            Box::pin(async move {
                let alone = inside.fetch_add(1, Ordering::SeqCst) == 0;
                tokio::task::yield_now().await;
                let in_order = jobs.iter().all(|job| next.fetch_add(1, Ordering::SeqCst) == job.payload);
                broken.fetch_or(!alone || !in_order, Ordering::SeqCst);
                inside.fetch_sub(1, Ordering::SeqCst);
                vec![Answer::Done; jobs.len()]
            })
        }))
    };
    let (first, second) = (probe(), probe());
    let running = [start(&one, &GROUPED, &first, 4), start(&two, &GROUPED, &second, 4)];
    for number in 0..500 {
        one.push(&GROUPED, vec![item(number).group("a")]).await.unwrap();
    }
    drained(&one, &GROUPED).await;
    for running in running {
        running.stop().await;
    }
    assert_eq!(next.load(Ordering::SeqCst), 500);
    assert!(!broken.load(Ordering::SeqCst), "one batch in flight, in order, whoever works");
    assert!(!first.items().is_empty() && !second.items().is_empty(), "both had their share");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_process_takes_over_when_the_lease_lapses() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    let second = doing();
    let running = start(&two, &SHORT, &second, 1);
    two.push(&SHORT, vec![item(0)]).await.unwrap();
    until(async || second.items().len() == 1).await;
    let held = gated().0;
    let dying = start(&one, &SHORT, &held, 1);
    // Whoever is first takes it; the process that dies is to have one.
    let mut number = 0;
    until(async || {
        two.push(&SHORT, vec![item(1)]).await.unwrap();
        !held.items().is_empty()
    })
    .await;
    number += held.items().len();
    let died = Instant::now();
    dying.abort();
    drop(one);
    drained(&two, &SHORT).await;
    let after = died.elapsed();
    running.stop().await;
    assert!(number > 0 && after >= SHORT.lease * 2 / 3, "not before its lease lapsed: {after:?}");
    assert!(after < SHORT.lease * 3, "and soon after: {after:?}");
}

#[tokio::test]
async fn who_comes_back_after_the_lease_changes_nothing() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    for (lane, group) in [(&PLAIN, None), (&GROUPED, Some("a"))] {
        let job = NewJob { group: group.map(str::to_owned), ..item(1) };
        one.push(lane, vec![job]).await.unwrap();
        let lost = claim(&one, lane).await.remove(0);
        two.broker().shift_clock(Duration::from_secs(60)).await.unwrap();
        let held = claim(&two, lane).await.remove(0);
        assert_eq!(held.jobs[0].id, lost.jobs[0].id);
        assert_eq!(one.broker().renew(lane, vec![lost.token]).await.unwrap(), [lost.token]);
        for verdict in [Verdict::Remove, Verdict::HandBack, Verdict::Bury] {
            assert_eq!(settle(&one, lane, &lost, verdict).await, [lost.token]);
        }
        assert_eq!(two.stats(lane).await.unwrap().in_flight, 1, "its new holder keeps it");
        assert_eq!(settle(&two, lane, &held, Verdict::Remove).await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_dies_under_its_workers_loses_and_doubles_nothing() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    for (lane, groups) in [(&PLAIN, None), (&GROUPED, Some(7))] {
        conserves([&one, &two], lane, groups, async |done| {
            for round in 0..4 {
                done.more(100).await;
                if round == 3 {
                    server.stop().await;
                } else {
                    server.kill();
                }
                server.resume().await;
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_lease_lapses_while_the_server_is_away() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    let (held, gate) = gated();
    let running = start(&one, &SHORT, &held, 1);
    one.push(&SHORT, vec![item(1)]).await.unwrap();
    until(async || held.items().len() == 1).await;
    let other = doing();
    let idle = start(&two, &SHORT, &other, 1);
    server.kill();
    // Longer than the lease: nobody could have renewed it.
    tokio::time::sleep(SHORT.lease * 3 / 2).await;
    server.resume().await;
    let renewed = Instant::now();
    until(async || renewed.elapsed() > SHORT.lease * 3 / 2).await;
    assert!(other.items().is_empty(), "the one who has it still has it");
    gate.add_permits(1);
    drained(&one, &SHORT).await;
    running.stop().await;
    idle.stop().await;
    assert_eq!(held.items(), [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_push_does_not_hide_that_the_server_was_away() {
    let server = Server::start(Engine::Redis).await;
    let (one, two) = (server.open(), server.open());
    one.push(&SHORT, vec![item(1)]).await.unwrap();
    let held = claim(&one, &SHORT).await;
    server.kill();
    tokio::time::sleep(SHORT.lease * 3 / 2).await;
    server.resume().await;
    push_surely(&two, &SHORT, 2, None).await;
    let given = claim(&two, &SHORT).await;
    assert_eq!((given.len(), given[0].jobs[0].payload.as_slice()), (1, b"2".as_slice()));
    assert!(claim(&two, &SHORT).await.is_empty(), "the one who has the first still has it");
    assert_eq!(settle(&one, &SHORT, &held[0], Verdict::Remove).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_pause_longer_than_the_patience_loses_and_doubles_nothing() {
    let server = Server::start(Engine::Redis).await;
    let options = Options { patience: Duration::from_millis(500), ..server.options() };
    let queue = open(&options).unwrap();
    let probe = doing();
    let running = start(&queue, &PLAIN, &probe, 4);
    let (mut number, mut unknown) = (0, 0);
    for _ in 0..3 {
        until(async || queue.stats(&PLAIN).await.is_ok()).await;
        server.ask::<()>(&["CLIENT", "PAUSE", "1200", "ALL"]).await;
        let paused = Instant::now();
        let lost = queue
            .push(&PLAIN, vec![item(number).unique(number.to_string(), Hold::For(Duration::from_secs(60)))])
            .await;
        unknown += u32::from(matches!(lost, Err(PushError::Unknown(_))));
        while paused.elapsed() < Duration::from_millis(1_800) {
            push_surely(&queue, &PLAIN, number, None).await;
            number += 1;
        }
    }
    drained(&queue, &PLAIN).await;
    running.stop().await;
    assert!(unknown > 0, "an answer was lost");
    let times = times([&probe]);
    assert_eq!(times.len() as u64, number);
    assert!(times.values().all(|times| *times == 1));
}

/// Claims while the server is so busy that it hands out when nobody waits for the answer any more.
async fn lose_an_answer(server: &Arc<Server>, queue: &Queue, lane: &LaneSpec, hands: usize) {
    let asleep = tokio::spawn({
        let server = Arc::clone(server);
        async move { server.ask::<()>(&["DEBUG", "SLEEP", "2"]).await }
    });
    let silent = async || {
        let ping = async { server.ask::<String>(&["PING"]).await };
        tokio::time::timeout(Duration::from_millis(200), ping).await.is_err()
    };
    until(silent).await;
    let ask = Ask { hands, worker: "test".into() };
    assert!(queue.broker().claim(lane, ask).await.is_err(), "its answer is lost");
    assert!(asleep.await.is_ok());
}

/// Claims one hand-out until the server answers.
async fn claim_surely(queue: &Queue, lane: &LaneSpec) -> Hand {
    loop {
        let ask = Ask { hands: 1, worker: "test".into() };
        if let Ok(claimed) = queue.broker().claim(lane, ask).await
            && let Some(hand) = claimed.hands.into_iter().next()
        {
            return hand;
        }
    }
}

#[tokio::test]
async fn what_a_lost_answer_handed_out_goes_back() {
    let server = Server::start_with(Engine::Redis, &["--enable-debug-command", "yes"]).await;
    let options = Options { patience: Duration::from_millis(500), ..server.options() };
    let queue = open(&options).unwrap();
    for (lane, group) in [(&PLAIN, None), (&GROUPED, Some("a"))] {
        let job = |number| NewJob { group: group.map(str::to_owned), ..item(number) };
        assert!(claim(&queue, lane).await.is_empty(), "from now on the server knows the script");
        queue.push(lane, (0..5).map(job).collect()).await.unwrap();
        let begun = Instant::now();
        lose_an_answer(&server, &queue, lane, 1).await;
        let hand = claim_surely(&queue, lane).await;
        assert_eq!(hand.jobs.len(), 5, "as if it had never been handed out");
        assert!(begun.elapsed() < lane.lease / 2, "and not only when its lease lapsed");
        assert_eq!(queue.stats(lane).await.unwrap().in_flight, 5);
        assert_eq!(settle(&queue, lane, &hand, Verdict::Remove).await, []);
    }
}

#[tokio::test]
async fn others_learn_of_what_went_back_and_was_not_taken() {
    let server = Server::start_with(Engine::Redis, &["--enable-debug-command", "yes"]).await;
    let options = Options { patience: Duration::from_millis(500), ..server.options() };
    let (queue, other) = (open(&options).unwrap(), server.open());
    let mut wake = other.broker().wake(&PLAIN);
    wake.changed().await.unwrap();
    assert!(claim(&queue, &PLAIN).await.is_empty(), "from now on the server knows the script");
    queue.push(&PLAIN, (0..20).map(item).collect()).await.unwrap();
    wake.changed().await.unwrap();
    lose_an_answer(&server, &queue, &PLAIN, 2).await;
    assert_eq!(claim_surely(&queue, &PLAIN).await.jobs.len(), 10);
    let woken = tokio::time::timeout(Duration::from_secs(60), wake.changed()).await;
    woken.expect("the other ten are for whoever is idle").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_server_refuses_and_loses_nothing() {
    let server = Server::start(Engine::Redis).await;
    let queue = server.open();
    queue.push(&PLAIN, vec![item(0)]).await.unwrap();
    let info: String = server.ask(&["INFO", "memory"]).await;
    let used = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    let limit = used.trim().parse::<u64>().unwrap() + (4 << 20);
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", &limit.to_string()]).await;
    let mut accepted = 1;
    let refused = loop {
        assert!(accepted < 50_000, "4 MB hold no more");
        let job = item(accepted).trace("x".repeat(500));
        match queue.push(&PLAIN, vec![job; 1]).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, PushError::Unavailable(_)), "certainly nothing was written: {refused:?}");
    assert!(accepted > 100, "{accepted}");
    assert_eq!(queue.stats(&PLAIN).await.unwrap().waiting, accepted);
    let probe = doing();
    let fresh = server.open();
    let running = start(&fresh, &PLAIN, &probe, 4);
    drained(&queue, &PLAIN).await;
    let times = times([&probe]);
    assert_eq!((times.len() as u64, times.values().max()), (accepted, Some(&1)), "a full lane can be worked");
    push_surely(&queue, &PLAIN, accepted, None).await;
    drained(&queue, &PLAIN).await;
    running.stop().await;
}

#[tokio::test]
async fn a_server_that_is_away_has_certainly_not_accepted() {
    let server = Server::start(Engine::Redis).await;
    let queue = server.open();
    queue.push(&PLAIN, vec![item(1)]).await.unwrap();
    server.kill();
    // The connection's end has to be noticed first.
    until(async || matches!(queue.push(&PLAIN, vec![item(2)]).await, Err(PushError::Unavailable(_)))).await;
    let begun = Instant::now();
    let all = (0..64).map(|number| {
        let queue = queue.clone();
        async move { queue.push(&PLAIN, vec![item(number)]).await }
    });
    for refused in futures::future::join_all(all).await {
        assert!(matches!(refused, Err(PushError::Unavailable(_))), "{refused:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "and says so at once: {:?}", begun.elapsed());
    server.resume().await;
    push_surely(&queue, &PLAIN, 3, None).await;
    assert_eq!(queue.stats(&PLAIN).await.unwrap().waiting, 2, "what was refused was not written");
}

#[tokio::test]
async fn scripts_that_were_flushed_are_loaded_again() {
    let server = Server::start(Engine::Redis).await;
    let queue = server.open();
    for number in 0..3 {
        server.ask::<()>(&["SCRIPT", "FLUSH"]).await;
        queue.push(&PLAIN, vec![item(number)]).await.unwrap();
        server.ask::<()>(&["SCRIPT", "FLUSH"]).await;
        let hand = claim(&queue, &PLAIN).await.remove(0);
        server.ask::<()>(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(settle(&queue, &PLAIN, &hand, Verdict::Remove).await, []);
    }
}

#[tokio::test]
async fn a_server_is_inspected() {
    for engine in [Engine::Redis, Engine::Valkey] {
        let server = Server::start(engine).await;
        let options = server.options();
        let found = inspect(&options).await.unwrap();
        let name = if matches!(engine, Engine::Redis) { "redis 7" } else { "valkey " };
        assert!(found.server.starts_with(name), "{found:?}");
        assert_eq!(found.warnings, Vec::<String>::new());
        server.ask::<()>(&["CONFIG", "SET", "appendfsync", "everysec"]).await;
        server.ask::<()>(&["CONFIG", "SET", "no-appendfsync-on-rewrite", "yes"]).await;
        let warnings = inspect(&options).await.unwrap().warnings;
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        server.ask::<()>(&["CONFIG", "SET", "appendonly", "no"]).await;
        let warnings = inspect(&options).await.unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains("appendonly"), "{warnings:?}");
        server.ask::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
        let evicts = inspect(&options).await;
        assert!(matches!(evicts, Err(Unfit::Evicts(_))), "{evicts:?}");
        server.kill();
        assert!(matches!(inspect(&options).await, Err(Unfit::Away(_))));
    }
}

/// A user that may do what the documentation of the options says, and nothing else.
const USER: &str = "USER fairy on >secret resetkeys ~fairy:* resetchannels &fairy:* -@all +@read +@write \
     +@scripting +@pubsub +@connection +time";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_user_with_few_rights_works_over_tls() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let port = server::free_port();
    let (tls_port, cert, key) = (port.to_string(), cert.to_str().unwrap(), key.to_str().unwrap());
    let settings = ["--tls-port", &tls_port, "--tls-cert-file", cert, "--tls-key-file", key];
    let client = ["--tls-auth-clients", "no", "--tls-ca-cert-file", cert];
    let server = Server::start_with(Engine::Redis, &[settings.as_slice(), &client].concat()).await;
    let words: Vec<&str> =
        std::iter::once("ACL").chain(["SETUSER"]).chain(USER.split_whitespace().skip(1)).collect();
    server.ask::<()>(&words).await;
    let options = Options {
        url: format!("rediss://fairy:secret@localhost:{port}"),
        authority: Some(made.cert.pem().into_bytes()),
        ..server.options()
    };
    let queue = open(&options).unwrap();
    for (lane, group) in [(&PLAIN, None), (&GROUPED, Some("a"))] {
        let probe = doing();
        let running = start(&queue, lane, &probe, 2);
        for number in 0..20 {
            push_surely(&queue, lane, number, group.map(str::to_owned)).await;
        }
        drained(&queue, lane).await;
        running.stop().await;
        assert_eq!(probe.items().len(), 20);
        queue.pause(lane, group, "ada").await.unwrap();
        queue.resume(lane, group, "ada").await.unwrap();
        assert!(queue.find(lane, "3").await.unwrap().is_some());
    }
    assert_eq!(queue.audit(10).await.unwrap().len(), 4);
    let heard = Arc::new(Heard::default());
    let line = Line::open(&options, &["news".into()], Arc::clone(&heard) as Arc<dyn Ear>).unwrap();
    until(async || heard.times.load(Ordering::Relaxed) == 1).await;
    line.publish(&[("news".into(), b"a\0b".to_vec()), ("other".into(), b"c".to_vec())]).await.unwrap();
    until(async || *heard.messages.lock().unwrap() == [("news".to_owned(), b"a\0b".to_vec())]).await;
    static COUNT: Script = Script::new("return {redis.call('INCRBY', KEYS[1], ARGV[1])}");
    assert_eq!(line.numbers(&COUNT, "count", &[7]).await.unwrap(), [7]);
    let stranger = Options { authority: None, ..options.clone() };
    let refused = open(&stranger).unwrap().push(&PLAIN, vec![item(1)]).await;
    assert!(matches!(refused, Err(PushError::Unavailable(_))), "its certificate is not known: {refused:?}");
    let wrong = Options { url: options.url.replace("secret", "guess"), ..options.clone() };
    let refused = open(&wrong).unwrap().push(&PLAIN, vec![item(1)]).await;
    assert!(matches!(refused, Err(PushError::Unavailable(_))), "{refused:?}");
    assert!(!format!("{options:?}").contains("secret"), "a password is never printed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_fail_over_loses_nothing_that_was_accepted() {
    let server = Server::start_with(Engine::Valkey, &["--repl-diskless-sync-delay", "0"]).await;
    let replica = Server::start(Engine::Valkey).await;
    replica.ask::<()>(&["REPLICAOF", "127.0.0.1", &server.port().to_string()]).await;
    until(async || replica.ask::<String>(&["INFO", "replication"]).await.contains("master_link_status:up"))
        .await;
    let wanting = Options { replicas: 2, ..server.options() };
    let warnings = inspect(&wanting).await.unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("waits for 2"), "{warnings:?}");
    let warnings = inspect(&server.options()).await.unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("does not wait"), "{warnings:?}");

    let patience = Duration::from_millis(500);
    let queue = open(&Options { replicas: 1, patience, ..server.options() }).unwrap();
    // The replica's file is there a moment after its data.
    until(async || queue.push(&PLAIN, vec![item(1 << 32)]).await.is_ok()).await;
    let accepted = Arc::new(Mutex::new(Vec::new()));
    let over = Arc::new(AtomicBool::new(false));
    let pushing: Vec<_> = (0..16u64)
        .map(|pusher| {
            let (queue, accepted, over) = (queue.clone(), Arc::clone(&accepted), Arc::clone(&over));
            tokio::spawn(async move {
                for number in 0.. {
                    let item = item(pusher * 1_000_000 + number);
                    match queue.push(&PLAIN, vec![item]).await {
                        Ok(pushed) => accepted.lock().unwrap().push(pushed[0].id.clone()),
                        Err(_) if over.load(Ordering::Relaxed) => return,
                        // Not known to be on the replica in time; it may be, but nobody was told so.
                        Err(_) => {}
                    }
                }
            })
        })
        .collect();
    until(async || accepted.lock().unwrap().len() > 1_000).await;
    server.kill();
    over.store(true, Ordering::Relaxed);
    for pushing in pushing {
        pushing.await.unwrap();
    }
    replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]).await;
    let survivor = replica.open();
    let mut there = std::collections::HashSet::new();
    loop {
        let claimed =
            survivor.broker().claim(&PLAIN, Ask { hands: 50, worker: "test".into() }).await.unwrap();
        if claimed.hands.is_empty() {
            break;
        }
        there.extend(claimed.hands.into_iter().flat_map(|hand| hand.jobs).map(|job| job.id));
    }
    let missing: Vec<_> = accepted.lock().unwrap().iter().filter(|id| !there.contains(id)).cloned().collect();
    assert!(missing.is_empty(), "{} of {} are lost", missing.len(), there.len());

    // Alone it accepts nothing that would have to be on a replica.
    let careful = open(&Options { replicas: 1, patience, ..replica.options() }).unwrap();
    let unsure = careful.push(&PLAIN, vec![item(1)]).await;
    assert!(matches!(unsure, Err(PushError::Unknown(_))), "{unsure:?}");
}
