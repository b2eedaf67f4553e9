//! Dead letters: nothing is given up silently, and what was given up can be had again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{Answer, Hold, NewJob, Page, Verdict, Which};

use super::lanes::{EAGER, EAGER_GROUPED, PLAIN};
use super::world::{item, items, retry};
use super::{Probe, Scale, World, start, until};

pub async fn an_undecodable_payload_is_buried(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &PLAIN, &probe, 2);
    let bytes = vec![0xff, 0x00, b'{'];
    let jobs = vec![item(1), NewJob::new(bytes.clone()).trace("trace"), item(2)];
    world.queue.push(&PLAIN, jobs).await.unwrap();
    until(async || world.stats(&PLAIN).await.dead == 1).await;
    world.drained(&PLAIN).await;
    running.stop().await;
    assert_eq!(probe.items(), [1, 2], "its neighbours are done");
    let letter = world.queue.dead(&PLAIN, Page { after: None, limit: 10 }).await.unwrap().items.remove(0);
    assert_eq!((letter.payload, letter.attempts), (bytes, 0), "kept as it was pushed");
    assert!(letter.error.contains("cannot be decoded"), "{}", letter.error);
    assert_eq!(letter.trace.as_deref(), Some("trace"));
    assert_eq!(probe.buried().len(), 1, "buried first");
}

pub async fn attempts_run_out(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|job| if job.payload == 1 { retry() } else { Answer::Done }));
    let running = start(&world.queue, &EAGER, &probe, 2);
    world.queue.push(&EAGER, vec![item(1), item(2)]).await.unwrap();
    until(async || world.stats(&EAGER).await.dead == 1).await;
    world.drained(&EAGER).await;
    running.stop().await;
    let attempts: Vec<u32> =
        probe.seen().into_iter().filter(|seen| seen.item == 1).map(|seen| seen.attempt).collect();
    assert_eq!(attempts, [1, 2, 3, 4]);
    let letter = world.queue.dead(&EAGER, Page { after: None, limit: 1 }).await.unwrap().items.remove(0);
    assert_eq!((letter.error.as_str(), letter.attempts, letter.history.len()), ("not yet", 4, 3));
    assert!(letter.died_at >= letter.pushed_at);
}

pub async fn burial_comes_first_and_blocks_the_group(world: World, _: Scale) {
    let ready = Arc::new(AtomicBool::new(false));
    let open = Arc::clone(&ready);
    let probe = Probe::batch(|jobs| {
        let answer = |place: usize, item: u64| match (item, place) {
            (1, _) => Answer::Dead { error: "never".into() },
            (_, 0) => Answer::Done,
            _ => Answer::HandBack,
        };
        let answers = jobs.iter().enumerate().map(|(place, job)| answer(place, job.payload)).collect();
        Box::pin(async move { answers })
    });
    let probe = Arc::new(probe.burying(move |_| {
        if open.load(Ordering::Relaxed) { Ok(()) } else { Err("the database is away".into()) }
    }));
    let running = start(&world.queue, &EAGER_GROUPED, &probe, 4);
    let jobs = [1, 2, 3].map(|number| item(number).group("a")).to_vec();
    world.queue.push(&EAGER_GROUPED, jobs).await.unwrap();
    world.push(&EAGER_GROUPED, item(9).group("b")).await;
    until(async || probe.items().contains(&9)).await;
    // Burials are tried again and again; each time the group's followers could slip through.
    for _ in 0..3 {
        world.pass(Duration::from_secs(2)).await;
        until(async || world.stats(&EAGER_GROUPED).await.in_flight == 0).await;
    }
    let stats = world.stats(&EAGER_GROUPED).await;
    // A burial may be under way again.
    let queued = stats.waiting + stats.in_flight;
    assert_eq!((stats.dead, queued), (0, 3), "not among the dead letters before it is buried");
    ready.store(true, Ordering::Relaxed);
    until(async || {
        world.pass(Duration::from_secs(2)).await;
        world.stats(&EAGER_GROUPED).await.dead == 1
    })
    .await;
    world.drained(&EAGER_GROUPED).await;
    running.stop().await;
    let order: Vec<u64> =
        probe.seen().iter().filter(|seen| seen.together == 1).map(|seen| seen.item).collect();
    assert_eq!(order.last(), Some(&3));
    assert_eq!(probe.buried().len(), 1);
    assert_eq!(probe.buried()[0].error, "never");
}

