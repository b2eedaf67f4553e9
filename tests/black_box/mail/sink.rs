//! A real mail server in a process of its own, which keeps what it is given.

use std::{path::PathBuf, process::Stdio};

use tokio::process::{Child, Command};

use crate::{
    harness::{Home, Port, python, wait_until},
    mailbox::Letter,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/black_box/mail/sink.py");

/// A mail server that accepts everything; it ends with the value.
pub struct Sink {
    port: Port,
    home: Home,
    _process: Child,
}

impl Sink {
    /// Starts it and waits until it listens.
    pub async fn start() -> Self {
        Self::start_at(Port::claim()).await
    }

    /// Starts it at this port.
    pub async fn start_at(port: Port) -> Self {
        let home = Home::new();
        let process = Command::new(python())
            .arg(SCRIPT)
            .arg(port.number().to_string())
            .arg(home.path())
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the mail server can be started");
        let sink = Self { port, home, _process: process };
        wait_until("the mail server listens", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", sink.port.number())).await.ok().map(drop)
        })
        .await;
        sink
    }

    /// The setting that leads to it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port.number())
    }

    /// From now on a mail is taken and not answered, until it is let go.
    pub fn hold(&self) {
        std::fs::write(self.home.path().join("hold"), "").unwrap();
    }

    /// Answers what was held.
    pub fn let_go(&self) {
        std::fs::remove_file(self.home.path().join("hold")).unwrap();
    }

    /// Whether a mail was taken and not answered.
    pub fn holds_a_mail(&self) -> bool {
        let mut files = std::fs::read_dir(self.home.path()).unwrap().flatten();
        files.any(|file| file.path().extension().is_some_and(|ending| ending == "part"))
    }

    /// Every mail that was accepted, in order, repeats included.
    pub fn letters(&self) -> Vec<Letter> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.home.path()).unwrap().flatten().map(|e| e.path()).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "eml"));
        files.sort();
        let read = |path: &PathBuf| Letter::parse(&path.display().to_string(), &std::fs::read(path).unwrap());
        files.iter().map(read).collect()
    }
}
