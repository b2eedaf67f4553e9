//! The one way to a server that Fairy is told of: a line that can be cut, slowed down, and made to swallow what goes over it.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::{
    Port,
    commits::{self, Commits},
};

/// What a line does with what goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Passes it on.
    Open,
    /// Connections end, and new ones are refused.
    Cut,
    /// Each piece comes this much later.
    Slow(Duration),
    /// Nothing arrives, and nobody is told: connections stay open, also those that are made meanwhile, and bring nothing
    /// more even when the line is mended.
    HalfOpen,
    /// What is asked arrives, answers do not; then the connection breaks.
    Deaf,
    /// Whoever comes is told this at once, and that is all.
    Greets(&'static str),
    /// Whoever asks is told this, and that is all.
    Answers(&'static str),
    /// Connections end, and of new ones to MariaDB commits get lost (`commits`).
    LosesCommits,
}

/// A line to a server; it ends with the value.
pub struct Line {
    port: Port,
    to: String,
    way: watch::Sender<Way>,
    commits: Arc<Commits>,
    listens: Option<JoinHandle<()>>,
}

impl Line {
    /// An open one to `host:port`.
    pub async fn to(place: impl Into<String>) -> Self {
        let way = watch::Sender::new(Way::Open);
        let commits = Arc::default();
        let mut line = Self { port: Port::claim(), to: place.into(), way, commits, listens: None };
        line.set(Way::Open).await;
        line
    }

    /// An open one to the server of a URL, and the URL over it.
    pub async fn before(url: &str) -> (Self, String) {
        let after = url.rsplit_once('@').or_else(|| url.split_once("//")).expect("a URL").1;
        let place = after.split('/').next().expect("host:port");
        let line = Self::to(place).await;
        let over = url.replace(place, &format!("127.0.0.1:{}", line.port()));
        (line, over)
    }

    /// Where it begins, on this machine.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// How many commits were done although nobody was told, and how many never arrived, since it last began to lose them.
    pub fn lost_commits(&self) -> (usize, usize) {
        self.commits.lost()
    }

    /// From now on it is so.
    pub async fn set(&mut self, way: Way) {
        if way == Way::Cut
            && let Some(listens) = self.listens.take()
        {
            listens.abort();
            assert!(listens.await.unwrap_err().is_cancelled());
        }
        if way == Way::LosesCommits {
            self.commits.begin();
        }
        self.way.send_replace(way);
        if way != Way::Cut && self.listens.is_none() {
            let listener = TcpListener::bind(("127.0.0.1", self.port.number())).await.unwrap();
            let (way, commits) = (self.way.clone(), self.commits.clone());
            self.listens = Some(tokio::spawn(listen(listener, self.to.clone(), way, commits)));
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(listens) = &self.listens {
            listens.abort();
        }
        self.way.send_replace(Way::Cut);
    }
}

async fn listen(listener: TcpListener, to: String, way: watch::Sender<Way>, commits: Arc<Commits>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(carry(near, to.clone(), way.subscribe(), commits.clone()));
    }
}

/// One connection, from its beginning on.
async fn carry(mut near: TcpStream, to: String, mut way: watch::Receiver<Way>, commits: Arc<Commits>) {
    let now = *way.borrow_and_update();
    match now {
        Way::Greets(text) => drop(near.write_all(text.as_bytes()).await),
        Way::Answers(text) => answer(&mut near, text).await,
        Way::HalfOpen => swallow(near).await,
        _ => {
            let Ok(mut far) = TcpStream::connect(to).await else { return };
            if now == Way::LosesCommits {
                return commits::carry(&mut near, &mut far, &commits, way).await;
            }
            let hold = way.clone();
            let silent = {
                let (near_read, near_write) = near.split();
                let (far_read, far_write) = far.split();
                tokio::select! {
                    silent = pass_on(near_read, far_write, way.clone(), false) => silent,
                    silent = pass_on(far_read, near_write, way, true) => silent,
                }
            };
            match silent {
                End::Over => {}
                End::Silent => drop(tokio::join!(swallow(near), held(far, hold))),
                End::Said(text) => answer(&mut near, text).await,
            }
        }
    }
}

/// How a connection ceases to be carried.
enum End {
    Over,
    Silent,
    Said(&'static str),
}

/// Carries one direction until it ends, or the line does something else with it.
async fn pass_on(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
    answers: bool,
) -> End {
    let mut bytes = vec![0; 64 * 1024];
    let mut swallowed = false;
    loop {
        let count = tokio::select! {
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => Some(count),
                _ => return End::Over,
            },
            changed = way.changed() => match changed {
                Ok(()) => None,
                Err(_) => return End::Over,
            },
        };
        let now = *way.borrow_and_update();
        match now {
            Way::Cut | Way::Greets(_) | Way::LosesCommits => return End::Over,
            Way::HalfOpen => return End::Silent,
            Way::Answers(text) if count.is_some() && !answers => return End::Said(text),
            Way::Answers(_) if count.is_some() => return End::Over,
            Way::Deaf if answers => swallowed |= count.is_some(),
            _ if swallowed => return End::Over,
            _ => {
                let Some(count) = count else { continue };
                if let Way::Slow(time) = now {
                    tokio::time::sleep(time).await;
                }
                if to.write_all(&bytes[..count]).await.is_err() {
                    return End::Over;
                }
            }
        }
    }
}

/// Keeps the far side of a silent connection until the line is mended: till then its server knows nothing.
async fn held(far: TcpStream, mut way: watch::Receiver<Way>) {
    let _ = way.wait_for(|way| *way != Way::HalfOpen).await;
    drop(far);
}

/// Keeps a connection open that brings nothing, until its other side gives it up.
async fn swallow(mut near: TcpStream) {
    let mut bytes = vec![0; 4096];
    while matches!(near.read(&mut bytes).await, Ok(1..)) {}
}

/// Hears a question out, as far as it comes at once, and answers it.
async fn answer(near: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; 64 * 1024];
    if matches!(near.read(&mut bytes).await, Ok(1..)) {
        let _ = near.write_all(text.as_bytes()).await;
    }
}
