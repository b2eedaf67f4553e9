//! A line to MariaDB on which commits of applied operations get lost: in turn one loses its answer, one goes through, one does
//! not arrive, one goes through.
//!
//! A transaction that applies operations is told by the statement that claims them. A connection sends its text once and
//! a number from then on, so each connection lasts until its first such commit.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};

use super::Way;

/// How the statement begins that claims operations.
const CLAIM: &[u8] = b"INSERT IGNORE INTO operations ";
/// The end of a packet that asks to commit.
const COMMIT: &[u8] = b"\x03COMMIT";
/// How an answer begins that says "done", after the four bytes before each packet.
const DONE: u8 = 0;

/// What became of the commits on a line.
#[derive(Debug, Default)]
pub struct Commits {
    asked: AtomicUsize,
    unanswered: AtomicUsize,
    unheard: AtomicUsize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unanswered,
    Unheard,
    Answered,
}

impl Commits {
    /// How many were done although nobody was told, and how many never arrived.
    pub fn lost(&self) -> (usize, usize) {
        (self.unanswered.load(Ordering::Relaxed), self.unheard.load(Ordering::Relaxed))
    }

    /// Begins to count.
    pub fn begin(&self) {
        for count in [&self.asked, &self.unanswered, &self.unheard] {
            count.store(0, Ordering::Relaxed);
        }
    }

    fn next(&self) -> Fate {
        match self.asked.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => Fate::Unanswered,
            2 => Fate::Unheard,
            _ => Fate::Answered,
        }
    }
}

/// Carries one connection until its commit, or until the line becomes another.
pub async fn carry(
    near: &mut TcpStream,
    far: &mut TcpStream,
    commits: &Commits,
    mut way: watch::Receiver<Way>,
) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    let (mut claims, mut fate) = (false, None);
    loop {
        tokio::select! {
            read = near.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let asked = &asked[..count];
                claims |= asked.windows(CLAIM.len()).any(|text| text == CLAIM);
                if claims && asked.ends_with(COMMIT) {
                    fate = Some(commits.next());
                }
                if fate == Some(Fate::Unheard) {
                    commits.unheard.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                if far.write_all(asked).await.is_err() {
                    return;
                }
            }
            read = far.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if fate == Some(Fate::Unanswered) {
                    let done = answered[..count].get(4) == Some(&DONE);
                    commits.unanswered.fetch_add(usize::from(done), Ordering::Relaxed);
                    return;
                }
                if near.write_all(&answered[..count]).await.is_err() || fate.is_some() {
                    return;
                }
            }
            () = until_another(&mut way) => return,
        }
    }
}

async fn until_another(way: &mut watch::Receiver<Way>) {
    // A line that is gone is another, too.
    let _ = way.wait_for(|way| *way != Way::LosesCommits).await;
}
