//! A Redis of our own, on the disk of the working directory, with the defaults of its makers but for what keeps data.
//!
//! As with MariaDB, a keeper ends it when this process is gone, however that came.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use fairy_queue::{
    Queue,
    redis::{Options, open},
};
use redis::{Client, FromRedisValue};

/// Starts Redis and waits.
const KEEPER: &str = r#"
set -eu
"$REDIS" --port "$PORT" --bind 127.0.0.1 --save '' --appendonly yes --appendfsync "$FLUSH" --dir "$DIRECTORY" &
server=$!
trap '{ kill -9 "$server"; wait "$server"; } 2>/dev/null; rm -rf "$DIRECTORY"' EXIT
cat >/dev/null
"#;

/// See the module.
pub struct RedisServer {
    /// Where it listens.
    pub port: u16,
    keeper: Child,
}

impl RedisServer {
    /// Starts one with nothing in it; `flush` is its `appendfsync`.
    pub async fn start(flush: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("redis-").tempdir_in(".").unwrap().keep();
        let address = crate::served::free_address();
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        let program = std::env::var_os("FAIRY_TEST_REDIS").unwrap_or_else(|| "redis-server".into());
        let mut keeper = Command::new("bash")
            .args(["-c", KEEPER])
            .env("REDIS", program)
            .env("FLUSH", flush)
            .env("PORT", format!("{port}"))
            .env("DIRECTORY", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("bash is there");
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = keeper.try_wait().unwrap();
            assert!(ended.is_none(), "redis-server does not start: `make bench` installs it");
            pace.tick().await;
        }
        Self { port, keeper }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::open(self.url()).unwrap()
    }

    /// Asks it something.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = self.client().get_multiplexed_async_connection().await.unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }

    /// A handle to lanes on it, as another process would have one.
    pub fn lanes(&self, instance: &str) -> Queue {
        let options = Options {
            url: self.url(),
            authority: None,
            prefix: "fairy".into(),
            instance: instance.into(),
            replicas: 0,
            patience: Duration::from_secs(5),
        };
        open(&options).unwrap()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // The keeper ends it at the end of its input.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
