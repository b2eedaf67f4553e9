//! The way to what carries the lanes: one server, or the node of a Cluster that has the lane.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::address::Address;
use super::cluster::Cluster;
use super::failure::Failure;
use super::node::{Hear, Live, Node, Shared, lock};
use super::options::{AddressError, Options};
use super::reply::{list, number};
use super::script::{Call, Errand};
use super::slots::slot_of;

/// How long no lane is entered in the list of lanes after that failed.
const REST: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Link {
    prefix: String,
    lanes_key: String,
    shared: Arc<Shared>,
    servers: Servers,
    /// When the list of lanes could not be reached.
    unlisted: Mutex<Option<Instant>>,
}

/// Who has the keys.
pub(super) enum Servers {
    /// This one all of them.
    One(Node),
    /// Each some.
    Many(Cluster),
}

impl Link {
    /// A link that is not connected yet; messages are heard by `hear`.
    pub fn new(options: &Options, hear: Option<Hear>) -> Result<Self, AddressError> {
        let address = Address::parse(options)?;
        let shared = Arc::new(Shared::new(options.patience, Arc::default(), hear));
        let servers = if address.is_cluster {
            Servers::Many(Cluster::new(Arc::new(address), Arc::clone(&shared)))
        } else {
            let client = address.first().map_err(|error| AddressError(error.to_string()))?;
            Servers::One(Node::new(client, Arc::clone(&shared)))
        };
        Ok(Self::over(servers, shared, options.prefix.clone()))
    }

    fn over(servers: Servers, shared: Arc<Shared>, prefix: String) -> Self {
        let lanes_key = format!("{prefix}:lanes");
        Self { prefix, lanes_key, shared, servers, unlisted: Mutex::default() }
    }

    /// Other connections to the same servers, of no more use once this one is closed; messages are heard by `hear`.
    pub fn another(&self, hear: Option<Hear>) -> Self {
        let closed: Arc<AtomicBool> = Arc::clone(&self.shared.closed);
        let shared = Arc::new(Shared::new(self.shared.patience, closed, hear));
        let servers = match &self.servers {
            Servers::One(node) => Servers::One(node.another(Arc::clone(&shared))),
            Servers::Many(cluster) => Servers::Many(cluster.another(Arc::clone(&shared))),
        };
        Self::over(servers, shared, self.prefix.clone())
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
    pub fn lanes_key(&self) -> &str {
        &self.lanes_key
    }

    /// Who has the keys.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Waits until a connection broke or was made.
    pub async fn stirred(&self) {
        self.shared.stirred.notified().await;
    }

    /// Lets go of the server; every later call fails.
    pub fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        match &self.servers {
            Servers::One(node) => node.close(),
            Servers::Many(cluster) => cluster.close(),
        }
        self.shared.stirred.notify_one();
    }

    /// The connection over which messages come and go.
    pub async fn ear(&self) -> Result<Arc<Live>, Failure> {
        match &self.servers {
            Servers::One(node) => node.live().await,
            Servers::Many(cluster) => cluster.ear().await,
        }
    }

    async fn carry(&self, key: &str, errand: Errand<'_>) -> Result<(Arc<Live>, Value), Failure> {
        match &self.servers {
            Servers::One(node) => {
                let live = node.live().await?;
                let value = errand.on(&live).await?;
                Ok((live, value))
            }
            Servers::Many(cluster) => cluster.carry(slot_of(key), errand).await,
        }
    }

    /// Sends one command about a key and waits for its answer.
    pub async fn send(&self, key: &str, command: &Cmd) -> Result<Value, Failure> {
        Ok(self.carry(key, Errand::Command(command)).await?.1)
    }

    /// Runs a script that writes nothing of a lane.
    pub async fn look(&self, call: &Call) -> Result<Value, Failure> {
        Ok(self.carry(call.key(), Errand::Call(call)).await?.1)
    }

    /// Runs a script on a lane, which is entered in the list of lanes before anything is written to it.
    pub async fn run(&self, lane: &str, call: &Call) -> Result<Value, Failure> {
        self.enter(lane).await?;
        self.look(call).await
    }

    /// Runs a script as [`Self::run`] does, and waits until what it wrote is on the disks of so many replicas.
    ///
    /// The connection does nothing else meanwhile, so who calls this has a link of its own.
    pub async fn run_replicated(&self, lane: &str, call: &Call, replicas: u32) -> Result<Value, Failure> {
        self.enter(lane).await?;
        let (live, answer) = self.carry(call.key(), Errand::Call(call)).await?;
        let most = self.shared.patience.mul_f64(0.8).as_millis();
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

    /// Enters a lane in the list of lanes, once over each connection to whoever has the list.
    async fn enter(&self, lane: &str) -> Result<(), Failure> {
        let entered = match &self.servers {
            Servers::One(node) => Some(node.live().await?),
            Servers::Many(cluster) => cluster.connected(slot_of(&self.lanes_key)),
        };
        let is_listed = entered.is_some_and(|live| lock(&live.lanes).contains(lane));
        if is_listed || lock(&self.unlisted).is_some_and(|failed| failed.elapsed() < REST) {
            return Ok(());
        }
        let mut add = redis::cmd("SADD");
        add.arg(&self.lanes_key).arg(lane);
        match self.carry(&self.lanes_key, Errand::Command(&add)).await {
            Ok((live, _)) => {
                lock(&live.lanes).insert(lane.to_owned());
                *lock(&self.unlisted) = None;
                Ok(())
            }
            // Nothing of the call itself was sent yet.
            Err(failure @ Failure::Unknown(_)) => Err(failure.before_call()),
            // Who has the list is full or away, and the lane must be worked all the same.
            Err(_) => {
                *lock(&self.unlisted) = Some(Instant::now());
                Ok(())
            }
        }
    }
}
