//! One process of the system, and what it prints.

use std::{
    process::ExitStatus,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    time::timeout,
};

use super::wait_until;

/// How much of what is printed is kept.
const LOG_LIMIT: usize = 256 * 1024;

/// What processes printed lately, all into one.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<String>>);

impl Log {
    /// As it is now.
    pub fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    /// Keeps what a pipe brings, so that the process never waits for a reader.
    fn keep(&self, mut pipe: impl AsyncRead + Unpin + Send + 'static) {
        let log = self.clone();
        tokio::spawn(async move {
            let mut bytes = vec![0; 8 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
                let mut log = log.0.lock().unwrap();
                log.push_str(&String::from_utf8_lossy(&bytes[..count]));
                if log.len() > LOG_LIMIT {
                    let cut = (log.len() - LOG_LIMIT / 2..).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
                    log.drain(..cut);
                }
            }
        });
    }
}

/// A process that runs.
pub struct Process {
    child: Child,
    log: Log,
    admin_url: String,
}

impl Process {
    /// Starts a command, whose pipes are ours, as a process that tells how it is at this URL.
    pub fn start(mut command: Command, admin_url: String, log: &Log) -> Self {
        let mut child = command.spawn().expect("the binary can be started");
        log.keep(child.stdout.take().expect("piped"));
        log.keep(child.stderr.take().expect("piped"));
        Self { child, log: log.clone(), admin_url }
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it was not reaped")
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&mut self) {
        let probe = format!("{}/health/ready", self.admin_url);
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let (child, log) = (Mutex::new(&mut self.child), &self.log);
        wait_until("the server is ready", || async {
            if let Some(status) = child.lock().unwrap().try_wait().expect("can be asked") {
                panic!("the server ended with {status} before it was ready:\n{}", log.text());
            }
            let answer = http.get(&probe).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Sends a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid()).unwrap()).expect("not zero");
        rustix::process::kill_process(pid, signal).expect("our own child");
    }

    /// SIGSTOP, and waits until it stands still.
    pub async fn suspend(&self) {
        self.signal(rustix::process::Signal::STOP);
        let stat = format!("/proc/{}/stat", self.pid());
        wait_until("the server stands still", || async {
            // The state comes after the name, which stands in parentheses.
            let text = std::fs::read_to_string(&stat).expect("a child that was not reaped");
            text.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')).then_some(())
        })
        .await;
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    /// SIGKILL, and reaps it.
    pub async fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
        self.ended().await;
    }

    /// SIGTERM, and waits for its end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.signal(rustix::process::Signal::TERM);
        self.ended().await
    }

    /// How it has ended, if it has.
    pub fn end(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("it can be asked")
    }

    /// Whether it says at once that it is ready.
    pub async fn is_ready(&self) -> bool {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let answer = http.get(format!("{}/health/ready", self.admin_url)).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Its figures, as they are now.
    pub async fn metrics(&self) -> Option<String> {
        let answer = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        answer.get(format!("{}/metrics", self.admin_url)).send().await.ok()?.text().await.ok()
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        let end = timeout(Duration::from_secs(60), self.child.wait()).await;
        let Ok(status) = end else {
            panic!("the server did not end within a minute:\n{}", self.log.text());
        };
        status.expect("it can be waited for")
    }
}
