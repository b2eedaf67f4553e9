//! Unique keys: one queued job to a key, and who holds it is told.

use std::time::Duration;

use crate::{Existing, Found, FoundState, Hold, NewJob, PushError, Verdict};

use super::lanes::{GROUPED, PLAIN, SINGLE};
use super::world::item;
use super::{Scale, World};

fn keyed(value: u64, tag: &str) -> NewJob {
    item(value).unique("key", Hold::UntilAcknowledged).tag(tag)
}

pub async fn a_key_is_held_until_acknowledged(world: World, _: Scale) {
    let jobs = vec![keyed(1, "first"), item(2), keyed(3, "third")];
    let pushed = world.queue.push(&PLAIN, jobs).await.unwrap();
    assert_eq!(pushed[0].existing, None);
    assert_eq!(pushed[2].id, pushed[0].id, "within one batch as well");
    assert_eq!(pushed[2].existing, Some(Existing { tag: Some("first".into()) }));
    let again = world.queue.push(&PLAIN, vec![keyed(4, "again")]).await.unwrap();
    assert_eq!((&again[0].id, again[0].existing.is_some()), (&pushed[0].id, true));
    assert_eq!(world.stats(&PLAIN).await.waiting, 2, "nothing new was queued");
    let elsewhere = world.queue.push(&SINGLE, vec![keyed(5, "elsewhere")]).await.unwrap();
    assert_eq!(elsewhere[0].existing, None, "a key belongs to its lane");

    let hand = world.take(&PLAIN).await;
    assert_eq!(hand.jobs[0].unique_key.as_deref(), Some("key"));
    let running = world.queue.push(&PLAIN, vec![keyed(6, "running")]).await.unwrap();
    assert!(running[0].existing.is_some(), "held while it runs");
    assert!(world.settle(&PLAIN, &hand, Verdict::Snooze(Duration::from_secs(1))).await);
    let snoozed = world.queue.push(&PLAIN, vec![keyed(7, "snoozed")]).await.unwrap();
    assert!(snoozed[0].existing.is_some(), "held while it waits again");
    world.pass(Duration::from_secs(1)).await;
    let hand = world.take(&PLAIN).await;
    assert!(world.settle(&PLAIN, &hand, Verdict::Remove).await);
    let free = world.queue.push(&PLAIN, vec![keyed(8, "free")]).await.unwrap();
    assert_eq!(free[0].existing, None, "free after the acknowledgement");
}

pub async fn a_key_is_held_for_its_lifetime(world: World, _: Scale) {
    let job = |value: u64| item(value).unique("key", Hold::For(Duration::from_secs(100))).tag("tag");
    let first = world.push(&PLAIN, job(1)).await;
    let hand = world.take(&PLAIN).await;
    assert!(world.settle(&PLAIN, &hand, Verdict::Remove).await);
    let settled = world.queue.find(&PLAIN, "key").await.unwrap();
    let wanted = Found { id: first.clone(), tag: Some("tag".into()), state: FoundState::Settled };
    assert_eq!(settled, Some(wanted));
    let repeat = world.queue.push(&PLAIN, vec![job(2)]).await.unwrap();
    assert_eq!((&repeat[0].id, repeat[0].existing.is_some()), (&first, true), "held though it is done");
    world.pass(Duration::from_secs(101)).await;
    assert_eq!(world.queue.find(&PLAIN, "key").await.unwrap(), None);
    let free = world.queue.push(&PLAIN, vec![job(3)]).await.unwrap();
    assert_eq!(free[0].existing, None, "free after its lifetime");
}

pub async fn a_job_is_found_wherever_it_is(world: World, _: Scale) {
    let state = async || world.queue.find(&PLAIN, "key").await.unwrap().map(|found| found.state);
    assert_eq!(state().await, None);
    let id = world.push(&PLAIN, keyed(1, "tag")).await;
    let found = world.queue.find(&PLAIN, "key").await.unwrap().unwrap();
    assert_eq!(found, Found { id, tag: Some("tag".into()), state: FoundState::Waiting });
    let hand = world.take(&PLAIN).await;
    assert_eq!(state().await, Some(FoundState::Running));
    assert!(world.settle(&PLAIN, &hand, Verdict::Doom { error: "no".into(), attempted: true }).await);
    assert_eq!(state().await, Some(FoundState::Waiting), "until it is buried");
    let hand = world.take(&PLAIN).await;
    assert!(world.settle(&PLAIN, &hand, Verdict::Bury).await);
    assert_eq!(state().await, Some(FoundState::Dead));
}

/// Two batches under one client's key are told apart before anything of the second is queued, however they meet.
pub async fn a_key_held_for_another_use_refuses_the_whole_push(world: World, _: Scale) {
    let job =
        |key: &str, tag: &str| item(0).group("g").unique(key, Hold::UntilAcknowledged).tag(tag).telling(3);
    let push = async |jobs: Vec<NewJob>| world.queue.push(&GROUPED, jobs).await;
    let taken = |answer: &Result<_, PushError>, key: &str| {
        assert!(matches!(answer, Err(PushError::KeyTaken { key: taken }) if taken == key), "{answer:?}");
    };
    let first = push(vec![job("a", "one: first"), job("b", "one: first")]).await.unwrap();
    taken(&push(vec![job("c", "two"), job("b", "two"), job("d", "two")]).await, "b");
    taken(&push(vec![job("c", "two"), item(0).group("g"), job("c", "three")]).await, "c");
    taken(&push(vec![job("a", "on")]).await, "a");
    assert_eq!(world.stats(&GROUPED).await.waiting, 2, "nothing of them was queued");
    let repeat = push(vec![job("a", "one: again"), job("b", "one: again"), job("c", "one: again")]).await;
    let repeat = repeat.unwrap();
    assert_eq!((&repeat[0].id, &repeat[1].id), (&first[0].id, &first[1].id), "a repeat meets the first");
    assert_eq!(repeat[0].existing, Some(Existing { tag: Some("one: first".into()) }));
    assert_eq!(repeat[2].existing, None, "and brings what the first did not");
    let unasked = push(vec![job("a", "two").telling(0)]).await.unwrap();
    assert!(unasked[0].existing.is_some(), "who does not ask is told who holds it");

    // Of pushes that are judged together the first is the first.
    let rivals = (0..8).map(|n| push(vec![job("e", &format!("{n}..")), job("f", &format!("{n}.."))]));
    let rivals = futures::future::join_all(rivals).await;
    assert_eq!(rivals.iter().filter(|answer| answer.is_ok()).count(), 1, "{rivals:?}");
    assert_eq!(world.stats(&GROUPED).await.waiting, 5);
    let hand = world.take(&GROUPED).await;
    assert!(world.settle(&GROUPED, &hand, Verdict::Remove).await);
    assert!(push(vec![job("a", "two"), job("b", "two")]).await.is_ok(), "free after the acknowledgement");
}
