//! A connection that is cut when it does not get on.
//!
//! hyper waits for the rest of a half-sent request for ever, and for a reader that does not read; poem's idle time-out only
//! asks a connection to end. So three times are bounded here, where the socket is: from the first byte of a request to the
//! first byte of its answer, how long a write may find no room, and how long nothing moves at all.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep, sleep_until},
};

use super::listen::Place;

/// The longest from the first byte of a request to the first of its answer: what the API itself allows, and a little for
/// the way there and back.
pub const UNANSWERED: Duration = fairy_api::LONGEST_REQUEST.saturating_add(Duration::from_secs(10));
/// How long a write may find no room because the other side does not read.
const UNREAD: Duration = Duration::from_secs(60);
/// How long nothing at all may move: longer than any answer may take, and than the pause between two heartbeats.
const QUIET: Duration = UNANSWERED.saturating_add(Duration::from_secs(20));
/// What hyper sends when a client asks whether to send its body: not an answer yet.
const CONTINUE: &[u8] = b"HTTP/1.1 100 ";

type Limit = Option<Pin<Box<Sleep>>>;

/// A connection that holds its place until it is closed.
pub struct Connection {
    stream: TcpStream,
    /// Runs while a request is not answered.
    unanswered: Limit,
    /// Runs while a write finds no room.
    unread: Limit,
    /// Runs always; when it ends it is looked at when something last moved.
    quiet: Pin<Box<Sleep>>,
    moved: Instant,
    _place: Place,
}

impl Connection {
    /// A connection whose first request is awaited from now on: whoever connects and says nothing holds a place as well.
    pub fn new(stream: TcpStream, place: Place) -> Self {
        Self {
            stream,
            unanswered: Some(Box::pin(sleep(UNANSWERED))),
            unread: None,
            quiet: Box::pin(sleep(QUIET)),
            moved: Instant::now(),
            _place: place,
        }
    }

    /// Whether nothing has moved for too long.
    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.quiet.as_mut().poll(cx).is_ready() {
            let until = self.moved + QUIET;
            if Instant::now() >= until {
                return Poll::Ready(());
            }
            self.quiet = Box::pin(sleep_until(until));
        }
        Poll::Pending
    }

    /// What a write came to: an error once it found no room for too long.
    fn written(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
        begins: &[u8],
    ) -> Poll<io::Result<usize>> {
        if written.is_pending() {
            let limit = self.unread.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
            return limit.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        self.unread = None;
        self.moved = Instant::now();
        if !begins.starts_with(CONTINUE) {
            self.unanswered = None;
        }
        written
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
            Poll::Pending => {
                let late = self.unanswered.as_mut().is_some_and(|limit| limit.as_mut().poll(cx).is_ready());
                match late || self.poll_quiet(cx).is_ready() {
                    true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                    false => Poll::Pending,
                }
            }
            ready => {
                if into.filled().len() > filled {
                    self.moved = Instant::now();
                    self.unanswered.get_or_insert_with(|| Box::pin(sleep(UNANSWERED)));
                }
                ready
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.written(cx, written, bytes)
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
        self.written(cx, written, slices.first().map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, net::SocketAddr};

    use poem::listener::Acceptor as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::{super::listen::Gate, *};

    async fn connected() -> (TcpStream, Connection) {
        let mut gate = Gate::bind(SocketAddr::from(([127, 0, 0, 1], 0)), 1).await.unwrap();
        let client = TcpStream::connect(gate.address()).await.unwrap();
        (client, gate.accept().await.unwrap().0)
    }

    /// How long it takes until the connection is cut. The time passes at once: the clock is set on when nothing else is left to
    /// wait for.
    async fn cut(mut end: impl AsyncFnMut() -> io::Result<usize>) -> Duration {
        tokio::time::pause();
        let start = Instant::now();
        let ended = end().await;
        let took = start.elapsed();
        tokio::time::resume();
        assert_eq!(ended.map_err(|error| error.kind()), Err(io::ErrorKind::TimedOut));
        took
    }

    #[tokio::test]
    async fn half_a_request_is_cut_but_not_before_the_api_could_have_answered() {
        let (mut client, mut connection) = connected().await;
        client.write_all(b"GET / HT").await.unwrap();
        assert_eq!(connection.read(&mut [0; 16]).await.unwrap(), 8);
        let took = cut(async || connection.read(&mut [0; 16]).await).await;
        assert!(
            took >= Duration::from_secs(30 + 10 + 60),
            "{took:?}: body, push and wait may take this long"
        );
        assert!(took < QUIET);
    }

    #[tokio::test]
    async fn an_answered_request_is_not_cut_as_one_that_is_not() {
        let (mut client, mut connection) = connected().await;
        client.write_all(b"GET / HTTP/1.1").await.unwrap();
        connection.read_exact(&mut [0; 14]).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        assert!(connection.unanswered.is_none(), "a live feed may go on for hours");
        client.write_all(b"GET").await.unwrap();
        connection.read_exact(&mut [0; 3]).await.unwrap();
        let took = cut(async || connection.read(&mut [0; 16]).await).await;
        assert!(took < QUIET, "{took:?}: the next request is bounded again");
    }

    #[tokio::test]
    async fn to_be_told_to_go_on_is_no_answer() {
        let (mut client, mut connection) = connected().await;
        client.write_all(b"POST / HTTP/1.1").await.unwrap();
        connection.read_exact(&mut [0; 15]).await.unwrap();
        connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        assert!(connection.unanswered.is_some());
    }

    #[tokio::test]
    async fn who_does_not_read_is_cut() {
        let (client, mut connection) = connected().await;
        let bytes = vec![0; 1 << 20];
        // The system takes what its buffers hold; then there is no room.
        while poll_fn(|cx| Poll::Ready(Pin::new(&mut connection).poll_write(cx, &bytes))).await.is_ready() {}
        let took = cut(async || connection.write(&bytes).await).await;
        assert!(took < UNREAD * 2, "{took:?}");
        drop(client);
    }

    #[tokio::test]
    async fn where_nothing_moves_is_cut_and_where_something_does_is_not() {
        let (_client, mut connection) = connected().await;
        connection.write_all(b"HTTP/1.1 200 OK").await.unwrap();
        tokio::time::pause();
        tokio::time::advance(QUIET - Duration::from_secs(1)).await;
        connection.write_all(b": heartbeat\n").await.unwrap();
        tokio::time::resume();
        let took = cut(async || connection.read(&mut [0; 16]).await).await;
        assert!(took > QUIET - Duration::from_secs(1), "{took:?}: a heartbeat begins the time anew");
    }
}
