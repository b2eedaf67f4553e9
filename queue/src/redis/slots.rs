//! Hash slots of a Redis Cluster: which one a key is in, and which node has it.

use std::fmt;

use redis::Value;

use super::failure::Failure;
use super::reply::{list, maybe_text, number};

/// How many slots there are.
pub(super) const SLOTS: u16 = 16_384;

/// Where a node is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct NodeAddress {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

/// The slot of a key: of what is between its first braces, if there is anything.
pub(super) fn slot_of(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
    let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
    crc16(hashed.as_bytes()) % SLOTS
}

/// CRC-16/XMODEM, as the specification of Redis Cluster has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

/// Which node has which slots, as one node had it when it was asked.
#[derive(Debug, Clone)]
pub(super) struct Map {
    /// By slot, the place of its node among the masters.
    owners: Vec<Option<u16>>,
    masters: Vec<NodeAddress>,
    replicas: Vec<NodeAddress>,
}

impl Map {
    /// Reads the answer to `CLUSTER SLOTS` of the node on this host.
    pub fn read(answer: Value, host: &str) -> Result<Self, Failure> {
        let mut map = Self { owners: vec![None; SLOTS.into()], masters: Vec::new(), replicas: Vec::new() };
        for range in list(answer)? {
            let mut range = list(range)?.into_iter();
            let (Some(first), Some(last)) = (range.next(), range.next()) else { continue };
            let (first, last) = (number(&first)?, number(&last)?);
            let mut nodes = range.map(|node| address(node, host));
            if let Some(Some(master)) = nodes.next().transpose()? {
                let place = map.place(master);
                for slot in first.max(0)..=last {
                    if let Some(owner) = usize::try_from(slot).ok().and_then(|slot| map.owners.get_mut(slot))
                    {
                        *owner = Some(place);
                    }
                }
            }
            for replica in nodes {
                map.replicas.extend(replica?);
            }
        }
        map.replicas.sort();
        map.replicas.dedup();
        Ok(map)
    }

    fn place(&mut self, master: NodeAddress) -> u16 {
        let place = self.masters.iter().position(|known| *known == master).unwrap_or_else(|| {
            self.masters.push(master);
            self.masters.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }

    /// Who has a slot.
    pub fn owner(&self, slot: u16) -> Option<&NodeAddress> {
        let place = self.owners.get(usize::from(slot)).copied().flatten()?;
        self.masters.get(usize::from(place))
    }

    /// The same map with a slot elsewhere.
    pub fn with(&self, slot: u16, owner: NodeAddress) -> Self {
        let mut map = self.clone();
        let place = map.place(owner);
        if let Some(owner) = map.owners.get_mut(usize::from(slot)) {
            *owner = Some(place);
        }
        map
    }

    /// Those that have slots.
    pub fn masters(&self) -> &[NodeAddress] {
        &self.masters
    }

    /// Those that would take their places.
    pub fn replicas(&self) -> &[NodeAddress] {
        &self.replicas
    }

    /// How many slots somebody has.
    pub fn served(&self) -> usize {
        self.owners.iter().flatten().count()
    }
}

/// A node of a range; one that knows no name of its own is where it was asked, one without an address nowhere.
fn address(node: Value, asked: &str) -> Result<Option<NodeAddress>, Failure> {
    let mut node = list(node)?.into_iter();
    let host = node.next().map(maybe_text).transpose()?.flatten().unwrap_or_default();
    let port = node.next().map(|port| number(&port)).transpose()?.unwrap_or_default();
    let host = if host.is_empty() { asked.to_owned() } else { host };
    let port = u16::try_from(port).ok().filter(|port| *port > 0 && host != "?");
    Ok(port.map(|port| NodeAddress { host, port }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(host: Value, port: i64) -> Value {
        Value::Array(vec![host, Value::Int(port), Value::BulkString(b"id".to_vec())])
    }

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn at(host: &str, port: u16) -> NodeAddress {
        NodeAddress { host: host.to_owned(), port }
    }

    #[test]
    fn a_key_is_where_the_specification_puts_it() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot_of("foo"), 12_182);
        assert_eq!(slot_of("fairy:{operations}:jobs"), slot_of("{operations}"));
        assert_eq!(slot_of("{user1000}.following"), slot_of("user1000"));
        assert_ne!(slot_of("foo{}{bar}"), slot_of("bar"), "empty braces are no tag");
        assert_eq!(slot_of("foo{bar}{zap}"), slot_of("bar"));
    }

    #[test]
    fn a_map_names_each_slots_node() {
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
        };
        let answer = Value::Array(vec![
            range(0, 99, vec![node(text("a"), 1), node(text("b"), 2)]),
            range(100, 100, vec![node(Value::Nil, 3)]),
            range(101, 16_383, vec![node(text("?"), 4), node(text("b"), 2)]),
        ]);
        let map = Map::read(answer, "asked").unwrap();
        assert_eq!((map.owner(0), map.owner(100)), (Some(&at("a", 1)), Some(&at("asked", 3))));
        assert_eq!((map.owner(101), map.served()), (None, 101));
        assert_eq!(map.replicas(), [at("b", 2)]);
        let moved = map.with(0, at("c", 5));
        assert_eq!((moved.owner(0), moved.owner(1)), (Some(&at("c", 5)), Some(&at("a", 1))));
        assert!(Map::read(Value::Int(1), "asked").is_err());
    }
}
