//! What operators see and do.

use std::time::Duration;

use crate::{LaneSpec, LaneStats, Verdict};

use super::lanes::{GROUPED, PLAIN, SINGLE};
use super::world::{item, items};
use super::{Scale, World};

pub async fn a_paused_lane_hands_out_nothing(world: World, _: Scale) {
    world.push(&PLAIN, item(1)).await;
    world.queue.pause(&PLAIN, None, "ada").await.unwrap();
    assert!(world.stats(&PLAIN).await.paused);
    world.push(&PLAIN, item(2)).await;
    world.nothing(&PLAIN).await;
    let mut wake = world.queue.broker().wake(&PLAIN);
    wake.borrow_and_update();
    world.queue.resume(&PLAIN, None, "ada").await.unwrap();
    wake.changed().await.unwrap();
    assert_eq!(items(&world.take(&PLAIN).await), [1, 2]);
    let actions: Vec<String> =
        world.queue.audit(10).await.unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["resume", "pause"]);
}

pub async fn a_paused_group_lets_others_pass(world: World, _: Scale) {
    world.push_many(&GROUPED, Some("a"), 2).await;
    world.push_many(&GROUPED, Some("b"), 1).await;
    world.queue.pause(&GROUPED, Some("a"), "ada").await.unwrap();
    world.push(&GROUPED, item(2).group("a")).await;
    let hand = world.take(&GROUPED).await;
    assert_eq!(hand.jobs[0].group.as_deref(), Some("b"));
    world.nothing(&GROUPED).await;
    assert_eq!(world.stats(&GROUPED).await.paused_groups, 1);
    world.queue.resume(&GROUPED, Some("a"), "ada").await.unwrap();
    assert_eq!(items(&world.take(&GROUPED).await), [0, 1, 2]);
    assert_eq!(world.stats(&GROUPED).await.paused_groups, 0);
    // A group that is in nobody's hands and holds nothing can be paused ahead of its first job.
    world.queue.pause(&GROUPED, Some("c"), "ada").await.unwrap();
    world.push(&GROUPED, item(0).group("c")).await;
    world.nothing(&GROUPED).await;
}

pub async fn a_lane_is_counted(world: World, _: Scale) {
    assert_eq!(world.stats(&PLAIN).await, LaneStats::default(), "a lane never used is empty");
    world.push_many(&PLAIN, None, 12).await;
    world.push(&PLAIN, item(12).delay(Duration::from_secs(1_000))).await;
    world.pass(Duration::from_secs(500)).await;
    let stats = world.stats(&PLAIN).await;
    assert_eq!((stats.waiting, stats.later, stats.in_flight, stats.dead), (12, 1, 0, 0));
    let oldest = stats.oldest.expect("something waits");
    assert!(oldest >= Duration::from_secs(500) && oldest < Duration::from_secs(560), "{oldest:?}");
    let hand = world.take(&PLAIN).await;
    let stats = world.stats(&PLAIN).await;
    assert_eq!((stats.waiting, stats.later, stats.in_flight, stats.dead), (2, 1, 10, 0));
    let verdicts = [
        Verdict::Remove,
        Verdict::HandBack,
        Verdict::Snooze(Duration::from_secs(9)),
        Verdict::Retry { error: "no".into(), after: Duration::from_secs(9) },
        Verdict::Doom { error: "no".into(), attempted: true },
        Verdict::Isolate,
    ];
    let verdicts = hand.jobs.iter().map(|job| job.id.clone()).zip(verdicts).collect();
    assert!(world.settle_each(&PLAIN, hand.token, verdicts).await);
    let stats = world.stats(&PLAIN).await;
    assert_eq!((stats.waiting, stats.later, stats.in_flight, stats.dead), (9, 3, 0, 0));
    world.pass(Duration::from_secs(1_000)).await;
    loop {
        let hands = world.claim(&PLAIN, 20).await.hands;
        if hands.is_empty() {
            break;
        }
        for hand in &hands {
            let verdict = if hand.jobs[0].doomed.is_some() { Verdict::Bury } else { Verdict::Remove };
            assert!(world.settle(&PLAIN, hand, verdict).await);
        }
    }
    assert_eq!(world.stats(&PLAIN).await, LaneStats { dead: 1, ..LaneStats::default() });
}

pub async fn the_oldest_job_held_is_known_in_every_state(world: World, _: Scale) {
    let second = Duration::from_secs(1);
    let aged = async |lane: &LaneSpec, seconds: u32, state: &str| {
        let age = world.queue.oldest_held(lane).await.unwrap().expect("the lane holds a job");
        assert!(age >= second * seconds && age < second * (seconds + 60), "{state}: {age:?}");
    };
    let settle = async |verdict| assert!(world.settle(&SINGLE, &world.take(&SINGLE).await, verdict).await);
    assert_eq!(world.queue.oldest_held(&SINGLE).await.unwrap(), None, "a lane never used holds nothing");
    world.push(&GROUPED, item(0).group("a")).await;
    world.queue.pause(&GROUPED, Some("a"), "ada").await.unwrap();
    world.push(&SINGLE, item(1)).await;
    world.pass(second * 1_000).await;
    world.push(&SINGLE, item(2)).await;
    aged(&SINGLE, 1_000, "waiting").await;
    world.queue.pause(&SINGLE, None, "ada").await.unwrap();
    aged(&SINGLE, 1_000, "paused").await;
    world.queue.resume(&SINGLE, None, "ada").await.unwrap();
    settle(Verdict::Snooze(second * 500)).await;
    aged(&SINGLE, 1_000, "later").await;
    world.pass(second * 500).await;
    let hand = world.take(&SINGLE).await;
    assert_eq!(items(&hand), [1]);
    aged(&SINGLE, 1_500, "in hand").await;
    assert!(world.settle(&SINGLE, &hand, Verdict::Isolate).await);
    aged(&SINGLE, 1_500, "under suspicion").await;
    settle(Verdict::Doom { error: "no".into(), attempted: true }).await;
    aged(&SINGLE, 1_500, "doomed").await;
    settle(Verdict::Bury).await;
    aged(&SINGLE, 500, "the first is buried").await;
    settle(Verdict::Remove).await;
    assert_eq!(world.queue.oldest_held(&SINGLE).await.unwrap(), None);
    aged(&GROUPED, 1_500, "in a paused group").await;
}
