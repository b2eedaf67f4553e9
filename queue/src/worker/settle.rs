//! Brings verdicts to the store, many at a time, and repeats until they are there.
//!
//! To repeat is safe: a hand-out that was settled already is reported as lost and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{Settled, Token};

use super::station::{Finished, Station};

/// Most hand-outs settled in one call.
const MOST: usize = 256;
/// First and longest wait after the store failed.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Carries verdicts until nobody can bring any more.
pub(super) async fn settle(station: Arc<Station>, mut finished: mpsc::Receiver<Finished>) {
    let mut batch = Vec::with_capacity(MOST);
    loop {
        let received = tokio::select! {
            biased;
            received = finished.recv_many(&mut batch, MOST) => received,
            () = station.over.cancelled() => 0,
        };
        if received == 0 {
            return;
        }
        let mut settled = Vec::with_capacity(received);
        let mut slots: Option<OwnedSemaphorePermit> = None;
        for Finished { settled: one, slot } in batch.drain(..) {
            settled.push(one);
            slots = match (slots, slot) {
                (Some(mut all), Some(slot)) => {
                    all.merge(slot);
                    Some(all)
                }
                (one, another) => one.or(another),
            };
        }
        let tokens: Vec<Token> = settled.iter().map(|one| one.token).collect();
        deliver(&station, settled).await;
        let mut held = station.held();
        for token in tokens {
            held.remove(&token);
        }
        // All at once: the fetcher asks as soon as one is free, and would ask for that one alone.
        drop(slots);
    }
}

async fn deliver(station: &Station, settled: Vec<Settled>) {
    let mut wait = RETRY.0;
    let mut repeated = false;
    loop {
        match station.broker.settle(station.lane, settled.clone()).await {
            Ok(lost) => {
                if !lost.is_empty() && !repeated {
                    let count = lost.len();
                    station.observer.lost(station.lane, count);
                    tracing::warn!(
                        lane = station.lane.name,
                        count,
                        "leases were lost before the jobs were settled"
                    );
                }
                return;
            }
            Err(error) => {
                tracing::warn!(lane = station.lane.name, %error, "verdicts could not be brought back");
            }
        }
        repeated = true;
        wait = (wait * 2).min(RETRY.1);
        tokio::select! {
            () = station.over.cancelled() => {
                let count = settled.len();
                tracing::error!(lane = station.lane.name, count, "stopped before all verdicts were brought back");
                return;
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}
