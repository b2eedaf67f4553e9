//! The addresses that a handle is given: of one server, or of some nodes of a Cluster.

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, TlsCertificates};

use super::options::{AddressError, Options};
use super::slots::NodeAddress;

/// Where to begin, and how to speak to whatever is found from there.
pub(super) struct Address {
    seeds: Vec<ConnectionInfo>,
    authority: Option<Vec<u8>>,
    /// Whether the keys are spread over the nodes of a Cluster.
    pub is_cluster: bool,
}

impl Address {
    /// Reads `redis://…` or `rediss://…`, and `redis+cluster://…` with several hosts.
    pub fn parse(options: &Options) -> Result<Self, AddressError> {
        if options.prefix.contains(['{', '}']) {
            return Err(AddressError("a prefix has no braces".into()));
        }
        let unusable = |error: redis::RedisError| AddressError(error.to_string());
        let urls = seeds(&options.url);
        let is_cluster = urls.is_some();
        let urls = urls.unwrap_or_else(|| vec![options.url.clone()]);
        let seeds = urls.iter().map(|url| info(url)).collect::<Result<Vec<_>, _>>().map_err(unusable)?;
        if is_cluster && seeds.iter().any(|seed| seed.redis_settings().db() != 0) {
            return Err(AddressError("a Cluster has no numbered databases".into()));
        }
        if seeds.iter().any(|seed| matches!(seed.addr(), ConnectionAddr::TcpTls { .. })) {
            // Whoever was first in this process may have chosen another; it will do as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let address = Self { seeds, authority: options.authority.clone(), is_cluster };
        for seed in &address.seeds {
            address.client(seed.clone()).map_err(unusable)?;
        }
        Ok(address)
    }

    /// Where the nodes are that were named.
    pub fn nodes(&self) -> Vec<NodeAddress> {
        let of = |seed: &ConnectionInfo| match seed.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(NodeAddress { host: host.clone(), port: *port })
            }
            _ => None,
        };
        self.seeds.iter().filter_map(of).collect()
    }

    /// A client of the server that was named first.
    pub fn first(&self) -> redis::RedisResult<Client> {
        self.client(self.seeds[0].clone())
    }

    /// A client of a node, which is spoken to as those that were named are.
    pub fn of_node(&self, node: &NodeAddress) -> redis::RedisResult<Client> {
        let seed = &self.seeds[0];
        let (host, port) = (node.host.clone(), node.port);
        let place = match seed.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        };
        self.client(seed.clone().set_addr(place))
    }

    fn client(&self, info: ConnectionInfo) -> redis::RedisResult<Client> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Client::open(info);
        }
        let certificates = TlsCertificates { client_tls: None, root_cert: self.authority.clone() };
        Client::build_with_tls(info, certificates)
    }
}

/// In RESP3 the server's messages come over the same connection.
fn info(url: &str) -> redis::RedisResult<ConnectionInfo> {
    let info = url.into_connection_info()?;
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(settings))
}

/// The addresses of the single nodes, if this is the address of a Cluster.
fn seeds(url: &str) -> Option<Vec<String>> {
    let (scheme, rest) = url.split_once("+cluster://")?;
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (format!("{user}@"), rest),
        None => (String::new(), rest),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (hosts, tail) = rest.split_at(end);
    Some(hosts.split(',').map(|host| format!("{scheme}://{user}{host}{tail}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_named_by_some_of_its_nodes() {
        let seeds = |url| seeds(url).map(|seeds| seeds.join(" "));
        assert_eq!(
            seeds("rediss+cluster://u:p@a:1,[::1]:2,c/").as_deref(),
            Some("rediss://u:p@a:1/ rediss://u:p@[::1]:2/ rediss://u:p@c/")
        );
        assert_eq!(seeds("redis+cluster://a").as_deref(), Some("redis://a"));
        assert_eq!(seeds("redis://a"), None);
    }
}
