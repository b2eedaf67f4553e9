//! Time: later jobs, retries, snoozes, and much falling due at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::{Answer, Crew, Verdict};
use tokio_util::sync::CancellationToken;

use super::lanes::{BACKOFF, BULK, PLAIN, SINGLE};
use super::probe::start_with;
use super::world::{item, items, retry};
use super::{Probe, Scale, World, start, until};

const SECOND: Duration = Duration::from_secs(1);

pub async fn a_later_job_waits(world: World, _: Scale) {
    let jobs = vec![item(2).delay(SECOND * 1_000), item(1)];
    world.queue.push(&PLAIN, jobs).await.unwrap();
    let hand = world.take(&PLAIN).await;
    assert_eq!(items(&hand), [1]);
    assert!(world.settle(&PLAIN, &hand, Verdict::Remove).await);
    let early = world.claim(&PLAIN, 1).await;
    assert!(early.hands.is_empty());
    let again_in = early.again_in.expect("something is due by time");
    assert!(again_in > SECOND * 900 && again_in <= SECOND * 1_000, "{again_in:?}");
    assert_eq!((world.stats(&PLAIN).await.later, world.stats(&PLAIN).await.waiting), (1, 0));
    world.pass(SECOND * 1_000).await;
    assert_eq!(items(&world.take(&PLAIN).await), [2]);
}

pub async fn a_retry_follows_the_schedule(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|job| if job.last_attempt { Answer::Done } else { retry() }));
    let running = start(&world.queue, &SINGLE, &probe, 2);
    world.push(&SINGLE, item(1)).await;
    for (attempts, step) in [(1, 10), (2, 20)] {
        until(async || world.stats(&SINGLE).await.later == 1).await;
        assert_eq!(probe.seen().len(), attempts);
        world.pass(SECOND * (step - 5)).await;
        assert_eq!(world.stats(&SINGLE).await.later, 1, "not before its time");
        world.pass(SECOND * 5).await;
        until(async || probe.seen().len() == attempts + 1).await;
    }
    world.drained(&SINGLE).await;
    running.stop().await;
    let seen: Vec<(u32, bool)> = probe.seen().iter().map(|seen| (seen.attempt, seen.last_attempt)).collect();
    assert_eq!(seen, [(1, false), (2, false), (3, true)]);
}

pub async fn jitter_spreads_retries(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|job| if job.attempt == 1 { retry() } else { Answer::Done }));
    let running = start(&world.queue, &BACKOFF, &probe, 1);
    world.push_many(&BACKOFF, None, 400).await;
    until(async || probe.seen().len() >= 400).await;
    let mut counts = Vec::new();
    for eighth in 1..=8u64 {
        until(async || {
            let stats = world.stats(&BACKOFF).await;
            stats.waiting + stats.in_flight == 0
        })
        .await;
        counts.push(world.stats(&BACKOFF).await.later);
        if eighth < 8 {
            world.pass(SECOND * 8).await;
            let left = *counts.last().unwrap();
            until(async || world.stats(&BACKOFF).await.later < left).await;
        }
    }
    world.pass(SECOND * 9).await;
    world.drained(&BACKOFF).await;
    running.stop().await;
    // The time the test itself takes shifts the later eighths, so only the first half is looked at.
    let gone: Vec<u64> = counts.windows(2).take(4).map(|pair| pair[0] - pair[1]).collect();
    assert!(gone.iter().all(|gone| *gone >= 15), "full jitter begins at nothing: {counts:?}");
    assert!(counts[4] >= 60, "and reaches to the whole delay: {counts:?}");
}

pub async fn retry_after_is_honoured(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|job| match (job.payload, job.attempt) {
        (1, 1) => Answer::Retry { error: "slow down".into(), after: Some(SECOND * 500) },
        _ => Answer::Done,
    }));
    let running = start(&world.queue, &SINGLE, &probe, 1);
    world.push(&SINGLE, item(1)).await;
    until(async || world.stats(&SINGLE).await.later == 1).await;
    world.pass(SECOND * 400).await;
    // Another job passes through, so the lane was looked at.
    world.push(&SINGLE, item(2).delay(Duration::ZERO)).await;
    until(async || probe.items().contains(&2)).await;
    assert_eq!(probe.items().iter().filter(|item| **item == 1).count(), 1);
    world.pass(SECOND * 600).await;
    world.drained(&SINGLE).await;
    running.stop().await;
    assert_eq!(probe.items().iter().filter(|item| **item == 1).count(), 2);
}

pub async fn a_snooze_costs_no_attempt(world: World, _: Scale) {
    let snoozing = Arc::new(AtomicBool::new(true));
    let asleep = Arc::clone(&snoozing);
    let probe = Arc::new(Probe::each(move |_| {
        if asleep.load(Ordering::Relaxed) { Answer::Snooze(SECOND * 300) } else { Answer::Done }
    }));
    let running = start(&world.queue, &SINGLE, &probe, 1);
    world.push(&SINGLE, item(1)).await;
    for nap in 1..=5 {
        until(async || probe.seen().len() == nap && world.stats(&SINGLE).await.later == 1).await;
        snoozing.store(nap < 5, Ordering::Relaxed);
        world.pass(SECOND * 300).await;
    }
    world.drained(&SINGLE).await;
    running.stop().await;
    assert_eq!(probe.seen().len(), 6);
    assert!(probe.seen().iter().all(|seen| seen.attempt == 1), "five naps, still the first attempt");
}

pub async fn many_jobs_due_at_once(world: World, scale: Scale) {
    let jobs: Vec<_> = (0..scale.due).map(|number| item(number).delay(SECOND * 1_000)).collect();
    for part in jobs.chunks(1_000) {
        world.queue.push(&BULK, part.to_vec()).await.unwrap();
    }
    assert_eq!(world.stats(&BULK).await.later, scale.due as u64);
    world.nothing(&BULK).await;
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &BULK, &probe, 2);
    world.pass(SECOND * 1_000).await;
    world.drained(&BULK).await;
    running.stop().await;
    let seen = probe.items();
    assert_eq!(seen.len(), scale.due, "each once");
    assert_eq!(seen.into_iter().collect::<HashSet<_>>().len(), scale.due);
}

pub async fn a_newer_payload_is_left_to_others(world: World, _: Scale) {
    let old = Arc::new(Probe::each(|_| Answer::Done));
    let new = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &PLAIN, &old, 1);
    world.queue.push(&PLAIN, vec![item(1).needs(2), item(2).needs(1)]).await.unwrap();
    until(async || old.items() == [2] && world.stats(&PLAIN).await.later == 1).await;
    running.stop().await;
    let crew = Crew { name: "newer".into(), concurrency: 1, version: 2, time_up: CancellationToken::new() };
    let running = start_with(&world.queue, &PLAIN, &new, crew);
    world.pass(SECOND * 2).await;
    world.drained(&PLAIN).await;
    running.stop().await;
    assert_eq!(old.items(), [2], "the old program never saw it");
    assert_eq!(new.seen().iter().map(|seen| (seen.item, seen.attempt)).collect::<Vec<_>>(), [(1, 1)]);
}
