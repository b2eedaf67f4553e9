//! Where the server is, and opening a handle to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Client, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, TlsCertificates};
use tokio_util::sync::CancellationToken;

use crate::Queue;
use crate::wakes::Wakes;

use super::broker::Server;
use super::claim::Askers;
use super::link::Link;
use super::listen::listen;
use super::push::Pushers;

/// How a process speaks to the server.
#[derive(Clone)]
pub struct Options {
    /// `redis://…` or `rediss://…`, with user and password where there are any. The user may be one that has only
    /// `~fairy:* &fairy:* +@read +@write +@scripting +@pubsub +@connection +time`; [`super::inspect()`] also asks `+info`
    /// and `+config|get`.
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
pub struct AddressError(String);

/// A handle to the lanes on a server, which need not be there yet: what is asked while it is away fails or waits, and
/// is tried again.
///
/// # Errors
/// When the address cannot be used.
pub fn open(options: &Options) -> Result<Queue, AddressError> {
    let client = client(options)?;
    let stop = CancellationToken::new();
    let link = Arc::new(Link::new(client, options.patience, options.prefix.clone()));
    let wakes = Arc::new(Wakes::default());
    tokio::spawn(listen(Arc::clone(&link), Arc::clone(&wakes), stop.clone()));
    Ok(Queue::new(Arc::new(Server {
        pushers: Pushers::new(Arc::clone(&link), options.replicas),
        askers: Askers::new(options.instance.clone()),
        link,
        wakes,
        _listening: stop.drop_guard(),
    })))
}

/// A client that speaks RESP3, in which the server's messages come over the same connection.
pub(super) fn client(options: &Options) -> Result<Client, AddressError> {
    if options.prefix.contains(['{', '}']) {
        return Err(AddressError("a prefix has no braces".into()));
    }
    let unusable = |error: redis::RedisError| AddressError(error.to_string());
    let info = options.url.as_str().into_connection_info().map_err(unusable)?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let info = info.set_redis_settings(settings);
    if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Client::open(info).map_err(unusable);
    }
    // Whoever was first in this process may have chosen another; it will do as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = TlsCertificates { client_tls: None, root_cert: options.authority.clone() };
    Client::build_with_tls(info, certificates).map_err(unusable)
}
