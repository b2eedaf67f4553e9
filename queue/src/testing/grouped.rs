//! Grouped lanes: strict order within a group, whoever works and whatever fails.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Answer, PushError, Verdict};

use super::lanes::{EAGER_GROUPED, GROUPED, TIGHT};
use super::world::{item, items, retry};
use super::{Probe, Scale, World, start};

pub async fn a_group_keeps_its_order(world: World, _: Scale) {
    // Every third job fails once, so order must survive retries as well.
    let probe = Arc::new(Probe::batch(|jobs| {
        let mut answers = Vec::new();
        for job in &jobs {
            let failed = answers.iter().any(|answer| *answer != Answer::Done);
            answers.push(match (failed, job.payload % 3 == 0 && job.attempt == 1) {
                (true, _) => Answer::HandBack,
                (false, true) => retry(),
                (false, false) => Answer::Done,
            });
        }
        Box::pin(async move { answers })
    }));
    let running = start(&world.queue, &EAGER_GROUPED, &probe, 8);
    for number in 0..40u64 {
        let jobs = (0..20).map(|group| item(number).group(format!("group {group}"))).collect();
        world.queue.push(&EAGER_GROUPED, jobs).await.unwrap();
    }
    world.drained(&EAGER_GROUPED).await;
    running.stop().await;
    let mut last: HashMap<String, u64> = HashMap::new();
    for seen in probe.seen() {
        let last = last.entry(seen.group.clone().unwrap()).or_default();
        // A job that was handed back comes again; none may come before its predecessor has.
        assert!(seen.item <= *last + 10, "{seen:?} came after {last}");
        *last = seen.item.max(*last);
    }
    assert_eq!(last.len(), 20);
    assert!(last.values().all(|last| *last == 39));
}

pub async fn a_group_has_one_batch_in_flight(world: World, _: Scale) {
    // Even one that grows while it is in hand.
    world.push(&GROUPED, item(0).group("grows")).await;
    let hand = world.take(&GROUPED).await;
    world.push(&GROUPED, item(1).group("grows")).await;
    world.nothing(&GROUPED).await;
    assert!(world.settle(&GROUPED, &hand, Verdict::Remove).await);
    let hand = world.take(&GROUPED).await;
    assert_eq!(items(&hand), [1]);
    assert!(world.settle(&GROUPED, &hand, Verdict::Remove).await);

    let running_now: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let most = Arc::new(AtomicUsize::new(0));
    let broken = Arc::new(AtomicUsize::new(0));
    let (now, peak, twice) = (Arc::clone(&running_now), Arc::clone(&most), Arc::clone(&broken));
    let probe = Arc::new(Probe::batch(move |jobs| {
        let (now, peak, twice) = (Arc::clone(&now), Arc::clone(&peak), Arc::clone(&twice));
        Box::pin(async move {
            let group = jobs[0].group.clone().unwrap();
            twice.fetch_max(
                usize::from(jobs.iter().any(|job| job.group.as_ref() != Some(&group))),
                Ordering::Relaxed,
            );
            {
                let mut now = now.lock().unwrap();
                *now.entry(group.clone()).or_default() += 1;
                twice.fetch_max(usize::from(now[&group] > 1), Ordering::Relaxed);
                peak.fetch_max(now.values().filter(|count| **count > 0).count(), Ordering::Relaxed);
            }
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            *now.lock().unwrap().get_mut(&group).unwrap() -= 1;
            vec![Answer::Done; jobs.len()]
        })
    }));
    let first = start(&world.queue, &GROUPED, &probe, 4);
    let second = start(&world.queue, &GROUPED, &probe, 4);
    for number in 0..60u64 {
        let jobs = (0..5).map(|group| item(number).group(format!("group {group}"))).collect();
        world.queue.push(&GROUPED, jobs).await.unwrap();
    }
    world.drained(&GROUPED).await;
    first.stop().await;
    second.stop().await;
    assert_eq!(broken.load(Ordering::Relaxed), 0, "one batch of a group at a time, and of one group only");
    let mut next: HashMap<String, u64> = HashMap::new();
    for seen in probe.seen() {
        let next = next.entry(seen.group.clone().unwrap()).or_default();
        assert_eq!(seen.item, *next, "strict order over both workers");
        assert_eq!(seen.attempt, 1, "nothing was tried twice");
        *next += 1;
    }
    assert_eq!(next.values().sum::<u64>(), 300);
    assert!(most.load(Ordering::Relaxed) > 1, "different groups run side by side");
}

pub async fn a_failure_blocks_its_group(world: World, _: Scale) {
    world.push_many(&GROUPED, Some("a"), 3).await;
    world.push_many(&GROUPED, Some("b"), 1).await;
    let hand = world.take(&GROUPED).await;
    let after = Duration::from_secs(10);
    let failed = Verdict::Retry { error: "no".into(), after };
    let verdicts = [Verdict::Remove, failed, Verdict::HandBack];
    let verdicts = hand.jobs.iter().map(|job| job.id.clone()).zip(verdicts).collect();
    assert!(world.settle_each(&GROUPED, hand.token, verdicts).await);
    let other = world.take(&GROUPED).await;
    assert_eq!(other.jobs[0].group.as_deref(), Some("b"), "other groups go on");
    assert!(world.settle(&GROUPED, &other, Verdict::Remove).await);
    world.nothing(&GROUPED).await;
    world.push(&GROUPED, item(3).group("a")).await;
    world.nothing(&GROUPED).await;
    world.pass(after).await;
    let again = world.take(&GROUPED).await;
    assert_eq!(items(&again), [1, 2, 3]);
    assert_eq!(again.jobs.iter().map(|job| job.attempts).collect::<Vec<_>>(), [1, 0, 0]);
}

pub async fn a_full_group_refuses_the_whole_push(world: World, _: Scale) {
    let jobs =
        |count: usize, group: &str| (0..count).map(|number| item(number).group(group)).collect::<Vec<_>>();
    world.queue.push(&TIGHT, jobs(2, "a")).await.unwrap();
    let mut over = jobs(2, "a");
    over.extend(jobs(1, "b"));
    let refused = world.queue.push(&TIGHT, over).await;
    assert!(matches!(&refused, Err(PushError::GroupFull { group, limit: 3 }) if group == "a"), "{refused:?}");
    assert_eq!(world.stats(&TIGHT).await.waiting, 2, "nothing of the push was queued");
    world.queue.push(&TIGHT, jobs(1, "a")).await.unwrap();
    let hand = world.take(&TIGHT).await;
    assert!(world.queue.push(&TIGHT, jobs(1, "a")).await.is_err(), "jobs in hand count");
    assert!(world.settle(&TIGHT, &hand, Verdict::Remove).await);
    world.queue.push(&TIGHT, jobs(3, "a")).await.unwrap();
}

pub async fn hand_back_keeps_the_place(world: World, _: Scale) {
    world.push_many(&GROUPED, Some("a"), 15).await;
    let hand = world.take(&GROUPED).await;
    assert!(world.settle(&GROUPED, &hand, Verdict::HandBack).await);
    let again = world.take(&GROUPED).await;
    assert_eq!(items(&again), (0..10).collect::<Vec<u64>>());
    assert!(again.jobs.iter().all(|job| job.attempts == 0));
    assert!(world.settle_each(&GROUPED, again.token, Vec::new()).await);
    let without_verdicts = world.take(&GROUPED).await;
    assert_eq!(items(&without_verdicts), (0..10).collect::<Vec<u64>>(), "no verdict is a hand-back");
}
