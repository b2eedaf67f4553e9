//! Listeners that hold no more connections than they were told, and go on when the system runs short.
//!
//! poem's own acceptor takes every connection at once and comes back at once when `accept` fails, which turns a lack of
//! file descriptors into a busy loop. Beyond the limit a connection waits in the system's backlog.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long to wait after the system refused a connection, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound listener with a limit of connections.
pub struct Gate {
    listener: TcpListener,
    address: SocketAddr,
    places: Arc<Semaphore>,
}

impl Gate {
    /// Binds the address.
    ///
    /// # Errors
    /// When the system does not give it.
    pub async fn bind(address: SocketAddr, connections: usize) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { address: listener.local_addr()?, listener, places: Arc::new(Semaphore::new(connections)) })
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
        match self.listener.accept().await {
            Ok((stream, from)) => {
                // Answers are small and somebody waits for each: none is held back to fill a packet.
                stream.set_nodelay(true)?;
                let connection = Connection { stream, _place: place };
                Ok((connection, LocalAddr(self.address.into()), RemoteAddr(from.into()), Scheme::HTTP))
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(PAUSE).await;
                Err(error)
            }
        }
    }
}

/// A connection that holds its place until it is closed.
pub struct Connection {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

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
