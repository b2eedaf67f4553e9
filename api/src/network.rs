//! From where a request comes, as limits count it.
//!
//! A household or a rented server is given a whole /64 of IPv6 (RFC 6177), so its addresses are as one; the buckets of
//! single addresses would be as many as anybody likes. An IPv4 address that arrives in IPv6 clothes is that IPv4 address.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// Who shares a bucket: an IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    /// The network of a client's address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
            address => address,
        })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(text: &str) -> Network {
        Network::of(text.parse().unwrap())
    }

    #[test]
    fn a_host_has_one_network_however_many_addresses_it_takes() {
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(
            network("::ffff:192.0.2.1"),
            network("::ffff:192.0.2.2"),
            "all of IPv4 is not one network"
        );
    }
}
