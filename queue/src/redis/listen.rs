//! Keeping channels subscribed to, over a connection that is made again for ever.
//!
//! A message may be lost with its connection, so who hears is told whenever listening has begun again. A connection on
//! which nothing is said is tried now and then, for one that is half open would swallow every message. In a Cluster any
//! node will do: a message that was published on one reaches all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::link::Link;

/// How often the connection is tried.
const TRY: Duration = Duration::from_secs(5);
/// First and longest wait after the server could not be reached.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Who listens.
pub(super) trait Listener: Send + Sync + 'static {
    /// The channels to be subscribed to, by their whole names.
    fn channels(&self) -> Vec<String>;
    /// Listening to these has begun, or begun again: what was said before may have been missed.
    fn listening(&self, channels: &[String]);
    /// Waits until there may be other channels.
    fn changed(&self) -> impl Future<Output = ()> + Send;
}

/// What is subscribed to, on which connection.
#[derive(Default)]
struct Subscribed {
    connection: u64,
    channels: HashSet<String>,
}

/// Keeps the channels subscribed to until told to stop.
pub(super) async fn keep(link: Arc<Link>, listener: impl Listener, stop: CancellationToken) {
    let mut subscribed = Subscribed::default();
    let mut failed = RETRY.0;
    loop {
        if let Err(failure) = look(&link, &listener, &mut subscribed).await {
            tracing::debug!(error = failure.text(), "messages cannot be heard");
            failed = (failed * 2).min(RETRY.1);
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(failed) => continue,
            }
        }
        failed = RETRY.0;
        tokio::select! {
            () = stop.cancelled() => return,
            () = link.stirred() => {}
            () = listener.changed() => {}
            () = tokio::time::sleep(TRY) => {
                if let Ok(live) = link.ear().await {
                    let _ = live.send(&redis::cmd("PING")).await;
                }
            }
        }
    }
}

async fn look(link: &Link, listener: &impl Listener, subscribed: &mut Subscribed) -> Result<(), Failure> {
    let live = link.ear().await?;
    if live.number != subscribed.connection {
        *subscribed = Subscribed { connection: live.number, channels: HashSet::new() };
    }
    let mut new = listener.channels();
    new.retain(|channel| !subscribed.channels.contains(channel));
    for channel in &new {
        live.send(redis::cmd("SUBSCRIBE").arg(channel)).await?;
    }
    if !new.is_empty() {
        subscribed.channels.extend(new.iter().cloned());
        listener.listening(&new);
    }
    Ok(())
}