/// In a group its followers go on after it.
pub async fn a_burial_that_kills_its_worker_is_given_up(mut world: World, _: Scale) {
    for (lane, group) in [(&EAGER, None), (&EAGER_GROUPED, Some("a"))] {
        world.push_many(lane, group, 3).await;
        let hand = world.take(lane).await;
        let doom = Verdict::Doom { error: "no".into(), attempted: true };
        assert!(world.settle_each(lane, hand.token, vec![(hand.jobs[0].id.clone(), doom)]).await);
        for crashes in [0, 0, 1, 2] {
            let hand = world.take(lane).await;
            let doom = hand.jobs[0].doomed.clone().expect("it is to be buried");
            assert_eq!((items(&hand), doom.crashes), (vec![0], crashes), "the first may be another's");
            world.crash().await;
        }
        let probe = Probe::each(|_| Answer::Done).burying(|_| Err("it would kill its worker again".into()));
        let probe = Arc::new(probe);
        let running = start(&world.queue, lane, &probe, 2);
        until(async || world.stats(lane).await.dead == 1).await;
        world.drained(lane).await;
        running.stop().await;
        assert_eq!(probe.items(), [1, 2], "the others go on");
        let letter = world.queue.dead(lane, Page { after: None, limit: 1 }).await.unwrap().items.remove(0);
        assert_eq!((letter.error.as_str(), letter.attempts), ("no", 1), "for its own reason");
    }
}

pub async fn letters_are_listed_retried_and_discarded(world: World, _: Scale) {
    let jobs =
        (0..5).map(|number| item(number).unique(format!("key {number}"), Hold::UntilAcknowledged).tag("tag"));
    let pushed = world.queue.push(&PLAIN, jobs.collect()).await.unwrap();
    let hand = world.take(&PLAIN).await;
    assert!(world.settle(&PLAIN, &hand, Verdict::Doom { error: "no".into(), attempted: true }).await);
    for _ in 0..5 {
        let doomed = world.take(&PLAIN).await;
        assert_eq!(doomed.jobs.len(), 1, "a doomed job comes alone");
        assert!(world.settle(&PLAIN, &doomed, Verdict::Bury).await);
    }
    let first = world.queue.dead(&PLAIN, Page { after: None, limit: 3 }).await.unwrap();
    let second = world.queue.dead(&PLAIN, Page { after: first.next.clone(), limit: 3 }).await.unwrap();
    let listed: Vec<_> = first.items.iter().chain(&second.items).map(|letter| letter.id.clone()).collect();
    assert_eq!(
        listed,
        pushed.iter().map(|pushed| pushed.id.clone()).collect::<Vec<_>>(),
        "oldest first, paged"
    );
    assert_eq!((second.items.len(), second.next.clone()), (2, None));
    assert_eq!(first.items[0].tag.as_deref(), Some("tag"));

    // Another job has taken the key of letter 1 in the meantime: it stays.
    world.push(&PLAIN, item(7).unique("key 1", Hold::UntilAcknowledged)).await;
    let ids: Vec<_> = listed[..3].to_vec();
    let back = world.queue.retry_dead(&PLAIN, Which::Ids(ids), "ada").await.unwrap();
    assert_eq!(back, [listed[0].clone(), listed[2].clone()]);
    let held =
        world.queue.push(&PLAIN, vec![item(8).unique("key 0", Hold::UntilAcknowledged)]).await.unwrap();
    assert_eq!(held[0].id, listed[0], "its key is held again, by the same job");
    let gone = world.queue.discard_dead(&PLAIN, Which::Oldest(1), "ada").await.unwrap();
    assert_eq!(gone, [listed[1].clone()]);
    assert_eq!(world.stats(&PLAIN).await.dead, 2);
    let hand = world.take(&PLAIN).await;
    let mut given = items(&hand);
    given.sort_unstable();
    assert_eq!(given, [0, 2, 7]);
    assert!(
        hand.jobs.iter().all(|job| job.attempts == 0 && job.doomed.is_none()),
        "with all attempts before them"
    );
    let strangers = || Which::Ids(vec![listed[0].clone()]);
    assert_eq!(world.queue.retry_dead(&PLAIN, strangers(), "ada").await.unwrap(), []);
    assert_eq!(world.queue.discard_dead(&PLAIN, strangers(), "ada").await.unwrap(), []);
    let audit = world.queue.audit(10).await.unwrap();
    let actions: Vec<_> = audit.iter().map(|entry| (entry.by.as_str(), entry.action.as_str())).collect();
    assert_eq!(actions, [("ada", "discard_dead"), ("ada", "retry_dead")], "what did nothing is not there");
    assert!(audit[1].lane == "plain" && audit[1].subject.contains(listed[0].as_str()));
}
