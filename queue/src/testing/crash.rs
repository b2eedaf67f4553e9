//! Crashes: what a dead worker held is done by another, and only the guilty pays.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::{Answer, DeadJob, Hand, LaneSpec, Page, Verdict};

use super::lanes::{BRISK, EAGER, EAGER_GROUPED, GROUPED, SINGLE};
use super::world::{LAPSE, item, items};
use super::{Probe, Scale, World, start, until};

pub async fn a_crashed_workers_jobs_are_taken_over(mut world: World, _: Scale) {
    let never = Arc::new(Probe::batch(|_| Box::pin(std::future::pending())));
    let running = start(&world.queue, &GROUPED, &never, 2);
    world.push_many(&GROUPED, Some("a"), 5).await;
    world.push_many(&GROUPED, Some("b"), 5).await;
    until(async || never.items().len() == 10).await;
    world.crash().await;
    running.abort();
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &GROUPED, &probe, 4);
    world.drained(&GROUPED).await;
    running.stop().await;
    for group in ["a", "b"] {
        let seen: Vec<_> =
            probe.seen().into_iter().filter(|seen| seen.group.as_deref() == Some(group)).collect();
        assert_eq!(seen.iter().map(|seen| seen.item).collect::<Vec<_>>(), [0, 1, 2, 3, 4], "in order");
        assert!(seen.iter().all(|seen| seen.together == 5), "they come together again");
    }
}

pub async fn a_lost_lease_cannot_settle(world: World, _: Scale) {
    world.push_many(&SINGLE, None, 1).await;
    let lost = world.take(&SINGLE).await;
    world.pass(LAPSE).await;
    let held = world.take(&SINGLE).await;
    assert_eq!(held.jobs[0].id, lost.jobs[0].id, "taken over");
    assert_ne!(held.token, lost.token);
    let renewed = world.queue.broker().renew(&SINGLE, vec![lost.token, held.token]).await.unwrap();
    assert_eq!(renewed, [lost.token], "a lost lease cannot be renewed");
    for verdict in [Verdict::Remove, Verdict::Bury, Verdict::HandBack] {
        assert!(!world.settle(&SINGLE, &lost, verdict).await, "a lost lease cannot settle");
    }
    assert_eq!(world.stats(&SINGLE).await.in_flight, 1, "the new holder keeps it");
    assert!(world.settle(&SINGLE, &held, Verdict::Remove).await);
    assert!(!world.settle(&SINGLE, &held, Verdict::Remove).await, "nobody settles twice");
}

pub async fn a_long_job_keeps_its_lease(world: World, _: Scale) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let probe = Arc::new(Probe::batch(move |_| {
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            drop(gate.acquire().await);
            vec![Answer::Done]
        })
    }));
    let mut renewals = world.cut.renewals();
    let running = start(&world.queue, &BRISK, &probe, 2);
    world.push(&BRISK, item(1)).await;
    until(async || probe.items().len() == 1).await;
    // Five times a third of a lease passes, with a renewal between: without them it would have lapsed at the third.
    for _ in 0..5 {
        let before = *renewals.borrow_and_update();
        until(async || *renewals.borrow() > before).await;
        world.pass(BRISK.lease / 3).await;
    }
    assert_eq!(probe.items().len(), 1, "nobody else was given it");
    gate.add_permits(1);
    world.drained(&BRISK).await;
    running.stop().await;
    assert_eq!(probe.seen().len(), 1);
}

pub async fn a_crash_costs_only_the_guilty(world: World, _: Scale) {
    crash_of_one(world, &EAGER, None).await;
}

/// In a group the followers of the guilty wait for its burial, and go on after it.
pub async fn a_crash_costs_only_the_guilty_of_a_group(world: World, _: Scale) {
    crash_of_one(world, &EAGER_GROUPED, Some("g")).await;
}

async fn crash_of_one(mut world: World, lane: &'static LaneSpec, group: Option<&str>) {
    const GUILTY: u64 = 3;
    let mut buried = 0;
    world.push_many(lane, group, 8).await;
    let mut innocent = Vec::new();
    let mut deaths = 0;
    for _ in 0..40 {
        let stats = world.stats(lane).await;
        if stats.waiting + stats.in_flight == 0 {
            break;
        }
        let hands = world.claim(lane, 4).await.hands;
        if hands.iter().any(|hand| hand.jobs[0].doomed.is_none() && items(hand).contains(&GUILTY)) {
            deaths += 1;
            world.crash().await;
            continue;
        }
        for hand in &hands {
            if hand.jobs[0].doomed.is_some() {
                assert_eq!(items(hand), [GUILTY]);
                buried += 1;
                assert!(world.settle(lane, hand, Verdict::Bury).await);
                continue;
            }
            innocent.extend(items(hand).into_iter().zip(hand.jobs.iter().map(|job| job.attempts)));
            assert!(world.settle(lane, hand, Verdict::Remove).await);
        }
    }
    assert_eq!(deaths, 5, "once among others, once with them under suspicion, three times alone");
    assert_eq!(buried, 1);
    innocent.sort_unstable();
    let wanted: Vec<(u64, u32)> = [0, 1, 2, 4, 5, 6, 7].into_iter().map(|item| (item, 0)).collect();
    assert_eq!(innocent, wanted, "no neighbour lost an attempt");
    let stats = world.stats(lane).await;
    assert_eq!((stats.waiting, stats.in_flight, stats.dead), (0, 0, 1));
    let letters = world.queue.dead(lane, Page { after: None, limit: 10 }).await.unwrap().items;
    assert!(letters.iter().all(DeadJob::is_of_crashes), "{letters:?}");
}

pub async fn a_hand_back_costs_nothing(mut world: World, _: Scale) {
    world.push_many(&SINGLE, None, 1).await;
    let take = async |world: &World| -> Hand { world.take(&SINGLE).await };
    for _ in 0..10 {
        let hand = take(&world).await;
        assert!(world.settle(&SINGLE, &hand, Verdict::HandBack).await);
    }
    // A suspect that is handed back again and again is never blamed for it.
    take(&world).await;
    world.crash().await;
    for _ in 0..10 {
        let hand = take(&world).await;
        assert!(hand.jobs[0].doomed.is_none());
        assert!(world.settle(&SINGLE, &hand, Verdict::HandBack).await);
    }
    assert_eq!(take(&world).await.jobs[0].attempts, 0);
}

pub async fn a_panic_costs_only_the_guilty(world: World, _: Scale) {
    const GUILTY: u64 = 3;
    let probe = Arc::new(Probe::batch(|jobs| {
        Box::pin(async move {
            assert!(jobs.iter().all(|job| job.payload != GUILTY), "job {GUILTY} panics");
            vec![Answer::Done; jobs.len()]
        })
    }));
    world.push_many(&EAGER, None, 8).await;
    let running = start(&world.queue, &EAGER, &probe, 2);
    until(async || world.stats(&EAGER).await.dead == 1).await;
    world.drained(&EAGER).await;
    running.stop().await;
    let seen = probe.seen();
    let alone: Vec<_> = seen.iter().filter(|seen| seen.item == GUILTY && seen.together == 1).collect();
    assert_eq!(alone.last().map(|seen| (seen.attempt, seen.last_attempt)), Some((4, true)));
    assert!(seen.iter().filter(|seen| seen.item != GUILTY).all(|seen| seen.attempt == 1));
    let letter = probe.buried().remove(0);
    assert!(letter.error.contains("job 3 panics"), "{letter:?}");
    assert_eq!(letter.history.len(), 3, "the failures before are kept");
}
