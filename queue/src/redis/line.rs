//! What the processes of an installation share over the server of their lanes, besides the lanes: messages, and small
//! scripts of others.
//!
//! A line is a connection of its own, made again for ever, so nothing on it waits behind a push. Messages are published,
//! never kept: what is said while somebody is not connected, they do not hear. So everything that is said must also be
//! found elsewhere, and who hears is told when it may have missed something. In a Cluster a message published on any node
//! reaches all of them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::QueueError;

use super::failure::Failure;
use super::link::{Hear, Link};
use super::options::{AddressError, Options, client};
use super::reply::{list, number};
use super::script::{Call, Script};

/// How often a connection is tried on which nothing is said, for one that is half open would swallow every message.
const TRY: Duration = Duration::from_secs(5);
/// First and longest wait after the server could not be reached.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// Who hears messages, in order, on the task that reads the connection: so it must be quick.
pub trait Ear: Send + Sync + 'static {
    /// A message came from a channel, by the name under which it was asked for.
    fn hear(&self, channel: &str, message: &[u8]);
    /// Listening has begun, or begun again: what was said before may have been missed.
    fn listening(&self);
}

/// See the module; clones share the connection.
#[derive(Clone)]
pub struct Line {
    link: Arc<Link>,
    _listening: Arc<DropGuard>,
}

impl Line {
    /// A line to a server, which need not be there yet. `ear` hears these channels as long as the line or a clone of it
    /// exists; all names get the prefix of the options.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn open(options: &Options, channels: &[String], ear: Arc<dyn Ear>) -> Result<Self, AddressError> {
        let stop = CancellationToken::new();
        let listening = Arc::new(stop.clone().drop_guard());
        let (hears, prefix) = (Arc::clone(&ear), format!("{}:", options.prefix));
        let hear: Hear = Arc::new(move |channel, message| {
            let name = std::str::from_utf8(channel).ok().and_then(|name| name.strip_prefix(prefix.as_str()));
            if let Some(name) = name {
                hears.hear(name, message);
            }
        });
        let link = Link::hearing(client(options)?, options.patience, options.prefix.clone(), hear);
        let link = Arc::new(link);
        if !channels.is_empty() {
            let channels = channels.iter().map(|channel| format!("{}:{channel}", options.prefix)).collect();
            tokio::spawn(keep(Arc::clone(&link), channels, ear, stop));
        }
        Ok(Self { link, _listening: listening })
    }

    /// Says messages, each to a channel, in one go.
    ///
    /// # Errors
    /// When not all of them are known to have been said.
    pub async fn publish(&self, messages: &[(String, Vec<u8>)]) -> Result<(), QueueError> {
        let live = self.link.live().await?;
        let said = messages.iter().map(|(channel, message)| {
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(format!("{}:{channel}", self.link.prefix())).arg(message);
            let live = &live;
            async move { live.send(&publish).await }
        });
        for said in join_all(said).await {
            said?;
        }
        Ok(())
    }

    /// Runs a script that answers a list of whole numbers. `name` becomes its one key, in a slot of its own.
    ///
    /// # Errors
    /// When it is not known to have run.
    pub async fn numbers(
        &self,
        script: &'static Script,
        name: &str,
        arguments: &[u64],
    ) -> Result<Vec<i64>, QueueError> {
        let mut call = Call::new(script, &self.link.key(name));
        for argument in arguments {
            call.arg(*argument);
        }
        let answer = list(self.link.look(&call).await?)?;
        Ok(answer.iter().map(number).collect::<Result<_, _>>()?)
    }

    /// Lets go of the server; every later call fails.
    pub fn close(&self) {
        self.link.close();
    }
}

/// Keeps the channels subscribed to until told to stop.
async fn keep(link: Arc<Link>, channels: Vec<String>, ear: Arc<dyn Ear>, stop: CancellationToken) {
    let (mut connection, mut failed) = (0, RETRY.0);
    loop {
        let wait = match subscribe(&link, &channels, ear.as_ref(), &mut connection).await {
            Ok(()) => {
                failed = RETRY.0;
                TRY
            }
            Err(failure) => {
                tracing::debug!(error = failure.text(), "messages cannot be heard");
                failed = (failed * 2).min(RETRY.1);
                failed
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = link.stirred.notified() => {}
            () = tokio::time::sleep(wait) => {
                let _ = link.send(&redis::cmd("PING")).await;
            }
        }
    }
}

async fn subscribe(
    link: &Link,
    channels: &[String],
    ear: &dyn Ear,
    connection: &mut u64,
) -> Result<(), Failure> {
    let live = link.live().await?;
    if live.number != *connection {
        for channel in channels {
            live.send(redis::cmd("SUBSCRIBE").arg(channel)).await?;
        }
        *connection = live.number;
        ear.listening();
    }
    Ok(())
}
