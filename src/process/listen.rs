//! Listeners that hold no more connections than they were told, give nobody all of them, and go on when the system runs
//! short.
//!
//! poem's own acceptor takes every connection at once and comes back at once when `accept` fails, which turns a lack of
//! file descriptors into a busy loop. Beyond the limit a connection waits in the system's backlog; one beyond the share of
//! its address is closed, because waiting it would stand in the way of the others.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{
    connection::Connection,
    shares::{Share, Shares},
};

/// How long to wait after the system refused a connection, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound listener with a limit of connections.
pub struct Gate {
    listener: TcpListener,
    address: SocketAddr,
    places: Arc<Semaphore>,
    shares: Shares,
}

/// A connection's place, given back when it is dropped.
pub struct Place {
    _place: OwnedSemaphorePermit,
    _share: Share,
}

impl Gate {
    /// Binds the address.
    ///
    /// # Errors
    /// When the system does not give it.
    pub async fn bind(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let places = Arc::new(Semaphore::new(connections));
        Ok(Self { address: listener.local_addr()?, listener, places, shares: Shares::without_limit() })
    }

    /// The same with this many connections at most for each address that is not this machine's own.
    #[must_use]
    pub fn sharing(self, most: usize) -> Self {
        Self { shares: Shares::of(most), ..self }
    }

    /// The address it got.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Acceptor for Gate {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![LocalAddr(self.address.into())]
    }

    async fn accept(&mut self) -> io::Result<(Connection, LocalAddr, RemoteAddr, Scheme)> {
        let place = self.places.clone().acquire_owned().await.map_err(io::Error::other)?;
        loop {
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                    return Err(error);
                }
            };
            let Some(share) = self.shares.take(from.ip()) else {
                tracing::debug!("a connection beyond the share of its address was closed");
                continue;
            };
            // Answers are small and somebody waits for each: none is held back to fill a packet.
            stream.set_nodelay(true)?;
            let connection = Connection::new(stream, Place { _place: place, _share: share });
            return Ok((connection, LocalAddr(self.address.into()), RemoteAddr(from.into()), Scheme::HTTP));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn beyond_the_limit_a_connection_waits_for_a_place() {
        let mut gate = Gate::bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1).await.unwrap();
        let address = gate.address();
        let (_one, _two) = tokio::join!(TcpStream::connect(address), TcpStream::connect(address));
        let (first, ..) = gate.accept().await.unwrap();
        assert!(gate.accept().now_or_never().is_none());
        drop(first);
        assert!(gate.accept().await.is_ok());
    }
}
