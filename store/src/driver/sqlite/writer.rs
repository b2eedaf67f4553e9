//! The one writer of SQLite: units of work that wait together are committed together.
//!
//! A durable commit costs a flush of the disk, whatever it holds. So the writer takes what waits, runs each unit in a
//! savepoint of its own within one transaction, and answers all of them after the one commit. What must stay true: a unit
//! that fails is rolled back alone; nobody is answered before the commit; once begun, a unit is not torn by its caller's
//! going away, for it runs here, not there.
//!
//! It has a thread of its own: SQLite's thread wakes it for every statement, and on a runtime of several threads each of
//! these wake-ups is two.

use std::{panic::AssertUnwindSafe, sync::Arc, thread, time::Duration};

use async_trait::async_trait;
use fairy_jobs::ports::{PortError, PortResult};
use futures::{FutureExt as _, future::BoxFuture};
use sqlx::{Connection as _, Executor as _, sqlite::SqliteConnection};
use tokio::{
    runtime,
    sync::{Mutex, mpsc, oneshot},
    time::Instant,
};

use super::{Failed, Opener, commit_error};
use crate::driver::Connection;

/// Units that may wait for the writer; who comes later waits for a place.
const QUEUE: usize = 1024;
/// Units in one transaction.
const GROUP: usize = 64;
/// How long a transaction takes in more units: what comes later waits for the next.
const GROUP_TIME: Duration = Duration::from_millis(20);

/// These go with the statements of the first unit, and those that end a unit with the last ones of it.
const BEGIN: &str = "BEGIN IMMEDIATE; SAVEPOINT unit";
const NEXT: &str = "RELEASE unit; SAVEPOINT unit";
const COMMIT: &str = "RELEASE unit; COMMIT";

/// Gives units of work to the writing thread.
#[derive(Clone)]
pub(crate) struct Writer {
    units: mpsc::Sender<Message>,
    ended: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
}

enum Message {
    Unit(Box<dyn Unit>),
    Close,
}

impl Writer {
    /// Starts the writing thread with a connection.
    pub async fn start(opener: Opener) -> Result<Self, sqlx::Error> {
        let connection = opener.writer().await?;
        let (units, waiting) = mpsc::channel(QUEUE);
        let desk = Desk { opener, connection: Some(connection), waiting };
        let (ending, ended) = oneshot::channel();
        let work = move || {
            match runtime::Builder::new_current_thread().enable_time().build() {
                Ok(runtime) => runtime.block_on(desk.serve()),
                Err(error) => tracing::error!(%error, "the store's writer cannot run"),
            }
            // Whoever closes may have gone away.
            let _ = ending.send(());
        };
        thread::Builder::new().name("store-units".to_owned()).spawn(work)?;
        Ok(Self { units, ended: Arc::new(Mutex::new(Some(ended))) })
    }

    /// Runs a unit of work: all of it is written and durable when this answers `Ok`, and nothing of it on an error but
    /// `Unknown`. If the caller goes away, the unit is done whole or not begun.
    pub async fn write<T, F>(&self, work: F) -> PortResult<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let unit = Pending { work: Some(work), result: None, reply };
        let sent = self.units.send(Message::Unit(Box::new(unit))).await;
        sent.map_err(|_| PortError::Unavailable("the store is closed".to_owned()))?;
        answer.await.map_err(|_| PortError::Unknown("the store was closed meanwhile".to_owned()))?
    }

    /// Does what waits, then ends the thread and its connection.
    pub async fn close(&self) {
        let ended = self.ended.lock().await.take();
        if let Some(ended) = ended {
            // If the thread is gone already there is nobody to tell.
            drop(self.units.send(Message::Close).await);
            drop(ended.await);
        }
    }
}

