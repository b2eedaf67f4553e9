//! The one connection of a process, made again whenever it breaks.
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
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, ServerErrorKind, Value};
use tokio::sync::Notify;

use super::failure::Failure;
use super::reply::{list, number};
use super::script::Call;

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(2);

/// A connection that was made.
pub(super) struct Live {
    /// Shared by all callers.
    pub connection: MultiplexedConnection,
    /// Which one it is.
    pub number: u64,
    broken: Arc<AtomicBool>,
    lanes: Mutex<HashSet<String>>,
}

/// Is given the channel and the bytes of each message, on the task that reads the connection.
pub(super) type Hear = Arc<dyn Fn(&[u8], &[u8]) + Send + Sync>;

/// How the last attempt to connect ended, so that who waited for it need not make another.
#[derive(Default)]
struct Attempts {
    made: u64,
    failed: Option<String>,
}

/// See the module.
pub(super) struct Link {
    client: Client,
    patience: Duration,
    prefix: String,
    current: Mutex<Option<Arc<Live>>>,
    attempts: tokio::sync::Mutex<Attempts>,
    begun: AtomicU64,
    closed: Arc<AtomicBool>,
    heard: Arc<Mutex<HashSet<Vec<u8>>>>,
    hear: Option<Hear>,
    /// Told when the connection broke or a message came that nobody hears.
    pub stirred: Arc<Notify>,
}

impl Link {
    /// A link that is not connected yet.
    pub fn new(client: Client, patience: Duration, prefix: String) -> Self {
        Self {
            client,
            patience,
            prefix,
            current: Mutex::default(),
            attempts: tokio::sync::Mutex::default(),
            begun: AtomicU64::new(0),
            closed: Arc::default(),
            heard: Arc::default(),
            hear: None,
            stirred: Arc::default(),
        }
    }

    /// A link whose messages are heard as they come.
    pub fn hearing(client: Client, patience: Duration, prefix: String, hear: Hear) -> Self {
        Self { hear: Some(hear), ..Self::new(client, patience, prefix) }
    }

    /// Another connection to the same server, closed with this one.
    pub fn another(&self) -> Self {
        let closed = Arc::clone(&self.closed);
        Self { closed, ..Self::new(self.client.clone(), self.patience, self.prefix.clone()) }
    }

    /// The name of a lane's own hash; all its other keys begin with it.
    pub fn key(&self, lane: &str) -> String {
        format!("{}:{{{lane}}}", self.prefix)
    }

    /// What all names begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The key of the set of all lanes' names.
    pub fn lanes_key(&self) -> String {
        format!("{}:lanes", self.prefix)
    }

    /// Channels that messages came from since this was asked last, where nobody hears them.
    pub fn heard(&self) -> HashSet<Vec<u8>> {
        std::mem::take(&mut *lock(&self.heard))
    }

