//! A private Redis Cluster for a test.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use fairy_queue::Queue;
use fairy_queue::redis::{Options, open};
use fairy_queue::testing::{Store, until};

use crate::server::{Engine, Server, free_port};

const SLOTS: usize = 16_384;

/// Masters that share the slots, and perhaps replicas.
pub struct Cluster {
    pub nodes: Vec<Arc<Server>>,
    ids: Vec<String>,
}

impl Cluster {
    /// So many masters with nothing in them, and after them the replica of the first, if it is to have one.
    pub async fn start(engine: Engine, masters: usize, has_replica: bool) -> Arc<Self> {
        let mut cluster = Self { nodes: Vec::new(), ids: Vec::new() };
        let mut buses = Vec::new();
        for _ in 0..masters + usize::from(has_replica) {
            let bus = free_port().to_string();
            let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
            let settings = [&settings[..], &["--cluster-port", &bus, "--repl-diskless-sync-delay", "0"]];
            let node = Server::start_with(engine, &settings.concat()).await;
            cluster.ids.push(node.ask(&["CLUSTER", "MYID"]).await);
            cluster.nodes.push(node);
            buses.push(bus);
        }
        let (first, port) = (&cluster.nodes[0], cluster.nodes[0].port().to_string());
        for (number, node) in cluster.nodes[..masters].iter().enumerate() {
            let (from, to) = (number * SLOTS / masters, (number + 1) * SLOTS / masters - 1);
            node.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]).await;
        }
        for node in &cluster.nodes[1..] {
            node.ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &buses[0]]).await;
        }
        cluster.agrees().await;
        if has_replica {
            cluster.nodes[masters].ask::<()>(&["CLUSTER", "REPLICATE", &cluster.ids[0]]).await;
            until(async || first.ask::<String>(&["INFO", "replication"]).await.contains("state=online"))
                .await;
        }
        Arc::new(cluster)
    }

    /// Waits until all nodes know each other and that all is well.
    pub async fn agrees(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            until(async || {
                let info = node.ask::<String>(&["CLUSTER", "INFO"]).await;
                info.contains("cluster_state:ok") && info.contains(&known)
            })
            .await;
        }
    }

    /// Where it is, by two of its nodes.
    pub fn url(&self) -> String {
        format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", self.nodes[0].port(), self.nodes[1].port())
    }

    /// How a process that just started opens it.
    pub fn options(&self) -> Options {
        Options { url: self.url(), ..self.nodes[0].options() }
    }

    /// A handle as another process would have one.
    pub fn open(&self) -> Queue {
        open(&self.options()).unwrap()
    }

    /// The slot of a lane.
    pub async fn slot(&self, lane: &str) -> u64 {
        self.nodes[0].ask(&["CLUSTER", "KEYSLOT", &format!("fairy:{{{lane}}}")]).await
    }

    /// Which node has a lane by its own account.
    pub async fn owner(&self, lane: &str) -> usize {
        let slot = self.slot(lane).await.to_string();
        for (number, node) in self.nodes.iter().enumerate() {
            let asked = node.try_words::<Vec<String>>(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"]).await;
            if asked.is_ok_and(|keys| !keys.is_empty()) {
                return number;
            }
        }
        panic!("no node has keys of {lane}");
    }

    /// Moves a lane's slot to another node, key by key, as `redis-cli --cluster reshard` does.
    pub async fn move_lane(&self, lane: &str, from: usize, to: usize) {
        let slot = self.slot(lane).await.to_string();
        let port = self.nodes[to].port().to_string();
        let set = |node: usize, words: [&str; 2]| {
            let words = ["CLUSTER", "SETSLOT", &slot, words[0], words[1]].map(str::to_owned);
            async move { self.nodes[node].ask::<()>(&words.each_ref().map(String::as_str)).await }
        };
        set(to, ["IMPORTING", &self.ids[from]]).await;
        set(from, ["MIGRATING", &self.ids[to]]).await;
        loop {
            let keys: Vec<String> = self.nodes[from].ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1"]).await;
            let Some(key) = keys.first() else { break };
            self.nodes[from].ask::<()>(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]).await;
        }
        for node in [to, from] {
            set(node, ["NODE", &self.ids[to]]).await;
        }
    }
}

/// Names of its own on a cluster, for one scenario of the conformance suite.
pub struct Fresh {
    cluster: Arc<Cluster>,
    prefix: String,
}

impl Fresh {
    /// Names that nothing else has.
    pub fn new(cluster: &Arc<Cluster>) -> Self {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("fairy-{}", NAMES.fetch_add(1, Ordering::Relaxed));
        Self { cluster: Arc::clone(cluster), prefix }
    }
}

#[async_trait]
impl Store for Fresh {
    async fn open(&self) -> Queue {
        open(&Options { prefix: self.prefix.clone(), ..self.cluster.options() }).unwrap()
    }
}
