//! Whether a server keeps what it accepts: asked at start, and by whoever examines an installation.
//!
//! Two things make a server unfit, for with them jobs vanish or nothing works: eviction, and a version that does not know
//! the commands. The rest is a matter of how much a crash may cost, and is said. In a Cluster every node is asked, also
//! those that may take another's place.

use std::collections::HashMap;

use redis::{FromRedisValue, Value};

use super::cluster::Cluster;
use super::failure::Failure;
use super::link::{Link, Servers};
use super::node::Node;
use super::options::{AddressError, Options};
use super::reply::text;
use super::slots::SLOTS;

/// The oldest major version that will do.
const OLDEST: u32 = 7;

/// What a server is and how it keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// `redis` or `valkey`, and its version; of a Cluster also how many nodes there are.
    pub server: String,
    /// What makes a crash or a fail-over cost accepted jobs, each with what to do.
    pub warnings: Vec<String>,
    /// The time by the clock of each node that answered, epoch ms.
    pub times: Vec<i64>,
}

/// Why a server cannot carry lanes.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It does not answer, or not yet.
    #[error("the queue's server cannot be asked: {0}")]
    Away(String),
    /// It does not let us in, or does not let itself be asked.
    #[error("the queue's server refuses us, look at user and password: {0}")]
    Denied(String),
    /// It is too old.
    #[error("the queue's server is version {0}; version {OLDEST} or later is needed")]
    TooOld(String),
    /// It may throw away what was accepted.
    #[error(
        "the queue's server evicts keys ({0}), and with them accepted jobs; set maxmemory-policy noeviction"
    )]
    Evicts(String),
    /// It has only some of the keys.
    #[error(
        "the queue's server is a node of a Cluster: begin its address with redis+cluster:// or rediss+cluster://"
    )]
    NotAlone,
}

impl Unfit {
    /// Whether it may be fit a little later.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Away(_))
    }
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Denied(text) => Self::Denied(text),
            other => Self::Away(other.text().to_owned()),
        }
    }
}

/// Looks at a server, or all nodes of a Cluster, without changing anything.
///
/// # Errors
/// When one that is needed cannot be reached, or one is unfit.
pub async fn inspect(options: &Options) -> Result<Inspection, Unfit> {
    let link = Link::new(options, None)?;
    match link.servers() {
        Servers::One(node) => {
            let found = Found::of(node).await?;
            match found.said("cluster_enabled") {
                "1" => Err(Unfit::NotAlone),
                _ => found.judge(node, options.replicas).await,
            }
        }
        Servers::Many(cluster) => all(cluster, options.replicas).await,
    }
}

async fn all(cluster: &Cluster, replicas: u32) -> Result<Inspection, Unfit> {
    let map = cluster.map().await.map_err(|failure| match failure {
        Failure::Unknown(text) | Failure::Refused(text) if text.contains("cluster support disabled") => {
            Unfit::Denied(format!("{text}; one server alone is named by redis:// or rediss://"))
        }
        other => other.into(),
    })?;
    if map.served() < SLOTS.into() {
        let text = format!("the cluster serves {} of {SLOTS} slots", map.served());
        return Err(Unfit::Away(text));
    }
    let mut whole = Inspection { server: String::new(), warnings: Vec::new(), times: Vec::new() };
    let masters = map.masters().iter().map(|address| (address, true));
    for (address, is_master) in masters.chain(map.replicas().iter().map(|address| (address, false))) {
        let node = cluster.node(address)?;
        let found = match Found::of(&node).await {
            Ok(found) => found.judge(&node, if is_master { replicas } else { 0 }).await,
            Err(unfit) => Err(unfit),
        };
        match found {
            Ok(found) => {
                whole.warnings.extend(found.warnings.iter().map(|warning| format!("{address}: {warning}")));
                whole.times.extend(found.times);
                whole.server = found.server;
            }
            // Without it all goes on.
            Err(Unfit::Away(text)) if !is_master => {
                whole.warnings.push(format!("{address}: the replica cannot be asked: {text}"));
            }
            Err(unfit) => return Err(unfit),
        }
    }
    let masters = map.masters().len();
    let nodes = masters + map.replicas().len();
    whole.server = format!("{}, a cluster of {nodes} nodes, {masters} of them masters", whole.server);
    Ok(whole)
}

/// What one server says of itself.
struct Found(HashMap<String, String>);

impl Found {
    async fn of(node: &Node) -> Result<Self, Unfit> {
        let live = node.live().await?;
        let value = match live.send(&redis::cmd("INFO")).await? {
            Value::VerbatimString { text, .. } => text,
            other => text(other)?,
        };
        let pair =
            |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
        Ok(Self(value.lines().filter_map(pair).collect()))
    }

    fn said(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }

    async fn judge(&self, node: &Node, replicas: u32) -> Result<Inspection, Unfit> {
        let version = self.said("redis_version");
        let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
        if major < OLDEST {
            return Err(Unfit::TooOld(version.to_owned()));
        }
        let policy = self.said("maxmemory_policy");
        if policy != "noeviction" {
            return Err(Unfit::Evicts(policy.to_owned()));
        }
        let server = match self.said("valkey_version") {
            "" => format!("redis {version}"),
            valkey => format!("valkey {valkey}"),
        };
        let time = self.said("server_time_usec").parse::<i64>().unwrap_or_default() / 1000;
        let mut warnings = self.of_file(node).await;
        warnings.extend(self.of_replicas(replicas));
        Ok(Inspection { server, warnings, times: vec![time] })
    }

    async fn of_file(&self, node: &Node) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut warn = |text: &str| warnings.push(text.to_owned());
        if self.said("aof_enabled") != "1" {
            warn("appendonly is off: a restart loses accepted jobs; set it to yes");
            return warnings;
        }
        match setting(node, "appendfsync").await.as_deref() {
            Some("always") => {}
            Some(other) => warn(&format!(
                "appendfsync is {other}: a crash of the machine loses the last accepted jobs; set it to always"
            )),
            None => warn("appendfsync cannot be read; it should be always"),
        }
        if setting(node, "no-appendfsync-on-rewrite").await.as_deref() == Some("yes") {
            warn(
                "no-appendfsync-on-rewrite is yes: during a rewrite accepted jobs are not flushed; set it to no",
            );
        }
        warnings
    }

    fn of_replicas(&self, wanted: u32) -> Option<String> {
        let connected: u32 = self.said("connected_slaves").parse().unwrap_or(0);
        if connected > 0 && wanted == 0 {
            let text = "it has replicas, and a push does not wait for them: a fail-over may lose the last accepted jobs";
            return Some(text.to_owned());
        }
        (connected < wanted).then(|| {
            format!("a push waits for {wanted} replicas, and {connected} are there: none will be accepted")
        })
    }
}

/// A setting, where the server lets itself be asked.
async fn setting(node: &Node, name: &str) -> Option<String> {
    let live = node.live().await.ok()?;
    let value = live.send(redis::cmd("CONFIG").arg("GET").arg(name)).await.ok()?;
    HashMap::<String, String>::from_redis_value(value).ok()?.remove(name)
}
