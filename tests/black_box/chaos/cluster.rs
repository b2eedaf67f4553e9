//! The processes and all that they stand on, each piece within reach of a fault.
//!
//! Redis and MariaDB are this test's own, for they die. Each process has its own line to each of them, so that one can be cut
//! off while others go on.

use std::path::{Path, PathBuf};

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio::{process::Command, task::block_in_place};

use super::fault::PARTS;
use crate::{
    aws::Cloud,
    conservation::world::World,
    harness::{
        Backing, Home, Keeper, Launch, Line, Port, Server, Version, directory, fairy, faketime, mariadb,
    },
    mail::sink::Sink,
};

/// See the module.
pub struct Cluster {
    home: Home,
    /// Redis and MariaDB.
    pub engines: [Keeper; 2],
    /// Of each process to each of them.
    pub lines: Vec<[Line; 2]>,
    /// What is at AWS, and the lines to it.
    pub cloud: Cloud,
    /// Where mail arrives.
    pub sink: Sink,
    /// The line to it.
    pub mail: Line,
    /// Which version each process is of.
    pub versions: Vec<Version>,
    /// Which processes were ready since their start.
    pub ready: Vec<bool>,
    /// How often a process was started again that had found something away.
    pub restarts: usize,
    /// How many commits were done although nobody was told, and how many never arrived, each time that some got lost.
    pub lost_commits: Vec<(usize, usize)>,
}

impl Cluster {
    /// Starts what processes stand on; `None` where there is no stand-in for AWS and whoever runs the tests said so.
    pub async fn new(account: &str) -> Option<Self> {
        forget_the_dead();
        let cloud = Cloud::new(account).await?;
        cloud.make_bus().await;
        let engines = [block_in_place(|| Keeper::redis(&[])), start_mariadb().await];
        let mut lines = Vec::new();
        for _ in PARTS {
            let mut to = engines.iter().map(|engine| Line::to(format!("127.0.0.1:{}", engine.port())));
            lines.push([to.next().expect("two").await, to.next().expect("two").await]);
        }
        let sink = Sink::start().await;
        let mail = Line::to(sink.url().replace("smtp://", "")).await;
        let home = Home::new();
        let backing = Backing {
            database: format!("mysql://root@127.0.0.1:{}/fairy", engines[1].port()),
            queue: format!("redis://127.0.0.1:{}", engines[0].port()),
            prefix: "chaos".to_owned(),
        };
        home.keep_in("var", backing);
        let (versions, ready) = (vec![Version::This; PARTS.len()], vec![true; PARTS.len()]);
        let (restarts, lost_commits) = (0, Vec::new());
        Some(Self { home, engines, lines, cloud, sink, mail, versions, ready, restarts, lost_commits })
    }

    /// The workspaces and people, whose mails went to files, on processes whose mails go to the mail server.
    pub async fn world(&self) -> World {
        for worker in 0..PARTS.len() {
            self.set_clock(worker, 0);
        }
        let launch = self.launch();
        fairy(self.home.path(), &launch.environment(), &["migrate"]).await.succeeded();
        let mut world = World::make(launch.start().await).await;
        assert_eq!(world.server.stop().await, Some(0));
        let smtp = self.launch().set("MAIL__TRANSPORT", "smtp").set("MAIL__FROM", "fairy@example.com");
        let url = format!("smtp://127.0.0.1:{}", self.mail.port());
        world.on(smtp.set("MAIL__SMTP_URL", url).start().await)
    }

    fn launch(&self) -> Launch {
        let launch = Launch::at(&self.home, "var").made_of(PARTS).set("LIMITS__FACTOR", "100");
        let mut launch = self.cloud.joined(launch);
        for (part, [redis, mariadb]) in self.lines.iter().enumerate() {
            let database = format!("mysql://root@127.0.0.1:{}/fairy", mariadb.port());
            let queue = format!("redis://127.0.0.1:{}", redis.port());
            launch = launch.for_one(part, "FAIRY__DATABASE__URL", database);
            launch = launch.for_one(part, "FAIRY__QUEUE__URL", queue);
            if PARTS[part] == "worker" {
                // Only the hour is set: how long something takes is measured by another clock.
                let clock = self.clock(part).display().to_string();
                for (name, value) in [
                    ("LD_PRELOAD", faketime().display().to_string()),
                    ("FAKETIME_TIMESTAMP_FILE", clock),
                    ("FAKETIME_CACHE_DURATION", "1".to_owned()),
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
                ] {
                    launch = launch.for_one(part, name, value);
                }
            }
        }
        launch
    }

    fn clock(&self, part: usize) -> PathBuf {
        self.home.path().join(format!("clock-{part}"))
    }

    /// Sets a worker's clock so many seconds off; it sees that within a second.
    pub fn set_clock(&self, part: usize, seconds: i64) {
        let next = self.clock(part).with_extension("next");
        std::fs::write(&next, format!("{seconds:+}s")).unwrap();
        std::fs::rename(next, self.clock(part)).unwrap();
    }

    /// Starts a process that has ended.
    pub fn spawn(&mut self, server: &mut Server, part: usize) {
        self.ready[part] = false;
        server.spawn_one(part, self.versions[part]);
    }
}

/// Removes what the library that sets clocks shares within a process, and what stays behind when that is killed.
pub fn forget_the_dead() {
    for entry in std::fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let of_one = ["faketime_shm_", "sem.faketime_sem_"].iter().find_map(|kind| name.strip_prefix(kind));
        if of_one.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Another test may have done it meanwhile.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

async fn start_mariadb() -> Keeper {
    let directory = directory();
    let data = directory.join("data");
    std::fs::create_dir(&data).unwrap();
    let user = format!("--user={}", rustix::process::getuid().as_raw());
    let user = if user == "--user=0" { "--user=root".to_owned() } else { user };
    let at = |name: &str, file: &str| format!("--{name}={}", directory.join(file).display());
    let installed = Command::new("mariadb-install-db")
        .args(["--no-defaults", &user, &at("datadir", "data"), "--skip-test-db"])
        .arg("--auth-root-authentication-method=normal")
        .output()
        .await
        .unwrap();
    assert!(installed.status.success(), "{installed:?}");
    let port = Port::claim();
    // Every commit is flushed, as far as memory is; pages are written twice, for `kill -9` may come in between.
    let arguments = [
        "--no-defaults".to_owned(),
        user,
        at("datadir", "data"),
        at("socket", "socket"),
        at("pid-file", "pid"),
        at("tmpdir", ""),
        format!("--port={}", port.number()),
    ];
    let fixed =
        ["--bind-address=127.0.0.1", "--skip-log-bin", "--max-connections=500", "--performance-schema=OFF"];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(fixed).collect();
    let keeper = block_in_place(|| Keeper::start(&directory, port, mariadb().as_os_str(), &arguments));
    let url = format!("mysql://root@127.0.0.1:{}/mysql", keeper.port());
    let mut root = MySqlConnection::connect(&url).await.unwrap();
    root.execute("CREATE DATABASE fairy").await.unwrap();
    root.close().await.unwrap();
    keeper
}
