//! Stopping: what runs may finish, what was not begun goes back at once.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{Answer, Crew};

use super::lanes::{GROUPED, SINGLE};
use super::probe::start_with;
use super::world::items;
use super::{Probe, Scale, World, start, until};

pub async fn what_runs_finishes_and_the_rest_goes_back(world: World, _: Scale) {
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let probe = Arc::new(Probe::batch(move |_| {
        let gate = Arc::clone(&opened);
        Box::pin(async move {
            drop(gate.acquire().await);
            vec![Answer::Done]
        })
    }));
    world.push_many(&SINGLE, None, 10).await;
    let running = start(&world.queue, &SINGLE, &probe, 2);
    until(async || world.stats(&SINGLE).await.in_flight == 4).await;
    until(async || probe.items().len() == 2).await;
    running.tell();
    // What was fetched ahead goes back while the two still run.
    until(async || world.stats(&SINGLE).await.in_flight == 2).await;
    assert_eq!(world.stats(&SINGLE).await.waiting, 8);
    gate.add_permits(2);
    running.stop().await;
    let mut done = probe.items();
    done.sort_unstable();
    assert_eq!(done, [0, 1], "nothing was begun after the stop");
    let stats = world.stats(&SINGLE).await;
    assert_eq!((stats.waiting, stats.in_flight), (8, 0));
    let hand = world.take(&SINGLE).await;
    assert_eq!((items(&hand), hand.jobs[0].attempts), (vec![2], 0), "in order, without an attempt");
}

pub async fn what_does_not_finish_is_broken_off(world: World, _: Scale) {
    let probe = Arc::new(Probe::batch(|_| Box::pin(std::future::pending())));
    let time_up = CancellationToken::new();
    let crew = Crew { name: "suite".into(), concurrency: 2, version: 1, time_up: time_up.clone() };
    let running = start_with(&world.queue, &GROUPED, &probe, crew);
    world.push_many(&GROUPED, Some("a"), 3).await;
    until(async || probe.items().len() == 3).await;
    running.tell();
    time_up.cancel();
    running.stop().await;
    let hand = world.take(&GROUPED).await;
    assert_eq!(items(&hand), [0, 1, 2], "handed back together, no suspects");
    assert!(hand.jobs.iter().all(|job| job.attempts == 0));
}
