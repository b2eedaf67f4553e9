//! A Redis server of the test's own, on a free port of this machine.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fairy_queue::redis::Options;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Waits for what comes soon, but not how soon.
pub(super) async fn until(mut condition: impl AsyncFnMut() -> bool) {
    let waits = async {
        while !condition().await {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(Duration::from_secs(30), waits).await.expect("it comes true within half a minute");
}

/// A server that ends with the test.
pub(super) struct Server {
    directory: tempfile::TempDir,
    port: u16,
    child: Mutex<Option<Child>>,
}

impl Server {
    /// A server with nothing in it.
    pub async fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { directory: tempfile::tempdir().unwrap(), port, child: Mutex::default() };
        server.resume().await;
        server
    }

    /// Starts it again over what it left.
    pub async fn resume(&self) {
        let child = Command::new(program())
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(self.directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        *self.child.lock().unwrap() = Some(child);
        until(async || self.ask("PING").await.is_some_and(|answer| answer.starts_with("+PONG"))).await;
    }

    /// Ends it at once.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// What it answers to one line, beside everybody.
    pub async fn ask(&self, line: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        let mut answer = vec![0; 4_096];
        let read = stream.read(&mut answer).await.ok()?;
        Some(String::from_utf8_lossy(&answer[..read]).into_owned())
    }

    /// How a process that just started reaches it.
    pub fn options(&self) -> Options {
        static STARTS: AtomicU64 = AtomicU64::new(0);
        Options {
            url: format!("redis://127.0.0.1:{}", self.port),
            authority: None,
            prefix: "fairy".into(),
            instance: format!("process-{}", STARTS.fetch_add(1, Ordering::Relaxed)),
            replicas: 0,
            patience: Duration::from_secs(5),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "`make test` says through the environment where it put the parts"
)]
fn program() -> PathBuf {
    let path = std::env::var("FAIRY_TEST_REDIS").ok().map(PathBuf::from).filter(|path| path.exists());
    path.expect(
        "FAIRY_TEST_REDIS must name a redis-server; run `eval \"$(scripts/parts-of-test)\"`, or `make test`",
    )
}
