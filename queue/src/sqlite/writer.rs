//! The one writer: everything that changes the file goes through it, many changes to a commit.
//!
//! It takes what is there and never waits for more: an idle queue commits one push at once, a busy one commits
//! hundreds with one sync. It never stops while a handle lives. A fault of the connection fails the commands at hand,
//! and the next connection is opened by and by; a panic is treated alike.
//!
//! It has a thread of its own: SQLite's thread wakes it for every statement, and on a runtime of several threads each of
//! these wake-ups is two.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::command::{Command, Fault, LaneRef, Round};
use super::connect;
use super::notice::{Noticed, Time, Wakes};
use super::open::Knobs;
use super::round::{Desk, Woken};
use super::standing::{Standing, hand_back};

/// Commands that may wait; more wait in their callers.
const WAITING: usize = 1_024;
/// How often the writer looks for what nobody tells it.
const LOOK: Duration = Duration::from_millis(250);
/// How long after a fault before the file is opened again.
const REOPEN: Duration = Duration::from_millis(200);

const TIDY: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// What the writer works on.
pub(super) struct Writer {
    pub path: PathBuf,
    pub time: Arc<Time>,
    pub wakes: Arc<Wakes>,
    pub knobs: Knobs,
}

type Inbox = mpsc::Receiver<Command>;

/// Why a stretch of work ended.
enum End {
    /// Nobody will ask again; these wait to hear that the file is let go.
    Closed(Vec<oneshot::Sender<()>>),
    Fault,
}

impl Writer {
    /// Starts it on an open connection and returns where to send commands; `lock` is held until it ends.
    pub fn start(self, conn: SqliteConnection, lock: Option<File>) -> io::Result<mpsc::Sender<Command>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let inbox = Arc::new(tokio::sync::Mutex::new(receiver));
        let work = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let waiting = match runtime {
                Ok(runtime) => runtime.block_on(self.keep_going(conn, inbox)),
                Err(error) => return tracing::error!(%error, "the queue's writer cannot run"),
            };
            // The lock goes last: whoever opens the file next finds it closed.
            drop(lock);
            for reply in waiting {
                let _ = reply.send(());
            }
        };
        std::thread::Builder::new().name("queue-writer".to_owned()).spawn(work)?;
        Ok(sender)
    }

    async fn keep_going(
        self,
        conn: SqliteConnection,
        inbox: Arc<tokio::sync::Mutex<Inbox>>,
    ) -> Vec<oneshot::Sender<()>> {
        let writer = Arc::new(self);
        let mut conn = Some(conn);
        loop {
            let next = match conn.take() {
                Some(conn) => Ok(conn),
                None => writer.connect().await,
            };
            let end = match next {
                Ok(conn) => {
                    let work = Arc::clone(&writer).work(conn, Arc::clone(&inbox));
                    // A panic ends only this task; what it had in hand is dropped, which its callers see.
                    tokio::spawn(work).await.unwrap_or(End::Fault)
                }
                Err(error) => refuse_all(&mut *inbox.lock().await, &error),
            };
            match end {
                End::Closed(waiting) => return waiting,
                End::Fault => tokio::time::sleep(REOPEN).await,
            }
        }
    }

    /// Opens the file again.
    async fn connect(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut conn = connect::writer(&self.path, false).await?;
        self.turn_knobs(&mut conn).await?;
        Ok(conn)
    }

    /// Sets what only tests set.
    pub async fn turn_knobs(&self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if let Some(steps) = self.knobs.steps.clone() {
            conn.lock_handle().await?.set_progress_handler(100, move || {
                steps.fetch_add(1, Ordering::Relaxed);
                true
            });
        }
        let Some(pages) = self.knobs.max_pages else { return Ok(()) };
        let bound = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
        sqlx::raw_sql(bound).execute(conn).await.map(|_| ())
    }

    async fn work(self: Arc<Self>, conn: SqliteConnection, inbox: Arc<tokio::sync::Mutex<Inbox>>) -> End {
        let mut inbox = inbox.lock().await;
        let mut desk = match Desk::new(conn, self.knobs.never_sync).await {
            Ok(desk) => desk,
            Err(error) => return refuse_all(&mut inbox, &error),
        };
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut noticed = Noticed::default();
        let mut standing = Standing::default();
        let mut waiting = Vec::new();
        loop {
            let first = tokio::select! {
                biased;
                _ = ticks.tick() => {
                    noticed.look(&mut desk.conn, &self.time, &self.wakes).await;
                    continue;
                }
                first = inbox.recv() => first,
            };
            let Some(first) = first else { break };
            let mut round = gather(first, &mut inbox).await;
            if !round.closes.is_empty() {
                waiting.append(&mut round.closes);
                inbox.close();
            }
            if let Err(fault) = self.serve(&mut desk, &mut standing, round).await {
                tracing::error!(error = %fault.error, "the queue file could not be written");
                return if waiting.is_empty() { End::Fault } else { End::Closed(waiting) };
            }
        }
        let _ = sqlx::query(TIDY).execute(&mut desk.conn).await;
        let _ = desk.conn.close().await;
        End::Closed(waiting)
    }

    /// Carries out a round; faults that leave the connection sound are told to the callers only.
    async fn serve(&self, desk: &mut Desk, standing: &mut Standing, round: Round) -> Result<(), Fault> {
        let mut next = Some(round);
        while let Some(mut round) = next.take() {
            standing.join(&mut round);
            if round.is_empty() {
                break;
            }
            match desk.run(&round, self.time.now()).await {
                Ok((answers, woken)) => {
                    let lanes: Vec<LaneRef> = round.lanes().cloned().collect();
                    let served = standing.served(&round, &answers);
                    let unclaimed = round.reply(answers);
                    self.wake(desk, &woken, &lanes, &served);
                    for (lane, hands) in unclaimed {
                        next.get_or_insert_default().add(hand_back(lane, hands));
                    }
                }
                Err(fault) => {
                    round.fail(&fault);
                    return Err(fault);
                }
            }
        }
        Ok(())
    }

    /// Wakes those who may find something now; nobody for a lane whose jobs were all given to who stood by.
    fn wake(&self, desk: &Desk, woken: &Woken, lanes: &[LaneRef], served: &[&str]) {
        if woken.all {
            self.wakes.wake(|_| true);
        } else if !woken.lanes.is_empty() {
            let of = |name: &str| desk.lanes.get(name).is_some_and(|id| woken.lanes.contains(id));
            let may = |name: &str| lanes.iter().any(|lane| lane.name == name) && !served.contains(&name);
            self.wakes.wake(|name| may(name) && of(name));
        }
    }
}

/// Takes the first command and what else is there.
async fn gather(first: Command, inbox: &mut Inbox) -> Round {
    let mut round = Round::default();
    round.add(first);
    while !round.is_full() {
        match inbox.try_recv() {
            Ok(command) => round.add(command),
            Err(_) => break,
        }
    }
    round
}

/// Fails what waits, because the file cannot be opened.
fn refuse_all(inbox: &mut Inbox, error: &sqlx::Error) -> End {
    tracing::error!(%error, "the queue file cannot be opened");
    let fault = Fault { error: error.to_string(), unknown: false };
    loop {
        let mut round = Round::default();
        match inbox.try_recv() {
            Ok(command) => round.add(command),
            Err(mpsc::error::TryRecvError::Empty) => return End::Fault,
            Err(mpsc::error::TryRecvError::Disconnected) => return End::Closed(Vec::new()),
        }
        let waiting = std::mem::take(&mut round.closes);
        round.fail(&fault);
        if !waiting.is_empty() {
            return End::Closed(waiting);
        }
    }
}
