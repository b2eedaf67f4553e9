//! A private server for a test: Redis or Valkey, on a free port of this machine, every write on disk at once.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![allow(dead_code, clippy::allow_attributes, reason = "each test program uses a part of it")]

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fairy_queue::Queue;
use fairy_queue::redis::{Options, open};
use fairy_queue::testing::Store;
use redis::FromRedisValue;

/// Which server.
#[derive(Debug, Clone, Copy)]
pub enum Engine {
    /// `FAIRY_TEST_REDIS`.
    Redis,
    /// `FAIRY_TEST_VALKEY`.
    Valkey,
}

impl Engine {
    #[expect(
        clippy::disallowed_methods,
        reason = "`make test` says through the environment where it put the parts"
    )]
    fn program(self) -> PathBuf {
        let (variable, what) = match self {
            Self::Redis => ("FAIRY_TEST_REDIS", "a redis-server"),
            Self::Valkey => ("FAIRY_TEST_VALKEY", "a valkey-server"),
        };
        let path = std::env::var(variable).ok().map(PathBuf::from).filter(|path| path.exists());
        path.unwrap_or_else(|| {
            panic!("{variable} must name {what}; run `eval \"$(scripts/parts-of-test)\"`, or `make test`")
        })
    }
}

/// A server that ends with the test, and its data with it.
pub struct Server {
    program: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
    arguments: Vec<String>,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// A server with nothing in it.
    pub async fn start(engine: Engine) -> Arc<Self> {
        Self::start_with(engine, &[]).await
    }

    /// A server with these settings besides.
    pub async fn start_with(engine: Engine, arguments: &[&str]) -> Arc<Self> {
        let server = Self {
            program: engine.program(),
            dir: tempfile::tempdir().unwrap(),
            port: free_port(),
            arguments: arguments.iter().copied().map(str::to_owned).collect(),
            child: Mutex::default(),
        };
        server.resume().await;
        Arc::new(server)
    }

    /// Starts it again over what it left.
    pub async fn resume(&self) {
        let child = Command::new(&self.program)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(self.dir.path())
            .args(&self.arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(child);
        let answers = async {
            while self.try_ask::<String>(&redis::cmd("PING")).await.is_err() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), answers).await.expect("the server starts");
    }

    /// Ends it at once, as `kill -9` does.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Ends it in order.
    pub async fn stop(&self) {
        let _ = self.try_ask::<()>(&redis::cmd("SHUTDOWN")).await;
        let child = self.child.lock().unwrap().take();
        if let Some(mut child) = child {
            child.wait().unwrap();
        }
    }

    /// Where others find it.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Asks it something, beside everybody.
    pub async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_words(words).await.unwrap()
    }

    /// The same of a server that may be away.
    pub async fn try_words<T: FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        self.try_ask(&command).await
    }

    async fn try_ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let patient = redis::AsyncConnectionConfig::new().set_response_timeout(None);
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await?;
        command.query_async(&mut connection).await
    }

    /// How a process that just started opens it.
    pub fn options(&self) -> Options {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        Options {
            url: self.url(),
            authority: None,
            prefix: "fairy".into(),
            instance: format!("test-{}", STARTS.fetch_add(1, Ordering::Relaxed)),
            replicas: 0,
            patience: Duration::from_secs(5),
        }
    }

    /// A handle as another process would have one.
    pub fn open(&self) -> Queue {
        open(&self.options()).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody uses.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A server for one scenario of the conformance suite.
pub struct Fresh(pub Arc<Server>);

#[async_trait]
impl Store for Fresh {
    async fn open(&self) -> Queue {
        self.0.open()
    }
}
