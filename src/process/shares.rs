//! How many connections each address has, so that one does not take the places of all.
//!
//! An IPv6 network counts as one address: whoever has one has 2⁶⁴ addresses. This machine's own addresses are not counted,
//! for a proxy or a test may stand there.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Counts = HashMap<IpAddr, usize>;

/// The shares of all addresses.
#[derive(Clone)]
pub struct Shares {
    counts: Arc<Mutex<Counts>>,
    most: Option<usize>,
}

/// One connection's part of a share; given back when it is dropped.
pub struct Share(Option<(Shares, IpAddr)>);

impl Shares {
    /// At most this many connections for each address.
    pub fn of(most: usize) -> Self {
        Self { counts: Arc::default(), most: Some(most.max(1)) }
    }

    /// No limit.
    pub fn without_limit() -> Self {
        Self { counts: Arc::default(), most: None }
    }

    /// A part of this address's share, if some is left.
    pub fn take(&self, address: IpAddr) -> Option<Share> {
        let network = network(address);
        let Some(most) = self.most.filter(|_| !network.is_loopback()) else {
            return Some(Share(None));
        };
        let mut counts = self.counts();
        let count = counts.entry(network).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Share(Some((self.clone(), network))))
    }

    /// Nothing panics while it holds the lock, and every step leaves the counts sound.
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, network)) = self.0.take() else { return };
        let mut counts = shares.counts();
        match counts.get_mut(&network) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&network)),
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) if !v6.is_loopback() => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_no_more() {
        let shares = Shares::of(2);
        let first = shares.take(ip("192.0.2.1"));
        let _second = shares.take(ip("::ffff:192.0.2.1")).unwrap();
        assert!(first.is_some() && shares.take(ip("192.0.2.1")).is_none());
        let _other = shares.take(ip("192.0.2.2")).expect("each has its own");
        drop(first);
        assert!(shares.take(ip("192.0.2.1")).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let shares = Shares::of(1);
        let _held = shares.take(ip("2001:db8::1")).unwrap();
        assert!(shares.take(ip("2001:db8::ffff:2")).is_none());
        assert!(shares.take(ip("2001:db8:0:1::1")).is_some());
    }

    #[test]
    fn this_machine_is_not_counted_and_nothing_is_remembered() {
        let shares = Shares::of(1);
        let held: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1", "::1"].map(|a| shares.take(ip(a))).into();
        assert!(held.iter().all(Option::is_some));
        drop(shares.take(ip("192.0.2.1")));
        assert!(shares.counts().is_empty());
        let open = Shares::without_limit();
        assert!(open.take(ip("192.0.2.1")).is_some() && open.counts().is_empty());
    }
}
