//! Where the server is, and opening a handle to it.

use std::sync::Arc;
use std::time::Duration;

use redis::{Client, IntoConnectionInfo, ProtocolVersion};
use tokio_util::sync::CancellationToken;

use crate::Queue;
use crate::wakes::Wakes;

use super::broker::Server;
use super::claim::Askers;
use super::link::Link;
use super::listen::listen;
use super::push::Pushers;

/// How a process speaks to the server.
#[derive(Debug, Clone)]
pub struct Options {
    /// `redis://…` or `rediss://…`, with user and password where there are any.
    pub url: String,
    /// What the names of all keys begin with; without braces.
    pub prefix: String,
    /// A name that no other process and no other start of this one has.
    pub instance: String,
    /// How long an answer may take before it counts as lost and the connection as broken.
    pub patience: Duration,
}

/// The address cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the address of the queue cannot be used: {0}")]
pub struct AddressError(String);

/// A handle to the lanes on a server, which need not be there yet: what is asked while it is away fails or waits, and
/// is tried again.
///
/// # Errors
/// When the address cannot be used.
pub fn open(options: &Options) -> Result<Queue, AddressError> {
    let client = client(&options.url)?;
    if options.prefix.contains(['{', '}']) {
        return Err(AddressError("a prefix has no braces".into()));
    }
    let stop = CancellationToken::new();
    let link = Arc::new(Link::new(client, options.patience, options.prefix.clone()));
    let wakes = Arc::new(Wakes::default());
    tokio::spawn(listen(Arc::clone(&link), Arc::clone(&wakes), stop.clone()));
    Ok(Queue::new(Arc::new(Server {
        pushers: Pushers::new(Arc::clone(&link)),
        askers: Askers::new(options.instance.clone()),
        link,
        wakes,
        _listening: stop.drop_guard(),
    })))
}

/// A client that speaks RESP3, in which the server's messages come over the same connection.
pub(super) fn client(url: &str) -> Result<Client, AddressError> {
    let unusable = |error: redis::RedisError| AddressError(error.to_string());
    let info = url.into_connection_info().map_err(unusable)?;
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(redis)).map_err(unusable)
}
