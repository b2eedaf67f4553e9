//! Wake-ups: scripts publish on a lane's channel whenever something of it may have become free to be handed out.
//!
//! A message may be lost with its connection, so everybody looks again when a connection was made, and a worker looks
//! by itself after its longest wait. A connection on which nothing is said is tried now and then, for one that is half
//! open would swallow every message.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::Cmd;
use tokio_util::sync::CancellationToken;

use crate::wakes::Wakes;

use super::failure::Failure;
use super::link::Link;

/// How often the connection is tried.
const TRY: Duration = Duration::from_secs(5);
/// First and longest wait after the server could not be reached.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// What is subscribed to, on which connection.
#[derive(Default)]
struct Subscribed {
    connection: u64,
    lanes: HashSet<&'static str>,
}

/// Keeps the connection and passes its messages on until told to stop.
pub(super) async fn listen(link: Arc<Link>, wakes: Arc<Wakes>, stop: CancellationToken) {
    let mut subscribed = Subscribed::default();
    let mut failed = RETRY.0;
    loop {
        let wait = match look(&link, &wakes, &mut subscribed).await {
            Ok(()) => {
                failed = RETRY.0;
                TRY
            }
            Err(failure) => {
                tracing::debug!(error = failure.text(), "the queue's server cannot be reached");
                failed = (failed * 2).min(RETRY.1);
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = tokio::time::sleep(failed) => continue,
                }
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = link.stirred.notified() => {}
            () = wakes.added.notified() => {}
            () = tokio::time::sleep(wait) => {
                let _ = link.send(&redis::cmd("PING")).await;
            }
        }
    }
}

async fn look(link: &Link, wakes: &Wakes, subscribed: &mut Subscribed) -> Result<(), Failure> {
    let live = link.live().await?;
    if live.number != subscribed.connection {
        *subscribed = Subscribed { connection: live.number, lanes: HashSet::new() };
    }
    for lane in wakes.lanes() {
        if subscribed.lanes.insert(lane) {
            let subscribe = channel_command(link, lane);
            if let Err(failure) = live.send(&subscribe).await {
                subscribed.lanes.remove(lane);
                return Err(failure);
            }
            wakes.wake(|name| name == lane);
        }
    }
    let heard = link.heard();
    if !heard.is_empty() {
        wakes.wake(|name| heard.contains(channel_of(link, name).as_bytes()));
    }
    Ok(())
}

fn channel_of(link: &Link, lane: &str) -> String {
    format!("{}:wake", link.key(lane))
}

fn channel_command(link: &Link, lane: &str) -> Cmd {
    redis::cmd("SUBSCRIBE").arg(channel_of(link, lane)).to_owned()
}
