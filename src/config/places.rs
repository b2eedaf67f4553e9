//! Reading where rows and lanes are kept.
//!
//! No complaint repeats what was given: it may hold a password.

use std::path::{Path, PathBuf};

use super::{
    DatabaseServer, Place, QueueServer, ServerUrl,
    check::{number, path},
    reader::Reader,
};

const MYSQL: &str = "must be sqlite://PATH, or mysql://user:password@host:port/database";
const REDIS: &str =
    "must be sqlite://PATH, or redis://user:password@host:port, or rediss://… for the same over TLS";
const CLUSTER: &str = "must be redis+cluster://user:password@host:port,host:port with some nodes of the cluster and nothing behind them, or rediss+cluster://… for the same over TLS";
/// Longest prefix of keys.
const MOST_PREFIX: usize = 64;

/// Where rows are kept.
pub fn database(reader: &Reader<'_>, directory: &Path) -> Option<Place<DatabaseServer>> {
    let reader_url = reader.read("database.reader_url", |text| {
        mysql(text).ok_or_else(|| "must be mysql://user:password@host:port/database".to_owned())
    });
    let connections = reader.read("database.connections", |text| number(text, 1, 1000));
    let place = match reader.given("database.url") {
        None => Some(Place::File(directory.join("fairy.db"))),
        Some(_) => reader.read("database.url", |text| match sqlite(text) {
            Some(file) => file.map(Place::File),
            None => mysql(text).map(Place::Server).ok_or_else(|| MYSQL.to_owned()),
        }),
    };
    match place? {
        Place::Server(url) => {
            Some(Place::Server(DatabaseServer { url, reader_url, connections: connections? }))
        }
        Place::File(file) => {
            if let Some(given) = reader.given("database.reader_url") {
                reader.fault("database.reader_url", &given, "would not be used: database.url is a file");
            }
            Some(Place::File(file))
        }
    }
}

/// Where lanes are kept.
pub fn queue(reader: &Reader<'_>, directory: &Path) -> Option<Place<QueueServer>> {
    let ca = reader.read("queue.ca", path);
    let replicas = reader.read("queue.replicas", |text| number(text, 0, 10));
    let prefix = reader.read("queue.prefix", prefix);
    let place = match reader.given("queue.url") {
        None => Some(Place::File(directory.join("queue.db"))),
        Some(_) => reader.read("queue.url", |text| match sqlite(text) {
            Some(file) => file.map(Place::File),
            None => redis(text).map(Place::Server),
        }),
    };
    match place? {
        Place::Server(url) => {
            Some(Place::Server(QueueServer { url, ca, replicas: replicas?, prefix: prefix? }))
        }
        Place::File(file) => Some(Place::File(file)),
    }
}

/// The path in `sqlite://PATH`, if it is such a URL.
fn sqlite(text: &str) -> Option<Result<PathBuf, String>> {
    let path = text.strip_prefix("sqlite://")?;
    Some(match path {
        "" => Err("must name a file: sqlite://PATH".to_owned()),
        _ if path.contains('?') => Err("must name a file, without parameters: sqlite://PATH".to_owned()),
        _ => Ok(PathBuf::from(path)),
    })
}

/// A URL that names a database on a server.
fn mysql(text: &str) -> Option<ServerUrl> {
    let url = ServerUrl::parse(text, &["mysql", "mariadb"]).ok()?;
    let shown = url.to_string();
    let (_, database) = shown.split_once("://")?.1.split_once('/')?;
    (!database.is_empty() && !database.contains('/')).then_some(url)
}

fn redis(text: &str) -> Result<ServerUrl, String> {
    match ServerUrl::parse_cluster(text, &["redis+cluster", "rediss+cluster"]) {
        Some(url) => url.map_err(|_| CLUSTER.to_owned()),
        None => ServerUrl::parse(text, &["redis", "rediss"]).map_err(|_| REDIS.to_owned()),
    }
}

/// Braces would change which keys stand together on one node.
fn prefix(text: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    match text.len() {
        1..=MOST_PREFIX if text.chars().all(sound) => Ok(text.to_owned()),
        _ => Err(format!("must be 1 to {MOST_PREFIX} of letters, digits and - _ . :")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_on_a_server_has_a_name() {
        assert!(mysql("mysql://fairy:pw@db/fairy").is_some());
        for bad in ["mysql://fairy:pw@db", "mysql://db/", "mysql://db/a/b", "postgres://db/fairy"] {
            assert!(mysql(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn lanes_are_on_a_server_or_a_cluster() {
        assert!(redis("rediss://:pw@queue:6380/1").is_ok());
        assert!(redis("redis+cluster://queue,other:7000").is_ok());
        assert!(redis("redis+cluster://queue/1").unwrap_err().contains("nodes of the cluster"));
        assert!(redis("http://queue").is_err());
    }

    #[test]
    fn a_prefix_has_no_braces() {
        assert!(prefix("team-1:fairy").is_ok());
        for bad in ["", "a{b}", "a b", &"x".repeat(65)] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }
}
