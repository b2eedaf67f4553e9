//! Plain lanes: everything pushed is done, about in order, by anyone.

use std::sync::Arc;

use futures::FutureExt;

use crate::{Answer, Ask, JobId, NewJob, PushError, Verdict};

use super::lanes::{GROUPED, PLAIN, SINGLE};
use super::world::{item, items};
use super::{Probe, Scale, World, start, until};

pub async fn a_batch_is_handed_out_in_order(world: World, _: Scale) {
    let ids: Vec<JobId> = world
        .queue
        .push(&PLAIN, (0..25).map(item).collect())
        .await
        .unwrap()
        .into_iter()
        .map(|pushed| pushed.id)
        .collect();
    let claimed = world.claim(&PLAIN, 2).await;
    assert_eq!(claimed.hands.len(), 2);
    assert_eq!(items(&claimed.hands[0]), (0..10).collect::<Vec<u64>>());
    assert_eq!(items(&claimed.hands[1]), (10..20).collect::<Vec<u64>>());
    let given: Vec<JobId> =
        claimed.hands.iter().flat_map(|hand| hand.jobs.iter().map(|job| job.id.clone())).collect();
    assert_eq!(given, ids[..20], "ids are those the push returned");
    let last = world.take(&PLAIN).await;
    assert_eq!(items(&last), (20..25).collect::<Vec<u64>>());
    for hand in claimed.hands.iter().chain([&last]) {
        assert!(world.settle(&PLAIN, hand, Verdict::Remove).await);
    }
    world.nothing(&PLAIN).await;
}

pub async fn every_job_is_done_once(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &PLAIN, &probe, 8);
    let pushes = (0..16u64).map(|pusher| {
        let queue = world.queue.clone();
        tokio::spawn(async move {
            for number in 0..50 {
                queue.push(&PLAIN, vec![item(pusher * 50 + number)]).await.unwrap();
            }
        })
    });
    for push in pushes.collect::<Vec<_>>() {
        push.await.unwrap();
    }
    world.drained(&PLAIN).await;
    running.stop().await;
    let mut done = probe.items();
    done.sort_unstable();
    assert_eq!(done, (0..800).collect::<Vec<u64>>());
}

pub async fn a_misfit_is_refused(world: World, _: Scale) {
    let large = world.queue.push(&PLAIN, vec![item(1), NewJob::new(vec![b'1'; 1_025])]).await;
    assert!(matches!(large, Err(PushError::PayloadTooLarge { size: 1_025, limit: 1_024 })), "{large:?}");
    let many = world.queue.push(&PLAIN, vec![item(1); 1_001]).await;
    assert!(matches!(many, Err(PushError::TooMany { count: 1_001, .. })), "{many:?}");
    let grouped = world.queue.push(&PLAIN, vec![item(1).group("a")]).await;
    assert!(matches!(grouped, Err(PushError::Misfit(_))), "{grouped:?}");
    let ungrouped = world.queue.push(&GROUPED, vec![item(1)]).await;
    assert!(matches!(ungrouped, Err(PushError::Misfit(_))), "{ungrouped:?}");
    assert_eq!(world.stats(&PLAIN).await.waiting, 0, "a refused push leaves nothing");
}

pub async fn who_stands_by_and_gives_up_keeps_nothing(world: World, _: Scale) {
    let ask = || Ask { hands: 1, worker: "suite".into() };
    for number in 0..50u64 {
        // It stands by, is given the job, and goes away before it looks; at odd numbers it looks once more.
        let mut standing = world.queue.broker().stand_by(&PLAIN, ask());
        assert!((&mut standing).now_or_never().is_none());
        world.push(&PLAIN, item(number)).await;
        let given = if number % 2 == 1 { (&mut standing).now_or_never() } else { None };
        drop(standing);
        let mut hands = given.map_or_else(Vec::new, |claimed| claimed.unwrap().hands);
        if hands.is_empty() {
            until(async || world.stats(&PLAIN).await.waiting == 1).await;
            hands = world.claim(&PLAIN, 1).await.hands;
        }
        assert_eq!(items(&hands[0]), [number]);
        assert!(world.settle(&PLAIN, &hands[0], Verdict::Remove).await);
    }
    world.nothing(&PLAIN).await;
}

pub async fn a_push_wakes_an_idle_worker(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &SINGLE, &probe, 1);
    for number in 1..=20 {
        world.push(&SINGLE, item(number)).await;
        until(async || probe.items().len() == number).await;
    }
    running.stop().await;
    assert_eq!(probe.items(), (1..=20).collect::<Vec<u64>>());
}
