//! The nodes of a Redis Cluster, and the way to the one that has a key.
//!
//! Which node has which slot is asked of one of them, and again whenever it turns out to be wrong. What a node refuses
//! because a key is elsewhere was certainly not begun, so it is carried on; everything else is the caller's to judge.
//!
//! That is why this is not the cluster client of the `redis` crate. That one sends a command again whose connection broke
//! under it, and with it a push which may have been written; it cannot be told which errors to pass on, for with no
//! repetitions it follows no redirection either. It renews subscriptions without saying so, and who hears must know when
//! something may have been missed. And replicas are waited for on the connection that wrote.
//!
//! # A slot that moves
//!
//! Keys move one by one, and a script that ran meanwhile would find half a lane. So every call names a second key which
//! never exists (see [`Call`](super::script::Call)): while a slot moves, the old node answers `TRYAGAIN` or `ASK` to that and
//! the new one `MOVED`, always before the script begins; `ASK` is not followed. Until the move is over the lane waits, as
//! long as an answer may take. So one lane is always on one node, whole.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::address::Address;
use super::failure::{Failure, Way};
use super::node::{Live, Node, Shared, lock};
use super::script::Errand;
use super::slots::{Map, NodeAddress};

/// How long a call waits before it looks for a slot again that is not where it was said to be.
const PAUSE: Duration = Duration::from_millis(20);
/// Who has what is not asked more often than this.
const REST: Duration = Duration::from_millis(100);

/// See the module.
pub(super) struct Cluster {
    address: Arc<Address>,
    shared: Arc<Shared>,
    nodes: Mutex<HashMap<NodeAddress, Arc<Node>>>,
    map: Mutex<Option<Arc<Map>>>,
    /// When it was asked last who has what.
    asked: tokio::sync::Mutex<Option<Instant>>,
    turn: AtomicUsize,
    listens: Mutex<Option<NodeAddress>>,
}

impl Cluster {
    /// A cluster that nobody was asked about yet.
    pub fn new(address: Arc<Address>, shared: Arc<Shared>) -> Self {
        // Not every process is to listen at the same node.
        let turn = AtomicUsize::new(std::process::id() as usize);
        let (nodes, map, asked, listens) = Default::default();
        Self { address, shared, nodes, map, asked, turn, listens }
    }

    /// Other connections to the same nodes.
    pub fn another(&self, shared: Arc<Shared>) -> Self {
        Self::new(Arc::clone(&self.address), shared)
    }

    /// Lets go of all nodes.
    pub fn close(&self) {
        lock(&self.nodes).drain().for_each(|(_, node)| node.close());
    }

    /// Does an errand where the slot is, and says over which connection.
    pub async fn carry(&self, slot: u16, errand: Errand<'_>) -> Result<(Arc<Live>, redis::Value), Failure> {
        let until = Instant::now() + self.shared.patience;
        let mut strayed = false;
        loop {
            let map = self.map().await?;
            let failure = match map.owner(slot) {
                None => Failure::Elsewhere(format!("no node serves slot {slot}"), Way::Lost),
                Some(address) => {
                    let node = self.node(address)?;
                    match node.live().await {
                        Ok(live) => match errand.on(&live).await {
                            Ok(value) => return Ok((live, value)),
                            Err(failure) => failure,
                        },
                        // Perhaps another has taken its place.
                        Err(failure) if self.ask_again(&map).await?.owner(slot) == Some(address) => {
                            return Err(failure);
                        }
                        Err(failure) => Failure::Elsewhere(failure.text().to_owned(), Way::Lost),
                    }
                }
            };
            let Failure::Elsewhere(_, way) = &failure else { return Err(failure) };
            if Instant::now() >= until {
                return Err(failure);
            }
            if std::mem::replace(&mut strayed, true) || *way == Way::Moving {
                tokio::time::sleep(PAUSE).await;
            }
            self.follow(&map, slot, way).await?;
        }
    }

    async fn follow(&self, map: &Arc<Map>, slot: u16, way: &Way) -> Result<(), Failure> {
        match way {
            Way::Moving => {}
            Way::Lost => drop(self.ask_again(map).await?),
            Way::To(host, port) => {
                let host = match host.as_str() {
                    "" => map.owner(slot).map(|owner| owner.host.clone()).unwrap_or_default(),
                    named => named.to_owned(),
                };
                let owner = NodeAddress { host, port: *port };
                let asked = self.ask_again(map).await?;
                if asked.owner(slot) != Some(&owner) {
                    *lock(&self.map) = Some(Arc::new(asked.with(slot, owner)));
                }
            }
        }
        Ok(())
    }

