//! A running `fairy up`: started, watched, killed, started again.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    time::timeout,
};

use super::{Port, run, wait_until};

/// How much of what a server prints is kept.
const LOG_LIMIT: usize = 256 * 1024;

/// A directory for data that goes away with the last server that used it.
#[derive(Clone)]
pub struct Home(Arc<TempDir>);

impl Home {
    /// A new, empty one.
    pub fn new() -> Self {
        Self(Arc::new(
            tempfile::Builder::new().prefix("fairy-test-").tempdir().expect("a temporary directory"),
        ))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What to start a server with.
pub struct Launch {
    home: Home,
    data: PathBuf,
    ports: Arc<[Port; 2]>,
    settings: Vec<(String, String)>,
    wrapper: Vec<String>,
}

impl Launch {
    /// Everything by default, in a directory of its own.
    pub fn new() -> Self {
        Self::at(&Home::new(), "var")
    }

    /// With its data under `home/data`.
    pub fn at(home: &Home, data: &str) -> Self {
        Self {
            home: home.clone(),
            data: home.path().join(data),
            ports: Arc::new([Port::claim(), Port::claim()]),
            settings: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// With a setting, named without `FAIRY__`.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((format!("FAIRY__{name}"), value.into()));
        self
    }

    /// Run by this command, which must end by becoming the server (`exec`), so that its pid is the server's.
    pub fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// All settings, as environment variables.
    pub fn environment(&self) -> Vec<(String, String)> {
        let [main, admin] = &*self.ports;
        let mut all = vec![
            ("FAIRY__HTTP__ADDRESS".to_owned(), format!("127.0.0.1:{}", main.number())),
            ("FAIRY__HTTP__ADMIN_ADDRESS".to_owned(), format!("127.0.0.1:{}", admin.number())),
            ("FAIRY__DATA_DIR".to_owned(), self.data.display().to_string()),
        ];
        all.extend(self.settings.iter().cloned());
        all
    }

    /// The directory it runs in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Server {
        let mut server = Server { launch: self, running: None };
        server.start().await;
        server
    }

    /// Runs `fairy up` where it is expected to end by itself.
    pub async fn fails(&self) -> run::Finished {
        run::fairy(self.home.path(), &self.environment(), &["up"]).await
    }
}

struct Running {
    child: Child,
    log: Log,
}

type Log = Arc<Mutex<String>>;

/// A server, running or between two runs.
pub struct Server {
    launch: Launch,
    running: Option<Running>,
}

impl Server {
    /// A server with everything by default.
    pub async fn new() -> Self {
        Launch::new().start().await
    }

    /// Where it answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.launch.ports[0].number())
    }

    /// Where it tells how it is.
    pub fn admin_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.launch.ports[1].number())
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.launch.data
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Runs another subcommand with the same settings beside it.
    pub async fn beside(&self, args: &[&str]) -> run::Finished {
        run::fairy(self.launch.home.path(), &self.launch.environment(), args).await
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        let running = self.running.as_ref().expect("it runs");
        running.child.id().expect("it was not reaped")
    }

    /// What it printed lately.
    pub fn log(&self) -> String {
        self.running.as_ref().map(|r| r.log.lock().unwrap().clone()).unwrap_or_default()
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        self.ready().await;
    }

    /// Starts it without waiting.
    pub fn spawn(&mut self) {
        assert!(self.running.is_none(), "it runs already");
        let mut command = match self.launch.wrapper.split_first() {
            None => Command::new(env!("CARGO_BIN_EXE_fairy")),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(env!("CARGO_BIN_EXE_fairy"));
                command
            }
        };
        run::clean(&mut command, self.launch.home.path(), &self.launch.environment());
        let mut child = command.arg("up").spawn().expect("the binary can be started");
        let log = Log::default();
        keep(child.stdout.take().expect("piped"), &log);
        keep(child.stderr.take().expect("piped"), &log);
        self.running = Some(Running { child, log });
    }

    /// Waits until it says that it is ready.
    pub async fn ready(&mut self) {
        let probe = format!("{}/health/ready", self.admin_url());
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let running = self.running.as_mut().expect("it was started");
        let (child, log) = (Mutex::new(&mut running.child), &running.log);
        wait_until("the server is ready", || async {
            if let Some(status) = child.lock().unwrap().try_wait().expect("can be asked") {
                panic!("the server ended with {status} before it was ready:\n{}", log.lock().unwrap());
            }
            let answer = http.get(&probe).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// SIGKILL, at once, and reaps it. Returns what it printed.
    pub async fn kill(&mut self) -> String {
        let mut running = self.running.take().expect("it runs");
        running.child.kill().await.expect("it can be killed");
        running.log.lock().unwrap().clone()
    }

    /// SIGTERM, and waits for its end. Returns its exit code.
    pub async fn stop(&mut self) -> Option<i32> {
        self.signal(rustix::process::Signal::TERM);
        self.ended().await
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

    /// Waits for its end. Returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        let mut running = self.running.take().expect("it runs");
        let end = timeout(Duration::from_secs(60), running.child.wait()).await;
        let Ok(status) = end else {
            panic!("the server did not end within a minute:\n{}", running.log.lock().unwrap());
        };
        status.expect("it can be waited for").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() && self.running.is_some() {
            let log = self.log();
            let from = log.len().saturating_sub(6_000);
            let from = (from..=log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
            eprintln!("--- the end of the server's log ---\n{}\n---", &log[from..]);
        }
    }
}

/// Keeps what a pipe brings, so that the server never waits for a reader.
fn keep(mut pipe: impl AsyncRead + Unpin + Send + 'static, log: &Log) {
    let log = log.clone();
    tokio::spawn(async move {
        let mut bytes = vec![0; 8 * 1024];
        while let Ok(count @ 1..) = pipe.read(&mut bytes).await {
            let mut log = log.lock().unwrap();
            log.push_str(&String::from_utf8_lossy(&bytes[..count]));
            if log.len() > LOG_LIMIT {
                let cut = (log.len() - LOG_LIMIT / 2..).find(|at| log.is_char_boundary(*at)).unwrap_or(0);
                log.drain(..cut);
            }
        }
    });
}
