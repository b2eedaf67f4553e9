//! A real mail server in a process of its own, which keeps what it is given.

use std::{path::PathBuf, process::Stdio};

use tokio::process::{Child, Command};

use crate::{
    harness::{Home, Port, python, wait_until},
    mailbox::Letter,
};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/black_box/mail/sink.py");

/// What becomes of a mail that was taken.
#[derive(Clone, Copy)]
pub enum Fate {
    /// It is kept, and that is answered.
    Answered,
    /// It is kept, and the connection is cut without an answer.
    Kept,
    /// It is not kept, and the connection is cut without an answer.
    Lost,
}

impl Fate {
    const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Kept => "kept",
            Self::Lost => "lost",
        }
    }
}

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

    /// What becomes of the mail to this address that is held, or of the next one.
    pub fn decide(&self, address: &str, fate: Fate) {
        let path = self.home.path().join(address);
        std::fs::write(&path, fate.word()).unwrap();
        std::fs::rename(&path, self.home.path().join(format!("{address}.fate"))).unwrap();
    }

    /// The mails that were taken and are not answered, in order.
    pub fn held(&self) -> Vec<Letter> {
        self.mails("part")
    }

    /// Every mail that was accepted, in order, repeats included.
    pub fn letters(&self) -> Vec<Letter> {
        self.mails("eml")
    }

    fn mails(&self, ending: &str) -> Vec<Letter> {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(self.home.path()).unwrap().flatten().map(|e| e.path()).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == ending));
        files.sort();
        // One whose name was changed meanwhile is not held any more.
        let bytes = |path: PathBuf| Some((path.display().to_string(), std::fs::read(&path).ok()?));
        files.into_iter().filter_map(bytes).map(|(name, bytes)| Letter::parse(&name, &bytes)).collect()
    }
}
