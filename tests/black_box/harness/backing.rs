//! What the processes of a cluster share: a database of its own on one MariaDB for the whole run, and keys of its own on one
//! Redis.
//!
//! As with MariaDB, a keeper ends Redis when this process is gone, however that came (see `servers`).

#[expect(dead_code, reason = "the suite of the store runs on more engines than these tests do")]
#[path = "../../../store/src/testing/servers.rs"]
mod servers;

use std::{
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Port, outside::redis_server, run};

/// Starts Redis and waits.
const KEEPER: &str = r#"
set -eu
"$REDIS" --port "$PORT" --bind 127.0.0.1 --save '' --appendonly yes --appendfsync always --dir "$DIRECTORY" &
server=$!
trap 'kill -9 "$server"; rm -rf "$DIRECTORY"' EXIT
cat >/dev/null
"#;

/// How long Redis may take to start.
const PATIENCE: Duration = Duration::from_secs(30);

struct Redis {
    port: Port,
    /// Its end is the end of the server.
    _keeper: Child,
}

static REDIS: OnceLock<Redis> = OnceLock::new();

/// A database and keys that nothing else uses.
#[derive(Debug, Clone)]
pub struct Backing {
    /// Where the database is.
    pub database: String,
    /// Where the lanes are.
    pub queue: String,
    /// What their keys begin with.
    pub prefix: String,
}

impl Backing {
    /// A new one, with nothing in it.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // A test runs in a runtime, which cannot be waited for from within.
        let database = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(servers::database(servers::On::MariaDb))
        });
        let database = database.join().expect("MariaDB starts");
        Self {
            database: database.expect("the cluster mode needs MariaDB"),
            queue: format!("redis://127.0.0.1:{}", REDIS.get_or_init(start).port.number()),
            prefix: format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The settings by which processes find it.
    pub fn settings(&self) -> Vec<(String, String)> {
        [
            ("FAIRY__DATABASE__URL", self.database.as_str()),
            ("FAIRY__QUEUE__URL", &self.queue),
            ("FAIRY__QUEUE__PREFIX", &self.prefix),
            ("FAIRY__AUTH__SECRET", "a secret that all processes of a test share"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Brings its schema up to date.
    pub async fn migrate(&self) {
        // Not in the test's directory, whose settings may be broken on purpose.
        run::fairy(&std::env::temp_dir(), &self.settings(), &["migrate"]).await.succeeded();
    }
}

fn start() -> Redis {
    let base = Path::new("/dev/shm");
    let base = if base.is_dir() { base.to_owned() } else { std::env::temp_dir() };
    let directory = tempfile::Builder::new().prefix("fairy-").tempdir_in(base).unwrap().keep();
    let port = Port::claim();
    let keeper = Command::new("bash")
        .args(["-c", KEEPER])
        .env("REDIS", redis_server())
        .env("DIRECTORY", &directory)
        .env("PORT", port.number().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port.number())).is_err() {
        assert!(begun.elapsed() < PATIENCE, "Redis does not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    Redis { port, _keeper: keeper }
}
