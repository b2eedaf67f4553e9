//! A line to a server that can be cut: always, or at the moment at which a transaction is committed.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What happens to what goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Line {
    Whole,
    /// `COMMIT` is taken off the line on its way there.
    CutBeforeCommit,
    /// The answer to `COMMIT` is taken off on its way back.
    CutAfterCommit,
    /// Nothing goes through, and nobody comes.
    Cut,
}

/// The end of a packet that asks for it.
const COMMIT: &[u8] = b"\x03COMMIT";

/// The line, through a port of its own.
pub struct Proxy {
    pub port: u16,
    line: Arc<AtomicU8>,
}

impl Proxy {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let line = Arc::new(AtomicU8::new(Line::Whole as u8));
        let state = line.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, server, state.clone()));
            }
        });
        Self { port, line }
    }

    pub fn becomes(&self, line: Line) {
        self.line.store(line as u8, Ordering::SeqCst);
    }
}

/// Copies both ways until an end closes or the line is cut; then both ends see it.
async fn forward(mut client: TcpStream, server: u16, line: Arc<AtomicU8>) {
    let is = |state: Line| line.load(Ordering::SeqCst) == state as u8;
    if is(Line::Cut) {
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", server)).await else { return };
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut committing = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                committing = asked[..count].ends_with(COMMIT);
                if is(Line::Cut) || committing && is(Line::CutBeforeCommit) {
                    return;
                }
                if server.write_all(&asked[..count]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if is(Line::Cut) || committing && is(Line::CutAfterCommit) {
                    return;
                }
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
