//! The port, carried by one SQLite file.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Ask, AuditEntry, Broker, Claimed, DeadPage, Found, JobId, LaneSpec, LaneStats, NewJob, Order, Owed,
    OwedPage, Page, PushError, Pushed, QueueError, Settled, Token, Which,
};

use super::account;
use super::command::{Command, LaneRef, Operation, Reply};
use super::notice::{Time, Wakes};
use super::read;
use super::standing::hand_back;
use super::transaction::millis;

/// A handle to the writer and the readers of one file.
pub(super) struct File {
    pub commands: mpsc::Sender<Command>,
    pub readers: SqlitePool,
    pub time: Arc<Time>,
    pub wakes: Arc<Wakes>,
    /// A tool must not hand out: leases belong to the serving process.
    pub serves: bool,
}

const GONE: &str = "the queue is closed";
const TOOL: &str = "the queue was opened for an operator's tool";

impl File {
    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, QueueError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| QueueError(GONE.into()))?;
        answer.await.map_err(|_| QueueError(GONE.into()))?
    }

    async fn ask_for_hands(
        &self,
        lane: &LaneSpec,
        command: impl FnOnce(LaneRef, Reply<Claimed>) -> Command,
    ) -> Result<Claimed, QueueError> {
        self.check_serves()?;
        let (lane, (reply, answer)) = (lane_ref(lane), oneshot::channel());
        let command = command(lane.clone(), reply);
        self.commands.send(command).await.map_err(|_| QueueError(GONE.into()))?;
        let mut waiting = Waiting { lane, answer, commands: &self.commands };
        (&mut waiting.answer).await.map_err(|_| QueueError(GONE.into()))?
    }

    async fn ask_served<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, QueueError> {
        self.check_serves()?;
        self.ask(command).await
    }

    fn check_serves(&self) -> Result<(), QueueError> {
        if self.serves { Ok(()) } else { Err(QueueError(TOOL.into())) }
    }
}

/// Somebody who waits for hand-outs. If they go away, what is on its way to them is handed back; what the writer answers
/// later, it takes back itself.
struct Waiting<'f> {
    lane: LaneRef,
    answer: oneshot::Receiver<Result<Claimed, QueueError>>,
    commands: &'f mpsc::Sender<Command>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.answer.close();
        if let Ok(Ok(Claimed { hands, .. })) = self.answer.try_recv()
            && !hands.is_empty()
            && self.commands.try_send(hand_back(self.lane.clone(), hands)).is_err()
        {
            tracing::warn!(
                lane = self.lane.name,
                "jobs handed out to nobody come again when their lease lapses"
            );
        }
    }
}

fn lane_ref(lane: &LaneSpec) -> LaneRef {
    LaneRef {
        name: lane.name,
        grouped: lane.order == Order::Grouped,
        lease: lane.lease,
        batch: lane.batch.clamp(1, 500),
        group_limit: lane.group_limit,
    }
}

fn failed(error: &sqlx::Error) -> QueueError {
    QueueError(error.to_string())
}

#[async_trait]
impl Broker for File {
    async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Push(lane_ref(lane), jobs, reply);
        self.commands.send(command).await.map_err(|_| PushError::Unavailable(GONE.into()))?;
        // Without an answer the writer ended with the push in hand, perhaps after the commit.
        answer.await.map_err(|_| PushError::Unknown(GONE.into()))?
    }

    async fn find(&self, lane: &LaneSpec, unique_key: &str) -> Result<Option<Found>, QueueError> {
        read::find(&self.readers, lane.name, unique_key, self.time.now())
            .await
            .map_err(|error| failed(&error))
    }

    async fn claim(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        self.ask_for_hands(lane, |lane, reply| Command::Claim((lane, ask, reply))).await
    }

    async fn stand_by(&self, lane: &LaneSpec, ask: Ask) -> Result<Claimed, QueueError> {
        self.ask_for_hands(lane, |lane, reply| Command::StandBy((lane, ask, reply))).await
    }

    async fn renew(&self, lane: &LaneSpec, tokens: Vec<Token>) -> Result<Vec<Token>, QueueError> {
        self.ask_served(|reply| Command::Renew(lane_ref(lane), tokens, reply)).await
    }

    async fn settle(&self, lane: &LaneSpec, settled: Vec<Settled>) -> Result<Vec<Token>, QueueError> {
        self.ask_served(|reply| Command::Settle(lane_ref(lane), settled, reply)).await
    }

    async fn stats(&self, lane: &LaneSpec) -> Result<LaneStats, QueueError> {
        read::stats(&self.readers, lane.name, self.time.now()).await.map_err(|error| failed(&error))
    }

    async fn oldest_held(&self, lane: &LaneSpec) -> Result<Option<Duration>, QueueError> {
        read::oldest_held(&self.readers, lane.name, self.time.now()).await.map_err(|error| failed(&error))
    }

    async fn dead(&self, lane: &LaneSpec, page: Page) -> Result<DeadPage, QueueError> {
        read::dead(&self.readers, lane.name, &page).await.map_err(|error| failed(&error))
    }

    async fn retry_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        let operation = Operation::Retry(which);
        self.ask(|reply| Command::Operate(lane_ref(lane), operation, by.to_owned(), reply)).await
    }

    async fn owed(&self, lane: &LaneSpec, after: Option<JobId>, limit: u32) -> Result<OwedPage, QueueError> {
        account::owed(&self.readers, lane.name, after.as_ref(), limit).await.map_err(|error| failed(&error))
    }

    async fn acquit(&self, lane: &LaneSpec, known: Vec<Owed>) -> Result<(), QueueError> {
        self.ask(|reply| Command::Acquit(lane_ref(lane), known, reply)).await
    }

    async fn discard_dead(&self, lane: &LaneSpec, which: Which, by: &str) -> Result<Vec<JobId>, QueueError> {
        let operation = Operation::Discard(which);
        self.ask(|reply| Command::Operate(lane_ref(lane), operation, by.to_owned(), reply)).await
    }

    async fn pause(
        &self,
        lane: &LaneSpec,
        group: Option<&str>,
        paused: bool,
        by: &str,
    ) -> Result<(), QueueError> {
        let operation = Operation::Pause(group.map(str::to_owned), paused);
        self.ask(|reply| Command::Operate(lane_ref(lane), operation, by.to_owned(), reply)).await.map(|_| ())
    }

    async fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, QueueError> {
        read::audit(&self.readers, limit).await.map_err(|error| failed(&error))
    }

    fn wake(&self, lane: &LaneSpec) -> watch::Receiver<u64> {
        self.wakes.watch(lane.name)
    }

    async fn shift_clock(&self, by: Duration) -> Result<(), QueueError> {
        self.time.offset.fetch_add(millis(by), Ordering::Relaxed);
        self.wakes.wake(|_| true);
        Ok(())
    }

    async fn close(&self) {
        let (reply, done) = oneshot::channel();
        if self.commands.send(Command::Close(reply)).await.is_ok() {
            let _ = done.await;
        }
        self.readers.close().await;
    }
}
