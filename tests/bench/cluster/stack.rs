//! The system as it is run on servers: a Redis and a database of its own, an API process, and workers when asked for.

use std::time::{Duration, Instant};

use fairy::lanes;
use fairy_queue::Queue;

use super::{redis_server::RedisServer, servers};
use crate::{load::Team, served::Served};

/// A cluster without workers.
pub struct Stack {
    /// The database, which nothing else uses.
    pub database: String,
    /// The lanes, every write on disk at once.
    pub redis: RedisServer,
    /// The process that answers.
    pub api: Served,
    queue: Queue,
}

/// The URL of a new database on the MariaDB of this run.
pub async fn new_database() -> String {
    servers::database(servers::On::MariaDb).await.expect("the cluster part needs MariaDB")
}

/// Brings the schema of a database up to date.
pub async fn migrate(database: &str) {
    let directory = tempfile::tempdir_in(".").unwrap();
    let status = tokio::process::Command::new(env!("CARGO_BIN_EXE_fairy"))
        .arg("migrate")
        .env_clear()
        .env("FAIRY__DATA_DIR", directory.path())
        .envs(settings(database, "redis://127.0.0.1:1"))
        .current_dir(directory.path())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.await.unwrap().success(), "the schema cannot be made");
}

fn settings(database: &str, queue: &str) -> [(&'static str, String); 5] {
    [
        ("FAIRY__DATABASE__URL", database.to_owned()),
        ("FAIRY__QUEUE__URL", queue.to_owned()),
        ("FAIRY__AUTH__SECRET", "a secret that all processes of a run share".to_owned()),
        ("FAIRY__AUTH__SIGN_UP", "open".to_owned()),
        ("FAIRY__STOP__DRAIN_SECONDS", "0".to_owned()),
    ]
}

impl Stack {
    /// Starts one with nothing in it.
    pub async fn start() -> Self {
        let (redis, database) = (RedisServer::start("always").await, new_database().await);
        migrate(&database).await;
        let api = Served::role(&["api"], &settings(&database, &redis.url())).await;
        let queue = redis.lanes("bench");
        Self { database, redis, api, queue }
    }

    /// Starts a process that works all lanes.
    pub async fn worker(&self) -> Served {
        Served::role(&["worker"], &settings(&self.database, &self.redis.url())).await
    }

    /// People with so many workspaces.
    pub async fn team(&self, workspaces: usize) -> Team {
        Team::with(&self.api.address, workspaces, "Load").await
    }

    /// Applies what waits with so many new workers; returns how many operations a second. The lane is paused until the
    /// workers are ready.
    pub async fn drain(&self, workers: usize) -> f64 {
        let lane = &lanes::OPERATIONS;
        self.queue.pause(lane, None, "bench").await.unwrap();
        let mut crew = Vec::new();
        for _ in 0..workers {
            crew.push(self.worker().await);
        }
        let count = self.queue.stats(lane).await.unwrap().waiting;
        let begun = Instant::now();
        self.queue.resume(lane, None, "bench").await.unwrap();
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        loop {
            let stats = self.queue.stats(lane).await.unwrap();
            assert_eq!(stats.dead, 0, "an operation cannot be applied");
            if stats.waiting + stats.later + stats.in_flight == 0 {
                break;
            }
            pace.tick().await;
        }
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        eprintln!("{count} operations applied by {workers} workers: {rate:.0}/s");
        for mut worker in crew {
            worker.stop().await;
        }
        rate
    }

    /// Stops everything but MariaDB, which later measurements use.
    pub async fn stop(mut self) {
        self.queue.close().await;
        self.api.stop().await;
    }
}
