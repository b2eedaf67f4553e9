//! A server that a test may kill and start again over what it left.
//!
//! A test process has no end at which it could stop what it started, and may be killed. So each server has a keeper, a shell
//! that obeys its standard input, and when that closes kills the server by its pid and removes what it wrote.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use super::{Port, outside::redis_server};

const SCRIPT: &str = r#"
server=
run() { "$@" </dev/null >>"$DIRECTORY/log" 2>&1 & server=$!; }
end() { [[ -z "$server" ]] || { kill -9 "$server"; wait "$server"; server=; }; }
trap 'end; rm -rf "$DIRECTORY"' EXIT
run "$@"
while read -r word; do
    case "$word" in
        kill) end ;;
        start) run "$@" ;;
    esac
    echo "$word"
done
"#;

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a port of its own; it ends with the value.
pub struct Keeper {
    port: Port,
    words: ChildStdin,
    echo: BufReader<ChildStdout>,
    _shell: Child,
}

impl Keeper {
    /// Redis, every write on disk at once, unless it is set otherwise.
    pub fn redis(set: &[&str]) -> Self {
        let directory = directory();
        let port = Port::claim();
        let number = port.number().to_string();
        let place = directory.display().to_string();
        let durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];
        let mut arguments = vec!["--port", &number, "--bind", "127.0.0.1", "--dir", &place];
        arguments.extend(durable);
        arguments.extend(set);
        Self::start(&directory, port, redis_server().as_os_str(), &arguments)
    }

    /// Starts a server that writes below this directory, and waits until it listens.
    pub fn start(directory: &Path, port: Port, program: &OsStr, arguments: &[&str]) -> Self {
        let mut shell = Command::new("bash")
            .args(["-c", SCRIPT, "keeper"])
            .arg(program)
            .args(arguments)
            .env("DIRECTORY", directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let words = shell.stdin.take().expect("piped");
        let echo = BufReader::new(shell.stdout.take().expect("piped"));
        let keeper = Self { port, words, echo, _shell: shell };
        keeper.wait();
        keeper
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// `kill -9`; it is gone when this returns.
    pub fn kill(&mut self) {
        self.tell("kill");
    }

    /// Starts it again over what it left, and waits until it listens.
    pub fn restart(&mut self) {
        self.tell("start");
        self.wait();
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.words, "{word}").expect("the keeper lives");
        let mut said = String::new();
        self.echo.read_line(&mut said).expect("the keeper lives");
        assert_eq!(said.trim(), word);
    }

    fn wait(&self) {
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port())).is_err() {
            assert!(begun.elapsed() < PATIENCE, "the server at port {} does not start", self.port());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A directory for a server, in memory where there is such a place; its keeper removes it.
pub fn directory() -> PathBuf {
    let base = Path::new("/dev/shm");
    let base = if base.is_dir() { base.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("fairy-").tempdir_in(base).unwrap().keep()
}
