//! Renews the leases of what is in hand, in a task of its own, so that no handler can be too busy for it.

use std::sync::Arc;

use crate::Token;

use super::station::Station;

/// Renews every third of a lease until the worker is gone.
pub(super) async fn renew(station: Arc<Station>) {
    let third = station.lane.lease / 3;
    let mut wait = third;
    loop {
        tokio::select! {
            () = station.over.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = third;
        let held: Vec<Token> = station.held().iter().copied().collect();
        if held.is_empty() {
            continue;
        }
        match station.broker.renew(station.lane, held).await {
            Ok(lost) => {
                let mut held = station.held();
                for token in lost {
                    held.remove(&token);
                }
            }
            Err(error) => {
                tracing::warn!(lane = station.lane.name, %error, "leases could not be renewed");
                wait = third / 4;
            }
        }
    }
}