    /// The connection to the slot's node, if there is one.
    pub fn connected(&self, slot: u16) -> Option<Arc<Live>> {
        let map = lock(&self.map).clone()?;
        let node = lock(&self.nodes).get(map.owner(slot)?).cloned()?;
        node.connected()
    }

    /// A connection for messages, which every node passes on to all: the same one as long as it holds.
    pub async fn ear(&self) -> Result<Arc<Live>, Failure> {
        let map = self.map().await?;
        let addresses = map.masters();
        let listens = lock(&self.listens).clone();
        let last = addresses.iter().position(|address| Some(address) == listens.as_ref());
        let first = last.unwrap_or_else(|| self.turn.fetch_add(1, Ordering::Relaxed));
        let mut failure = None;
        for place in first..first + addresses.len() {
            let address = &addresses[place % addresses.len()];
            match self.node(address)?.live().await {
                Ok(live) => {
                    *lock(&self.listens) = Some(address.clone());
                    return Ok(live);
                }
                Err(error) => failure = Some(error),
            }
        }
        self.ask_again(&map).await?;
        Err(failure.unwrap_or_else(away))
    }

    /// Who has what, asked if nobody knows.
    pub async fn map(&self) -> Result<Arc<Map>, Failure> {
        let known = lock(&self.map).clone();
        match known {
            Some(map) => Ok(map),
            None => self.ask(None).await,
        }
    }

    /// The same, asked again unless it was since this one, or a moment ago.
    async fn ask_again(&self, known: &Arc<Map>) -> Result<Arc<Map>, Failure> {
        self.ask(Some(known)).await
    }

    async fn ask(&self, known: Option<&Arc<Map>>) -> Result<Arc<Map>, Failure> {
        let mut asked = self.asked.lock().await;
        let now = lock(&self.map).clone();
        if let Some(now) = now
            && (known.is_none_or(|known| !Arc::ptr_eq(known, &now))
                || asked.is_some_and(|asked| asked.elapsed() < REST))
        {
            return Ok(now);
        }
        let mut failure = None;
        for address in self.candidates(known.map(Arc::as_ref)) {
            match self.ask_node(&address).await {
                Ok(map) => {
                    let map = Arc::new(map);
                    let stays =
                        |node: &NodeAddress| map.masters().contains(node) || map.replicas().contains(node);
                    lock(&self.nodes).retain(|node, _| stays(node));
                    *lock(&self.map) = Some(Arc::clone(&map));
                    *asked = Some(Instant::now());
                    return Ok(map);
                }
                // One that denies us is told rather than another that is away.
                Err(error) => match &failure {
                    Some(Failure::Denied(_)) => {}
                    _ => failure = Some(error),
                },
            }
        }
        Err(failure.unwrap_or_else(away).before_call())
    }

    /// Whom to ask: first who is connected, each time another; at last those that were named at first.
    fn candidates(&self, known: Option<&Map>) -> Vec<NodeAddress> {
        let mut known: Vec<NodeAddress> = known.map(Map::masters).unwrap_or_default().to_vec();
        if !known.is_empty() {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed) % known.len();
            known.rotate_left(turn);
        }
        let nodes = lock(&self.nodes);
        known.sort_by_key(|address| nodes.get(address).and_then(|node| node.connected()).is_none());
        for named in self.address.nodes() {
            if !known.contains(&named) {
                known.push(named);
            }
        }
        known
    }

    async fn ask_node(&self, address: &NodeAddress) -> Result<Map, Failure> {
        let live = self.node(address)?.live().await?;
        let answer = live.send(redis::cmd("CLUSTER").arg("SLOTS")).await?;
        Map::read(answer, &address.host)
    }

    /// A node, connected or not.
    pub fn node(&self, address: &NodeAddress) -> Result<Arc<Node>, Failure> {
        let mut nodes = lock(&self.nodes);
        if let Some(node) = nodes.get(address) {
            return Ok(Arc::clone(node));
        }
        let client = self.address.of_node(address).map_err(|error| Failure::to_connect(&error))?;
        let node = Arc::new(Node::new(client, Arc::clone(&self.shared)));
        nodes.insert(address.clone(), Arc::clone(&node));
        Ok(node)
    }
}

fn away() -> Failure {
    Failure::Refused("no node of the cluster can be reached".into())
}
