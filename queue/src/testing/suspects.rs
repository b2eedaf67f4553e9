//! Suspects: what was in hand at a crash comes again together, and only what crashes again one by one.

use std::time::Duration;

use crate::{Hand, LaneSpec, NewJob, Order, Verdict};

use super::lanes::{BULK, EAGER, EAGER_GROUPED, GROUPED, PLAIN};
use super::world::{item, items};
use super::{Scale, World};

/// Jobs 0 to 25 in hand, and their worker dies.
async fn three_cohorts(world: &mut World, lane: &'static LaneSpec) {
    for (group, jobs) in [("a", 0..10u64), ("b", 10..20), ("c", 20..25)] {
        let group = (lane.order == Order::Grouped).then(|| group.to_owned());
        let jobs = jobs.map(|number| NewJob { group: group.clone(), ..item(number) }).collect();
        world.queue.push(lane, jobs).await.unwrap();
    }
    assert_eq!(world.claim(lane, 9).await.hands.len(), 3);
    world.crash().await;
}

/// Claims as much as there is, which is one hand-out.
async fn only(world: &World, lane: &LaneSpec) -> Hand {
    let mut hands = world.claim(lane, 9).await.hands;
    assert_eq!(hands.len(), 1, "one at a time: {hands:?}");
    hands.remove(0)
}

fn attempts(hand: &Hand) -> u32 {
    hand.jobs.iter().map(|job| job.attempts).sum()
}

pub async fn a_cohort_comes_together_and_alone(mut world: World, _: Scale) {
    for lane in [&PLAIN, &GROUPED] {
        three_cohorts(&mut world, lane).await;
        let mut seen: Vec<Vec<u64>> = Vec::new();
        for _ in 0..3 {
            let hand = only(&world, lane).await;
            assert_eq!(attempts(&hand), 0);
            seen.push(items(&hand));
            world.nothing(lane).await;
            // Who is not under suspicion passes by.
            let group = (lane.order == Order::Grouped).then(|| "d".to_owned());
            world.push(lane, NewJob { group, ..item(99) }).await;
            let other = only(&world, lane).await;
            assert_eq!(items(&other), [99]);
            assert!(world.settle(lane, &other, Verdict::Remove).await);
            assert!(world.settle(lane, &hand, Verdict::Remove).await);
        }
        seen.sort_unstable();
        assert_eq!(seen, [0..10u64, 10..20, 20..25].map(Vec::from_iter));
        world.nothing(lane).await;
    }
}

pub async fn a_cohort_that_crashes_is_taken_apart(mut world: World, _: Scale) {
    for lane in [&EAGER, &EAGER_GROUPED] {
        three_cohorts(&mut world, lane).await;
        let apart = items(&only(&world, lane).await);
        world.crash().await;
        let mut seen: Vec<Vec<u64>> = Vec::new();
        while seen.iter().map(Vec::len).sum::<usize>() < 25 {
            let hand = only(&world, lane).await;
            assert_eq!(attempts(&hand), 0, "nobody is blamed for what a cohort did");
            seen.push(items(&hand));
            assert!(world.settle(lane, &hand, Verdict::Remove).await);
        }
        seen.sort_unstable();
        let mut wanted: Vec<Vec<u64>> = apart.iter().map(|number| vec![*number]).collect();
        let others = [0..10u64, 10..20, 20..25].map(Vec::from_iter);
        wanted.extend(others.into_iter().filter(|jobs| *jobs != apart));
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "one by one, and the others still together");
        world.nothing(lane).await;
    }
}

pub async fn a_hand_back_keeps_a_cohort(mut world: World, _: Scale) {
    for lane in [&PLAIN, &GROUPED] {
        world.push_many(lane, (lane.order == Order::Grouped).then_some("a"), 10).await;
        world.take(lane).await;
        world.crash().await;
        for _ in 0..10 {
            let hand = only(&world, lane).await;
            assert_eq!((items(&hand), attempts(&hand)), ((0..10).collect(), 0));
            assert!(world.settle(lane, &hand, Verdict::HandBack).await);
        }
        // The half that is left is still a cohort, and has crashed only once.
        let hand = only(&world, lane).await;
        let done = hand.jobs.iter().take(5).map(|job| (job.id.clone(), Verdict::Remove)).collect();
        assert!(world.settle_each(lane, hand.token, done).await);
        assert_eq!(items(&only(&world, lane).await), [5, 6, 7, 8, 9]);
        world.crash().await;
        for number in 5..10 {
            let hand = only(&world, lane).await;
            assert_eq!((items(&hand), attempts(&hand)), (vec![number], 0));
            assert!(world.settle(lane, &hand, Verdict::Remove).await);
        }
    }
}

pub async fn an_answer_clears_a_cohort(mut world: World, _: Scale) {
    world.push_many(&PLAIN, None, 20).await;
    assert_eq!(world.claim(&PLAIN, 9).await.hands.len(), 2);
    world.crash().await;
    let after = Duration::from_secs(10);
    for verdict in [Verdict::Snooze(after), Verdict::Retry { error: "no".into(), after }] {
        let hand = only(&world, &PLAIN).await;
        assert!(world.settle(&PLAIN, &hand, verdict).await);
    }
    world.pass(after).await;
    let hands = world.claim(&PLAIN, 9).await.hands;
    assert_eq!(hands.iter().map(|hand| hand.jobs.len()).collect::<Vec<_>>(), [10, 10], "side by side again");
    // Who is isolated is a suspect at once, whatever was with it.
    assert!(world.settle(&PLAIN, &hands[0], Verdict::Isolate).await);
    assert_eq!(only(&world, &PLAIN).await.jobs.len(), 1);
}

pub async fn a_cohort_of_one_is_a_suspect(mut world: World, _: Scale) {
    world.push_many(&EAGER, None, 1).await;
    for blamed in [0, 0, 1, 2] {
        let hand = only(&world, &EAGER).await;
        assert!(hand.jobs[0].doomed.is_none());
        assert_eq!(attempts(&hand), blamed, "not for the first, which may be another's");
        world.crash().await;
    }
    let hand = only(&world, &EAGER).await;
    assert_eq!((hand.jobs[0].doomed.is_some(), attempts(&hand)), (true, 3));
}

pub async fn a_claim_with_a_cohort_is_bounded(mut world: World, _: Scale) {
    world.push_many(&BULK, None, 1_000).await;
    world.take(&BULK).await;
    world.crash().await;
    let claimed = world.claim(&BULK, 9).await;
    assert_eq!(claimed.hands.iter().map(|hand| hand.jobs.len()).sum::<usize>(), 500);
    assert_eq!(claimed.again_in, Some(Duration::ZERO), "more is there at once");
}

/// A worker that is killed with much in hand costs its lane as many hand-outs, not as many as it held jobs.
pub async fn recovery_costs_what_was_in_hand(mut world: World, _: Scale) {
    for lane in [&PLAIN, &GROUPED] {
        for group in 0..30 {
            let group = (lane.order == Order::Grouped).then(|| format!("group {group}"));
            world.push_many(lane, group.as_deref(), 10).await;
        }
        assert_eq!(world.claim(lane, 30).await.hands.len(), 30);
        world.crash().await;
        for _ in 0..30 {
            let hand = only(&world, lane).await;
            assert!(world.settle(lane, &hand, Verdict::Remove).await);
        }
        let stats = world.stats(lane).await;
        assert_eq!((stats.waiting, stats.in_flight, stats.dead), (0, 0, 0));
    }
}