    /// Lets go of the server; every later call fails.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Release);
        lock(&self.current).take();
        self.stirred.notify_one();
    }

    /// The connection, made if there is none.
    pub async fn live(&self) -> Result<Arc<Live>, Failure> {
        if let Some(live) = self.usable()? {
            return Ok(live);
        }
        let before = self.begun.load(Ordering::Acquire);
        let mut attempts = self.attempts.lock().await;
        if let Some(live) = self.usable()? {
            return Ok(live);
        }
        if let (true, Some(error)) = (attempts.made > before, &attempts.failed) {
            return Err(Failure::Refused(error.clone()));
        }
        attempts.made = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        match self.connect(attempts.made).await {
            Ok(live) => {
                attempts.failed = None;
                *lock(&self.current) = Some(Arc::clone(&live));
                self.stirred.notify_one();
                Ok(live)
            }
            Err(error) => {
                attempts.failed = Some(error.to_string());
                Err(Failure::Refused(error.to_string()))
            }
        }
    }

    fn usable(&self) -> Result<Option<Arc<Live>>, Failure> {
        if self.closed.load(Ordering::Acquire) {
            return Err(Failure::Refused("the queue is closed".into()));
        }
        let current = lock(&self.current);
        Ok(current.as_ref().filter(|live| !live.broken.load(Ordering::Acquire)).cloned())
    }

    async fn connect(&self, number: u64) -> redis::RedisResult<Arc<Live>> {
        let broken = Arc::new(AtomicBool::new(false));
        let (breaks, heard, stirred) =
            (Arc::clone(&broken), Arc::clone(&self.heard), Arc::clone(&self.stirred));
        let hear = self.hear.clone();
        let receive = move |info: PushInfo| -> Result<(), std::convert::Infallible> {
            match (info.kind, info.data.as_slice()) {
                (PushKind::Disconnection, _) => breaks.store(true, Ordering::Release),
                (PushKind::Message, [Value::BulkString(channel), Value::BulkString(message)]) => {
                    if let Some(hear) = &hear {
                        hear(channel, message);
                        return Ok(());
                    }
                    lock(&heard).insert(channel.clone());
                }
                _ => return Ok(()),
            }
            stirred.notify_one();
            Ok(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(self.patience))
            .set_push_sender(receive);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Arc::new(Live { connection, number, broken, lanes: Mutex::default() }))
    }

    /// Sends one command and waits for its answer.
    pub async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        let live = self.live().await?;
        live.send(command).await
    }

    /// Runs a script on a lane, which is entered in the list of lanes before anything is written to it.
    pub async fn run(&self, lane: &str, call: &Call) -> Result<Value, Failure> {
        let live = self.live().await?;
        self.run_on(&live, lane, call).await
    }

    /// Runs a script as [`Self::run`] does, and waits until what it wrote is on the disks of so many replicas.
    ///
    /// The connection does nothing else meanwhile, so who calls this has a link of its own.
    pub async fn run_replicated(&self, lane: &str, call: &Call, replicas: u32) -> Result<Value, Failure> {
        let live = self.live().await?;
        let answer = self.run_on(&live, lane, call).await?;
        let most = self.patience.mul_f64(0.8).as_millis();
        let mut wait = redis::cmd("WAITAOF");
        wait.arg(1).arg(replicas).arg(u64::try_from(most).unwrap_or(u64::MAX));
        let unknown = |failure: Failure| Failure::Unknown(failure.text().to_owned());
        let counts = list(live.send(&wait).await.map_err(unknown)?).map_err(unknown)?;
        let acknowledged = counts.get(1).map(number).transpose().map_err(unknown)?.unwrap_or(0);
        if acknowledged < i64::from(replicas) {
            let text = format!("{acknowledged} of {replicas} replicas have it on disk");
            return Err(Failure::Unknown(text));
        }
        Ok(answer)
    }

    async fn run_on(&self, live: &Live, lane: &str, call: &Call) -> Result<Value, Failure> {
        if !lock(&live.lanes).contains(lane) {
            match live.send(redis::cmd("SADD").arg(self.lanes_key()).arg(lane)).await {
                Ok(_) => drop(lock(&live.lanes).insert(lane.to_owned())),
                // A server that is full has no room for the name, and must be worked all the same.
                Err(Failure::Refused(_)) => {}
                // Nothing of the call itself was sent yet.
                Err(Failure::Unknown(text)) => return Err(Failure::Refused(text)),
            }
        }
        self.read(live, call).await
    }

    /// Runs a script that writes nothing of a lane.
    pub async fn look(&self, call: &Call) -> Result<Value, Failure> {
        let live = self.live().await?;
        self.read(&live, call).await
    }

    async fn read(&self, live: &Live, call: &Call) -> Result<Value, Failure> {
        match live.give(call.command()).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                live.send(&call.load())
                    .await
                    .map_err(|failure| Failure::Refused(failure.text().to_owned()))?;
                live.send(call.command()).await
            }
            answer => answer.map_err(|error| Failure::of(&error)),
        }
    }
}

impl Live {
    /// Sends one command.
    pub async fn send(&self, command: &Cmd) -> Result<Value, Failure> {
        self.give(command).await.map_err(|error| Failure::of(&error))
    }

    /// Sends one command; a connection on which an answer was lost is not used again.
    async fn give(&self, command: &Cmd) -> redis::RedisResult<Value> {
        let mut connection = self.connection.clone();
        let answer = connection.send_packed_command(command).await.and_then(Value::extract_error);
        if answer.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) {
            self.broken.store(true, Ordering::Release);
        }
        answer
    }
}

/// No code panics while it holds these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
