//! What the processes of an installation share over the server of their lanes, besides the lanes: messages, and small
//! scripts of others.
//!
//! A line is a connection of its own, made again for ever, so nothing on it waits behind a push. Messages are published,
//! never kept: what is said while somebody is not connected, they do not hear. So everything that is said must also be
//! found elsewhere, and who hears is told when it may have missed something. In a Cluster a message published on any node
//! reaches all of them.

use std::sync::Arc;

use futures::future::join_all;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::QueueError;

use super::link::Link;
use super::listen::{Listener, keep};
use super::node::Hear;
use super::options::{AddressError, Options};
use super::reply::{list, number};
use super::script::{Call, Script};

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
        let link = Arc::new(Link::new(options, Some(hear))?);
        if !channels.is_empty() {
            let names = channels.iter().map(|channel| format!("{}:{channel}", options.prefix)).collect();
            tokio::spawn(keep(Arc::clone(&link), Channels { names, ear }, stop));
        }
        Ok(Self { link, _listening: listening })
    }

    /// Says messages, each to a channel, in one go.
    ///
    /// # Errors
    /// When not all of them are known to have been said.
    pub async fn publish(&self, messages: &[(String, Vec<u8>)]) -> Result<(), QueueError> {
        let live = self.link.ear().await?;
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

/// The channels of a line, which stay the same.
struct Channels {
    names: Vec<String>,
    ear: Arc<dyn Ear>,
}

impl Listener for Channels {
    fn channels(&self) -> Vec<String> {
        self.names.clone()
    }

    fn listening(&self, _: &[String]) {
        self.ear.listening();
    }

    async fn changed(&self) {
        std::future::pending::<()>().await;
    }
}
