//! Where the server is, and opening a handle to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::Queue;
use crate::wakes::Wakes;

use super::broker::Server;
use super::claim::Askers;
use super::link::{Link, Servers};
use super::listen::keep;
use super::push::Pushers;
use super::stand::Standers;
use super::wake::{Waker, hear};

/// How a process speaks to the server.
#[derive(Clone)]
pub struct Options {
    /// `redis://…` or `rediss://…`, with user and password where there are any, or `redis+cluster://…` or
    /// `rediss+cluster://…` with some of the nodes of a Cluster, separated by commas. The user may be one that has only
    /// `~fairy:* &fairy:* +@read +@write +@scripting +@pubsub +@connection +time`, and in a Cluster `+cluster|slots`;
    /// [`super::inspect()`] also asks `+info` and `+config|get`.
    pub url: String,
    /// The certificate, as PEM, by which the server's is judged instead of those that everybody trusts.
    pub authority: Option<Vec<u8>>,
    /// What the names of all keys begin with; without braces.
    pub prefix: String,
    /// A name that no other process and no other start of this one has.
    pub instance: String,
    /// How many replicas must have a push on disk before it counts as accepted (`WAITAOF`: Redis 7.2, Valkey); 0 where
    /// there are none. While fewer are there, no push is known to be accepted.
    pub replicas: u32,
    /// How long an answer may take before it counts as lost and the connection as broken.
    pub patience: Duration,
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may have a password in it.
        out.debug_struct("Options").field("prefix", &self.prefix).field("instance", &self.instance).finish()
    }
}

/// The address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the address of the queue cannot be used: {0}")]
pub struct AddressError(pub(super) String);

/// A handle to the lanes on a server, which need not be there yet: what is asked while it is away fails or waits, and
/// is tried again.
///
/// # Errors
/// When the address cannot be used.
pub fn open(options: &Options) -> Result<Queue, AddressError> {
    let stop = CancellationToken::new();
    let wakes = Arc::new(Wakes::default());
    let standers = Arc::new(Standers::new(format!("{}:to:{}", options.prefix, options.instance)));
    let hear = hear(&options.prefix, &wakes, &standers);
    let link = Arc::new(Link::new(options, None)?);
    // The server breaks a connection that listens and has 32 MB to be read yet: answers to claims would count too.
    let ears = Arc::new(link.another(Some(hear)));
    let standers = matches!(link.servers(), Servers::One(_)).then_some(standers);
    let waker = Waker { link: Arc::clone(&ears), wakes: Arc::clone(&wakes), standers: standers.clone() };
    tokio::spawn(keep(Arc::clone(&ears), waker, stop.clone()));
    Ok(Queue::new(Arc::new(Server {
        pushers: Pushers::new(Arc::clone(&link), options.replicas),
        askers: Askers::new(&options.instance),
        standers,
        link,
        ears,
        wakes,
        _listening: stop.drop_guard(),
    })))
}
