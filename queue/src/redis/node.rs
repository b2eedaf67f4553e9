//! A connection to a server that all of a process share, made again whenever it breaks. Who listens has one to itself.
//!
//! All calls share it and are pipelined. A call that finds no connection makes one, and those that come meanwhile wait
//! for that attempt and share how it ends; so while the server is away, calls fail as fast as one attempt does, and
//! *certainly without effect*. A call whose answer does not come in time breaks the connection, because answers come
//! in order: whoever waits behind it would wait in vain.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, PushInfo, PushKind, Value};
use tokio::sync::Notify;

use super::failure::Failure;

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(2);

/// A connection that was made.
pub(super) struct Live {
    /// Shared by all callers.
    connection: MultiplexedConnection,
    /// Which one it is, of all that the link made.
    pub number: u64,
    broken: Arc<AtomicBool>,
    /// Lanes that were entered in the list of lanes over it.
    pub lanes: Mutex<HashSet<String>>,
}

/// Is given the channel and the bytes of each message, on the task that reads the connection.
pub(super) type Hear = Arc<dyn Fn(&[u8], &[u8]) + Send + Sync>;

/// What the connections of a link have in common.
pub(super) struct Shared {
    /// How long an answer may take.
    pub patience: Duration,
    /// Set once nothing is asked any more.
    pub closed: Arc<AtomicBool>,
    /// Told when a connection broke or was made.
    pub stirred: Arc<Notify>,
    hear: Option<Hear>,
    made: AtomicU64,
}

impl Shared {
    /// Nothing was made yet.
    pub fn new(patience: Duration, closed: Arc<AtomicBool>, hear: Option<Hear>) -> Self {
        Self { patience, closed, stirred: Arc::default(), hear, made: AtomicU64::new(0) }
    }
}

/// How the last attempt to connect ended, so that who waited for it need not make another.
#[derive(Default)]
struct Attempts {
    made: u64,
    failed: Option<Failure>,
}

/// See the module.
pub(super) struct Node {
    client: Client,
    shared: Arc<Shared>,
    current: Mutex<Option<Arc<Live>>>,
    attempts: tokio::sync::Mutex<Attempts>,
    begun: AtomicU64,
}

impl Node {
    /// A server that is not connected to yet.
    pub fn new(client: Client, shared: Arc<Shared>) -> Self {
        let (current, attempts, begun) = (Mutex::default(), tokio::sync::Mutex::default(), AtomicU64::new(0));
        Self { client, shared, current, attempts, begun }
    }

    /// Another connection to the same server.
    pub fn another(&self, shared: Arc<Shared>) -> Self {
        Self::new(self.client.clone(), shared)
    }

    /// Lets go of the server.
    pub fn close(&self) {
        lock(&self.current).take();
    }

    /// The connection, made if there is none.
    pub async fn live(&self) -> Result<Arc<Live>, Failure> {
        if self.shared.closed.load(Ordering::Acquire) {
            return Err(Failure::Refused("the queue is closed".into()));
        }
        if let Some(live) = self.connected() {
            return Ok(live);
        }
        let before = self.begun.load(Ordering::Acquire);
        let mut attempts = self.attempts.lock().await;
        if let Some(live) = self.connected() {
            return Ok(live);
        }
        if let (true, Some(failure)) = (attempts.made > before, &attempts.failed) {
            return Err(failure.clone());
        }
        attempts.made = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        match self.connect().await {
            Ok(live) => {
                attempts.failed = None;
                *lock(&self.current) = Some(Arc::clone(&live));
                self.shared.stirred.notify_one();
                Ok(live)
            }
            Err(error) => {
                let failure = Failure::to_connect(&error);
                attempts.failed = Some(failure.clone());
                Err(failure)
            }
        }
    }

    /// The connection, if there is one.
    pub fn connected(&self) -> Option<Arc<Live>> {
        lock(&self.current).as_ref().filter(|live| !live.broken.load(Ordering::Acquire)).cloned()
    }

    async fn connect(&self) -> redis::RedisResult<Arc<Live>> {
        let broken = Arc::new(AtomicBool::new(false));
        let (breaks, stirred) = (Arc::clone(&broken), Arc::clone(&self.shared.stirred));
        let hear = self.shared.hear.clone();
        let receive = move |info: PushInfo| -> Result<(), std::convert::Infallible> {
            match (info.kind, info.data.as_slice()) {
                (PushKind::Disconnection, _) => {
                    breaks.store(true, Ordering::Release);
                    stirred.notify_one();
                }
                (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
                    if let Some(hear) = &hear {
                        hear(channel, message);
                    }
                }
                _ => {}
            }
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(self.shared.patience))
            .set_push_sender(receive);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        let number = self.shared.made.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Arc::new(Live { connection, number, broken, lanes: Mutex::default() }))
    }
}

impl Live {
    /// Sends one command.
    pub async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        self.give(command).await.map_err(|error| Failure::of(&error))
    }

    /// Sends one command; a connection on which an answer was lost is not used again.
    pub async fn give(&self, command: &Cmd) -> redis::RedisResult<Value> {
        let mut connection = self.connection.clone();
        let answer = connection.send_packed_command(command).await.and_then(Value::extract_error);
        if answer.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) {
            self.broken.store(true, Ordering::Release);
        }
        answer
    }
}

/// No code panics while it holds these locks.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
