//! The server that is measured: the real binary, in a directory of its own.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::interval,
};

use crate::{report::Times, wire::Wire};

/// A running process: `fairy up`, or one of a cluster.
pub struct Served {
    /// Where it answers.
    pub address: String,
    admin: String,
    directory: TempDir,
    child: Child,
}

impl Served {
    /// Starts `fairy up` in a new directory and waits until it is ready.
    pub async fn start() -> Self {
        Self::role(&["up"], &[]).await
    }

    /// Starts a process with these arguments and settings in a new directory and waits until it is ready.
    pub async fn role(arguments: &[&str], settings: &[(&str, String)]) -> Self {
        // The target directory is on a real disk where a directory for temporary files may be memory.
        let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let directory = tempfile::Builder::new().prefix("bench-").tempdir_in(place).unwrap();
        Self::start_in(directory, arguments, settings).await
    }

    async fn start_in(directory: TempDir, arguments: &[&str], settings: &[(&str, String)]) -> Self {
        let (address, admin) = (free_address(), free_address());
        let child = Command::new(env!("CARGO_BIN_EXE_fairy"))
            .args(arguments)
            .env_clear()
            .env("FAIRY__HTTP__ADDRESS", &address)
            .env("FAIRY__HTTP__ADMIN_ADDRESS", &admin)
            .env("FAIRY__DATA_DIR", directory.path().join("var"))
            .env("FAIRY__LIMITS__FACTOR", "1000")
            .env("FAIRY__LOG__LEVEL", "warn")
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .current_dir(directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be started");
        let served = Self { address, admin, directory, child };
        served.ready().await;
        served
    }

    async fn ready(&self) {
        let mut pace = interval(Duration::from_micros(500));
        for _ in 0..60_000 {
            pace.tick().await;
            if TcpStream::connect(&self.admin).await.is_err() {
                continue;
            }
            let answer = Wire::open(&self.admin, "").await.call("GET", "/health/ready", "", "").await;
            if answer.status == 200 {
                return;
            }
        }
        panic!("the server is not ready after half a minute");
    }

    /// Stops it as `SIGTERM` does; its files stay.
    pub async fn stop(&mut self) {
        let pid = i32::try_from(self.child.id().expect("it runs")).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().await.unwrap();
    }

    /// Its database file.
    pub fn database(&self) -> PathBuf {
        self.directory.path().join("var/fairy.db")
    }

    /// Memory that it holds now.
    pub fn resident_mb(&self) -> f64 {
        self.status("VmRSS:")
    }

    /// The most memory that it ever held.
    pub fn peak_mb(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> f64 {
        let path = format!("/proc/{}/status", self.child.id().expect("it runs"));
        let text = std::fs::read_to_string(path).expect("its status can be read");
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells it");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }
}

/// How long the server takes from its start until it is ready, on a directory that it has used before.
pub async fn starts(count: usize) -> Times {
    let mut served = Served::start().await;
    let mut times = Vec::new();
    for _ in 0..count {
        served.stop().await;
        let begun = Instant::now();
        served = Served::start_in(served.directory, &["up"], &[]).await;
        times.push(begun.elapsed());
    }
    Times::new(times)
}

/// An address that nobody listens on; good enough where nothing else starts servers.
pub fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}
