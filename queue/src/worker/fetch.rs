//! Asks the store for jobs whenever there are free slots and something may be there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;

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
    while let Some(slots) = free_slots(&station).await {
        let asked = slots.len();
        // What changes from here on is not yet in the answer and must wake us.
        wake.borrow_and_update();
        let ask = Ask { hands: asked, worker: station.crew.name.clone() };
        // Not given up on stop: what it hands out would be lost until its lease lapses.
        let wait = match station.broker.claim(station.lane, ask).await {
            Ok(claimed) => {
                failed = RETRY.0;
                let filled = claimed.hands.len() == asked;
                for (hand, slot) in claimed.hands.into_iter().zip(slots) {
                    station.offer(Batch { hand, slot: Some(slot) });
                }
                if filled { Duration::ZERO } else { claimed.again_in.unwrap_or(LONGEST).min(LONGEST) }
            }
            Err(error) => {
                tracing::warn!(lane = station.lane.name, %error, "no jobs could be fetched");
                failed = (failed * 2).min(RETRY.1);
                tokio::select! {
                    () = station.stop.cancelled() => break,
                    () = tokio::time::sleep(failed) => continue,
                }
            }
        };
        if wait.is_zero() {
            continue;
        }
        tokio::select! {
            () = station.stop.cancelled() => break,
            // The sender lives in the broker that this station holds.
            _ = wake.changed() => {}
            () = tokio::time::sleep(wait) => {}
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