#[async_trait]
trait Unit: Send {
    fn is_abandoned(&self) -> bool;
    /// Does its work, which may leave writes that wait, and says whether it went well.
    async fn run(&mut self, connection: &mut Connection<'_>) -> bool;
    /// What it did is undone, for this reason.
    fn undone(&mut self, error: PortError);
    fn answer(self: Box<Self>, end: Result<(), PortError>);
}

struct Pending<T, F> {
    work: Option<F>,
    result: Option<PortResult<T>>,
    reply: oneshot::Sender<PortResult<T>>,
}

#[async_trait]
impl<T, F> Unit for Pending<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Send + 'static,
{
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    async fn run(&mut self, connection: &mut Connection<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let end = AssertUnwindSafe(async { work(connection).await }).catch_unwind().await;
        let result = end.unwrap_or_else(|_| Err(PortError::Broken("a unit of work panicked".to_owned())));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn undone(&mut self, error: PortError) {
        self.result = Some(Err(error));
    }

    fn answer(self: Box<Self>, end: Result<(), PortError>) {
        let result = match (self.result, end) {
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (Some(result), Ok(())) => result,
            (None, Ok(())) => Err(PortError::Broken("a unit of work was not run".to_owned())),
        };
        // Nobody to answer if the caller went away.
        drop(self.reply.send(result));
    }
}

struct Desk {
    opener: Opener,
    connection: Option<SqliteConnection>,
    waiting: mpsc::Receiver<Message>,
}

impl Desk {
    async fn serve(mut self) {
        let mut next = None;
        loop {
            let first = match next.take() {
                Some(unit) => unit,
                None => match self.waiting.recv().await {
                    Some(Message::Unit(unit)) => unit,
                    Some(Message::Close) | None => break,
                },
            };
            let mut group = Vec::new();
            let done = AssertUnwindSafe(self.transact(first, &mut group, &mut next)).catch_unwind().await;
            let end = done.unwrap_or_else(|_| Err(PortError::Unknown("a transaction panicked".to_owned())));
            if end.is_err() {
                // What state the connection is in is not known: a new one starts clean. Dropping it rolls back.
                self.connection = None;
            }
            if let Err(error) = &end {
                tracing::warn!(%error, units = group.len(), "a transaction of the store was lost");
            }
            for unit in group {
                unit.answer(end.clone());
            }
        }
        self.waiting.close();
        while let Some(message) = self.waiting.recv().await {
            if let Message::Unit(unit) = message {
                unit.answer(Err(PortError::Unavailable("the store is closed".to_owned())));
            }
        }
        if let Some(connection) = self.connection.take() {
            drop(connection.close().await);
        }
    }

    /// Runs the first unit and those that wait behind it in one transaction; all that were begun are in `group`. One that was
    /// not is `next` for another transaction.
    async fn transact(
        &mut self,
        first: Box<dyn Unit>,
        group: &mut Vec<Box<dyn Unit>>,
        next: &mut Option<Box<dyn Unit>>,
    ) -> PortResult<()> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            lost => match self.opener.writer().await {
                Ok(connection) => lost.insert(connection),
                Err(error) => {
                    group.push(first);
                    return Err(super::error(error));
                }
            },
        };
        *next = Some(first);
        run_group(connection, &mut self.waiting, group, next).await
    }
}

async fn run_group(
    connection: &mut SqliteConnection,
    waiting: &mut mpsc::Receiver<Message>,
    group: &mut Vec<Box<dyn Unit>>,
    next: &mut Option<Box<dyn Unit>>,
) -> PortResult<()> {
    let start = Instant::now();
    let mut lead = Some(BEGIN);
    let (mut kept, mut open) = (false, false);
    while let Some(mut unit) = next.take() {
        let abandoned = unit.is_abandoned();
        let mut c = Connection::sqlite_unit(connection, lead);
        let went_well = !abandoned && unit.run(&mut c).await;
        if group.len() + 1 < GROUP && start.elapsed() < GROUP_TIME {
            *next = another(waiting);
        }
        if abandoned {
            continue;
        }
        group.push(unit);
        lead = None;
        let (unit, end) = (group.last_mut(), if next.is_some() { NEXT } else { COMMIT });
        let ended = if went_well { c.end(end).await } else { Ok(()) };
        if went_well && ended.is_ok() {
            (kept, open) = (true, next.is_some());
            continue;
        }
        // Disk full and I/O errors end the transaction by themselves (<https://www.sqlite.org/lang_transaction.html>), and a
        // commit that failed has let the savepoint go; then there is none to go back to, and everybody in the group is
        // told.
        match (c.roll_back("ROLLBACK TO unit").await, ended) {
            (Ok(()), Ok(())) => {}
            (Ok(()), Err(failed)) => drop(unit.map(|unit| unit.undone(super::error(failed.error)))),
            (Err(_), Err(Failed { error, last: true })) if end == COMMIT => return Err(commit_error(&error)),
            (Err(Failed { error, .. }), _) => {
                return Err(PortError::Unavailable(format!("the transaction was given up: {error}")));
            }
        }
        open = true;
    }
    let end = if kept { COMMIT } else { "ROLLBACK" };
    if open {
        connection.execute(end).await.map_err(|error| commit_error(&error))?;
    }
    Ok(())
}

/// The next unit, if one waits.
fn another(waiting: &mut mpsc::Receiver<Message>) -> Option<Box<dyn Unit>> {
    match waiting.try_recv() {
        Ok(Message::Unit(unit)) => Some(unit),
        // Who closes has seen its own units answered; the channel is drained by `recv` once it is closed.
        Ok(Message::Close) => {
            waiting.close();
            None
        }
        Err(_) => None,
    }
}
