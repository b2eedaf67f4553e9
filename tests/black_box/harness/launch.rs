//! What a system is started with: where its data is, its ports, its settings.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio::process::Command;

use super::{Port, Server, backing::Backing, is_cluster, run};

/// A directory for data that goes away with the last server that used it.
#[derive(Clone)]
pub struct Home {
    directory: Arc<TempDir>,
    /// In the cluster mode, what stands for the files in each data directory.
    backings: Arc<Mutex<HashMap<PathBuf, Backing>>>,
}

impl Home {
    /// A new, empty one.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("fairy-test-").tempdir();
        Self { directory: Arc::new(directory.expect("a temporary directory")), backings: Arc::default() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Lets this stand for the files in a data directory.
    pub fn keep_in(&self, data: &str, backing: Backing) {
        self.backings.lock().unwrap().insert(self.path().join(data), backing);
    }

    /// What stands for the files in a data directory.
    fn backing(&self, data: &Path) -> Backing {
        self.backings.lock().unwrap().entry(data.to_owned()).or_insert_with(Backing::new).clone()
    }
}

/// The commands of the processes of each mode; the first answers requests. Each has two ports: one for requests, and one
/// for its health and metrics.
const EMBEDDED: &[&str] = &["up"];
const CLUSTER: &[&str] = &["api", "worker", "worker"];

/// Which Fairy a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// The program as it was built.
    This,
    /// The same, but of the next version of payloads; the program of the tests plays it.
    Next,
}

/// The test that is no test but plays a process of the next version, and what tells it the command.
const PLAYER: &str = "chaos::next::plays_the_next_version";
pub const PLAYED: &str = "FAIRY_TEST_COMMAND";

/// What to start a server with.
pub struct Launch {
    home: Home,
    data: PathBuf,
    parts: &'static [&'static str],
    ports: Arc<Vec<Port>>,
    settings: Vec<(String, String)>,
    of_one: Vec<(usize, String, String)>,
    left_out: Vec<&'static str>,
    wrapper: Vec<String>,
}

impl Launch {
    /// Everything by default, in a directory of its own.
    pub fn new() -> Self {
        Self::at(&Home::new(), "var")
    }

    /// With its data under `home/data`.
    pub fn at(home: &Home, data: &str) -> Self {
        let parts = if is_cluster() { CLUSTER } else { EMBEDDED };
        Self {
            home: home.clone(),
            data: home.path().join(data),
            parts,
            ports: ports_of(parts),
            settings: Vec::new(),
            of_one: Vec::new(),
            left_out: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// Made of these processes instead of those of the mode.
    pub fn made_of(self, parts: &'static [&'static str]) -> Self {
        Self { parts, ports: ports_of(parts), ..self }
    }

    /// With a variable for one of its processes.
    pub fn for_one(mut self, part: usize, name: &str, value: impl Into<String>) -> Self {
        self.of_one.push((part, name.to_owned(), value.into()));
        self
    }

    /// With a setting, named without `FAIRY__`.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((format!("FAIRY__{name}"), value.into()));
        self
    }

    /// With a variable that is none of ours.
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings.push((name.to_owned(), value.into()));
        self
    }

    /// Without a setting that tests are given and the program has a default for.
    pub fn without(mut self, name: &'static str) -> Self {
        self.left_out.push(name);
        self
    }

    /// Run by this command, which must end by becoming the server (`exec`), so that its pid is the server's.
    pub fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// All settings, as environment variables.
    pub fn environment(&self) -> Vec<(String, String)> {
        let url = self.url(0);
        let mut all = vec![
            ("FAIRY__HTTP__ADDRESS".to_owned(), url.replace("http://", "")),
            ("FAIRY__HTTP__ADMIN_ADDRESS".to_owned(), self.url(1).replace("http://", "")),
            ("FAIRY__DATA_DIR".to_owned(), self.data.display().to_string()),
        ];
        if is_cluster() {
            all.extend(self.backing().settings());
            let like_embedded =
                [("HTTP__PUBLIC_URL", url.as_str()), ("AUTH__SIGN_UP", "open"), ("STOP__DRAIN_SECONDS", "0")];
            all.extend(like_embedded.map(|(name, value)| (format!("FAIRY__{name}"), value.to_owned())));
        }
        all.retain(|(name, _)| !self.left_out.iter().any(|left_out| name.ends_with(left_out)));
        all.extend(self.settings.iter().cloned());
        all
    }

    /// Where one of its ports is.
    pub fn url(&self, port: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[port].number())
    }

    /// The directory it runs in.
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// In the cluster mode, what its processes share.
    pub fn backing(&self) -> Backing {
        self.home.backing(&self.data)
    }

    /// The commands of the processes it consists of.
    pub fn parts(&self) -> &'static [&'static str] {
        self.parts
    }

    /// What starts one of them.
    pub fn command(&self, part: usize, version: Version) -> Command {
        let mut environment = self.environment();
        for (port, name) in [(2 * part, "FAIRY__HTTP__ADDRESS"), (2 * part + 1, "FAIRY__HTTP__ADMIN_ADDRESS")]
        {
            environment.push((name.to_owned(), self.url(port).replace("http://", "")));
        }
        let of_one = self.of_one.iter().filter(|(of, ..)| *of == part);
        environment.extend(of_one.map(|(_, name, value)| (name.clone(), value.clone())));
        let mut command = match (version, self.wrapper.split_first()) {
            (Version::Next, _) => {
                environment.push((PLAYED.to_owned(), self.parts[part].to_owned()));
                let mut command = Command::new(std::env::current_exe().expect("it runs"));
                command.args([PLAYER, "--exact", "--ignored", "--nocapture"]);
                run::clean(&mut command, self.home.path(), &environment);
                return command;
            }
            (Version::This, None) => Command::new(env!("CARGO_BIN_EXE_fairy")),
            (Version::This, Some((program, arguments))) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(env!("CARGO_BIN_EXE_fairy"));
                command
            }
        };
        run::clean(&mut command, self.home.path(), &environment);
        command.args(self.parts[part].split(' '));
        command
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Server {
        let mut server = Server::of(self);
        server.start().await;
        server
    }

    /// Makes what must be there before the first start.
    pub async fn prepare(&self) {
        if is_cluster() {
            self.backing().migrate().await;
        }
    }

    /// Runs the process that answers requests where it is expected to end by itself.
    pub async fn fails(&self) -> run::Finished {
        self.prepare().await;
        self.run_alone().await
    }

    /// The same over what is there.
    pub async fn run_alone(&self) -> run::Finished {
        run::fairy(self.home.path(), &self.environment(), &[self.parts()[0]]).await
    }
}

fn ports_of(parts: &[&str]) -> Arc<Vec<Port>> {
    Arc::new(parts.iter().flat_map(|_| [Port::claim(), Port::claim()]).collect())
}
