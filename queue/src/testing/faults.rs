//! Faults between a worker and its store: a lane never stops in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apalis::prelude::Monitor;
use async_trait::async_trait;
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;

use crate::{Answer, Crew, Handler, Job, register};

use super::cut::Fault;
use super::lanes::{EAGER, SINGLE};
use super::world::{LAPSE, item};
use super::{Probe, Scale, World, start, until};

pub async fn a_worker_outlives_faults_of_its_store(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &SINGLE, &probe, 2);
    for number in 0..5 {
        world.cut.fail_next([Fault::Away; 3]);
        world.push(&SINGLE, item(number)).await;
        until(async || !world.cut.has_faults()).await;
    }
    world.drained(&SINGLE).await;
    running.stop().await;
    let mut done = probe.items();
    done.sort_unstable();
    assert_eq!(done, [0, 1, 2, 3, 4], "each once: an answer that was not brought back is repeated");
}

pub async fn a_worker_that_panics_is_started_again(world: World, _: Scale) {
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let running = start(&world.queue, &SINGLE, &probe, 2);
    for number in 0..3u64 {
        world.push(&SINGLE, item(number)).await;
        until(async || probe.items().contains(&number)).await;
        world.cut.fail_next([Fault::Panic]);
        world.push(&SINGLE, item(number + 10)).await;
        until(async || !world.cut.has_faults()).await;
        // What the panic left in hand is taken over when its lease lapses.
        world.pass(LAPSE).await;
        until(async || probe.items().contains(&(number + 10))).await;
    }
    world.pass(LAPSE).await;
    world.drained(&SINGLE).await;
    running.stop().await;
}

/// A payload whose decoder panics at 13.
#[derive(Debug)]
struct Unlucky;

impl<'de> Deserialize<'de> for Unlucky {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        assert_ne!(u64::deserialize(from)?, 13, "unlucky");
        Ok(Self)
    }
}

#[derive(Default)]
struct Count(AtomicUsize);

#[async_trait]
impl Handler for Count {
    type Job = Unlucky;

    async fn handle(&self, batch: Vec<Job<Unlucky>>) -> Vec<Answer> {
        self.0.fetch_add(batch.len(), Ordering::Relaxed);
        vec![Answer::Done; batch.len()]
    }
}

pub async fn a_payload_that_panics_the_decoder_is_buried(world: World, _: Scale) {
    world.queue.push(&EAGER, [1, 13, 3].map(item).to_vec()).await.unwrap();
    let handler = Arc::new(Count::default());
    let crew = Crew { name: "suite".into(), concurrency: 1, version: 1, time_up: CancellationToken::new() };
    let monitor = register(Monitor::new(), &world.queue, &EAGER, Arc::clone(&handler), crew);
    let context = monitor.context();
    let running = tokio::spawn(monitor.run());
    until(async || world.stats(&EAGER).await.dead == 1).await;
    world.drained(&EAGER).await;
    context.shutdown().unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(handler.0.load(Ordering::Relaxed), 2, "its neighbours were done, once each");
}
