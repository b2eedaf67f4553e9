//! What the processes of a cluster share: a database of its own on one MariaDB for the whole run, and keys of its own on one
//! Redis.
//!
//! Keepers end both when this process is gone, however that came.

#[expect(dead_code, reason = "the suite of the store runs on more engines than these tests do")]
#[path = "../../../store/src/testing/servers.rs"]
mod servers;

use std::sync::{
    OnceLock,
    atomic::{AtomicU32, Ordering},
};

use super::{keeper::Keeper, run};

static REDIS: OnceLock<Keeper> = OnceLock::new();

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
            queue: format!("redis://127.0.0.1:{}", REDIS.get_or_init(|| Keeper::redis(&[])).port()),
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
