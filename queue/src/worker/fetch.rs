//! Asks the store for jobs whenever there are free slots and something may be there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::Ask;

use super::station::{Batch, Station};

/// Longest wait without being woken; a store that loses a wake-up costs no more than this.
const LONGEST: Duration = Duration::from_secs(30);
/// First and longest wait after the store failed.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Keeps batches ready until told to stop, then hands back those that were not begun.
pub(super) async fn fetch(station: Arc<Station>) {
    let mut wake = station.broker.wake(station.lane);
    let mut failed = RETRY.0;
    // Until when the lane has nothing but what is pushed meanwhile, as far as is known.
    let mut empty_until: Option<Instant> = None;
    while let Some(slots) = free_slots(&station).await {
        let asked = slots.len();
        let ask = Ask { hands: asked, worker: station.crew.name.clone() };
        let claimed = match empty_until.take() {
            None => {
                // What changes from here on is not yet in the answer and must wake us.
                wake.borrow_and_update();
                // Not given up on stop: what it hands out would be lost until its lease lapses.
                station.broker.claim(station.lane, ask).await
            }
            Some(until) => tokio::select! {
                biased;
                () = station.stop.cancelled() => break,
                claimed = station.broker.stand_by(station.lane, ask) => claimed,
                // The sender lives in the broker that this station holds.
                _ = wake.changed() => continue,
                () = tokio::time::sleep_until(until) => continue,
            },
        };
        match claimed {
            Ok(claimed) => {
                failed = RETRY.0;
                let filled = claimed.hands.len() == asked;
                for (hand, slot) in claimed.hands.into_iter().zip(slots) {
                    station.offer(Batch { hand, slot: Some(slot) });
                }
                let wait = claimed.again_in.unwrap_or(LONGEST).min(LONGEST);
                empty_until = (!filled && !wait.is_zero()).then(|| Instant::now() + wait);
            }
            Err(error) => {
                tracing::warn!(lane = station.lane.name, %error, "no jobs could be fetched");
                failed = (failed * 2).min(RETRY.1);
                tokio::select! {
                    () = station.stop.cancelled() => break,
                    () = tokio::time::sleep(failed) => {}
                }
            }
        }
    }
    station.hand_back().await;
}

/// Waits for a free slot and takes all there are; `None` when it is time to stop.
async fn free_slots(station: &Station) -> Option<Vec<OwnedSemaphorePermit>> {
    let first = tokio::select! {
        biased;
        () = station.stop.cancelled() => return None,
        slot = Arc::clone(&station.slots).acquire_owned() => slot.ok()?,
    };
    let mut slots = vec![first];
    while let Ok(slot) = Arc::clone(&station.slots).try_acquire_owned() {
        slots.push(slot);
    }
    Some(slots)
}
