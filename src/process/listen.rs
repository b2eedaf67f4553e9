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
    time::Sleep,
};

/// How long to wait after the system refused a connection, most likely for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest from the first byte of a request to the first of its answer: more than the longest a request may wait (60 s).
const UNANSWERED: Duration = Duration::from_secs(75);

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
                let connection = Connection::new(stream, place);
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

/// A connection that holds its place until it is closed, and is cut when a request does not come to its answer.
///
/// hyper waits for the rest of a half-sent request for ever, and poem's idle time-out only asks it to end. So the time from
/// the first byte of a request to the first byte of its answer is bounded here, where the socket is.
pub struct Connection {
    stream: TcpStream,
    unanswered: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(stream: TcpStream, place: OwnedSemaphorePermit) -> Self {
        // The first request is awaited from the start: whoever connects and says nothing holds a place as well.
        Self { stream, unanswered: Some(Box::pin(tokio::time::sleep(UNANSWERED))), _place: place }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let filled = into.filled().len();
        match Pin::new(&mut self.stream).poll_read(cx, into) {
            Poll::Pending => match &mut self.unanswered {
                Some(limit) => limit.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
                None => Poll::Pending,
            },
            ready => {
                if into.filled().len() > filled && self.unanswered.is_none() {
                    self.unanswered = Some(Box::pin(tokio::time::sleep(UNANSWERED)));
                }
                ready
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if written.is_ready() {
            self.unanswered = None;
        }
        written
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        if written.is_ready() {
            self.unanswered = None;
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn connected() -> (TcpStream, Connection) {
        let mut gate = Gate::bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1).await.unwrap();
        let client = TcpStream::connect(gate.address()).await.unwrap();
        (client, gate.accept().await.unwrap().0)
    }

    /// A minute and a quarter pass at once: the clock is set on when nothing else is left to wait for.
    async fn is_cut(connection: &mut Connection) -> bool {
        tokio::time::pause();
        let read = connection.read(&mut [0; 16]).await;
        tokio::time::resume();
        read.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
    }

    #[tokio::test]
    async fn half_a_request_is_cut() {
        let (mut client, mut connection) = connected().await;
        client.write_all(b"GET / HT").await.unwrap();
        assert_eq!(connection.read(&mut [0; 16]).await.unwrap(), 8);
        assert!(is_cut(&mut connection).await);
    }

    #[tokio::test]
    async fn an_answered_request_is_not_cut() {
        let (mut client, mut connection) = connected().await;
        client.write_all(b"GET / HTTP/1.1").await.unwrap();
        connection.read_exact(&mut [0; 14]).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        assert!(connection.unanswered.is_none(), "a live feed may go on for hours");
        client.write_all(b"GET").await.unwrap();
        connection.read_exact(&mut [0; 3]).await.unwrap();
        assert!(is_cut(&mut connection).await, "the next request is bounded again");
    }

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
