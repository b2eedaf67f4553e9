//! Where something is kept: in a file, which one process serves, or on a server, for as many as there are.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use url::Url;

/// Where something is kept.
#[derive(Debug, Clone)]
pub enum Place<S> {
    /// In this file.
    File(PathBuf),
    /// On this server.
    Server(S),
}

impl<S> Place<S> {
    /// Whether it is a file.
    pub const fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) => Some(path),
            Self::Server(_) => None,
        }
    }
}

impl<S: AsRef<ServerUrl>> fmt::Display for Place<S> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(out),
            Self::Server(server) => server.as_ref().fmt(out),
        }
    }
}

/// A database on a server of MySQL or MariaDB.
#[derive(Debug, Clone)]
pub struct DatabaseServer {
    /// Where it is.
    pub url: ServerUrl,
    /// Another endpoint of it, for lists.
    pub reader_url: Option<ServerUrl>,
    /// Most connections of each kind.
    pub connections: u32,
}

impl AsRef<ServerUrl> for DatabaseServer {
    fn as_ref(&self) -> &ServerUrl {
        &self.url
    }
}

/// Lanes on a server of Redis or Valkey.
#[derive(Debug, Clone)]
pub struct QueueServer {
    /// Where it is.
    pub url: ServerUrl,
    /// The authority that signed its certificate, in PEM.
    pub ca: Option<PathBuf>,
    /// How many replicas must have what is pushed.
    pub replicas: u32,
    /// What all its keys begin with.
    pub prefix: String,
}

impl AsRef<ServerUrl> for QueueServer {
    fn as_ref(&self) -> &ServerUrl {
        &self.url
    }
}

/// The URL of a server, as it was given; shown without password and parameters.
#[derive(Clone)]
pub struct ServerUrl {
    text: String,
    shown: String,
}

impl ServerUrl {
    /// Takes a URL that has one of these schemes and a host. What is wrong is said without the text, which may hold a
    /// password.
    pub fn parse(text: &str, schemes: &[&str]) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        if !schemes.contains(&url.scheme()) {
            return Err("has another scheme");
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?;
        let user = if url.username().is_empty() { "" } else { &format!("{}@", url.username()) };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let path = url.path().trim_end_matches('/');
        Ok(Self { text: text.to_owned(), shown: format!("{}://{user}{host}{port}{path}", url.scheme()) })
    }

    /// Takes a URL that has one of these schemes and one or more hosts, separated by commas, and nothing behind them;
    /// nothing if it has another scheme.
    pub fn parse_cluster(text: &str, schemes: &[&str]) -> Option<Result<Self, &'static str>> {
        let (scheme, rest) = text.split_once("://")?;
        if !schemes.contains(&scheme) {
            return None;
        }
        let (user, hosts) = match rest.rsplit_once('@') {
            Some((user, hosts)) => (format!("{user}@"), hosts),
            None => (String::new(), rest),
        };
        let one = |host: &str| {
            let url = Self::parse(&format!("{scheme}://{user}{host}"), schemes)?;
            let bare = !host.contains(['/', '?', '#']);
            bare.then_some(url.shown).ok_or("has something behind its hosts")
        };
        let shown: Result<Vec<String>, _> = hosts.trim_end_matches('/').split(',').map(one).collect();
        Some(shown.map(|shown| {
            let others = shown.iter().skip(1).map(|url| {
                let place = url.split_once("://").map_or(url.as_str(), |(_, place)| place);
                format!(",{}", place.rsplit_once('@').map_or(place, |(_, host)| host))
            });
            let shown = std::iter::once(shown[0].clone()).chain(others).collect();
            Self { text: text.to_owned(), shown }
        }))
    }

    /// All of it.
    pub fn secret(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.shown)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let text = "mysql://fairy:hunter2@db:3306/fairy?ssl-mode=REQUIRED";
        let url = ServerUrl::parse(text, &["mysql"]).unwrap();
        assert_eq!((url.to_string(), url.secret()), ("mysql://fairy@db:3306/fairy".to_owned(), text));
        let url = ServerUrl::parse("redis://:hunter2@127.0.0.1/", &["redis"]).unwrap();
        assert_eq!(format!("{url:?}"), "redis://127.0.0.1");
    }

    #[test]
    fn a_cluster_is_named_by_its_nodes() {
        let parse = |text| ServerUrl::parse_cluster(text, &["redis+cluster"]);
        let text = "redis+cluster://fairy:hunter2@a:7000,b,[::1]:7002/";
        let url = parse(text).unwrap().unwrap();
        assert_eq!(
            (url.to_string(), url.secret()),
            ("redis+cluster://fairy@a:7000,b,[::1]:7002".to_owned(), text)
        );
        assert!(parse("redis://a").is_none());
        for bad in
            ["redis+cluster://", "redis+cluster://a,,b", "redis+cluster://a:b", "redis+cluster://a/1,b"]
        {
            assert!(parse(bad).unwrap().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_server_is_told_from_what_is() {
        for bad in ["", "mysql", "redis://db/fairy", "mysql:///fairy", "mysql:fairy"] {
            assert!(ServerUrl::parse(bad, &["mysql"]).is_err(), "{bad}");
        }
    }
}
