//! The scripts, and calls of them.
//!
//! A script is its own file behind the parts it shares with others. It is called by its hash and loaded when the
//! server does not know it: at first, after a restart, after a `SCRIPT FLUSH`.

use std::sync::OnceLock;

use redis::{Cmd, ErrorKind, ServerErrorKind, ToRedisArgs, Value};

use super::failure::Failure;
use super::node::Live;

/// One script.
pub struct Script {
    text: &'static str,
    hash: OnceLock<String>,
}

impl Script {
    /// A script with this text, whose one key is `KEYS[1]`.
    pub const fn new(text: &'static str) -> Self {
        Self { text, hash: OnceLock::new() }
    }

    fn hash(&self) -> &str {
        self.hash.get_or_init(|| redis::Script::new(self.text).get_hash().to_owned())
    }
}

macro_rules! script {
    ($name:ident, $flags:literal, $($file:literal),+) => {
        #[doc = concat!("See the last of ", $($file, " ",)+)]
        pub(super) static $name: Script =
            Script::new(concat!("#!lua", $flags, "\n", $(include_str!(concat!("scripts/", $file)),)+));
    };
}

// Without a flag a script is refused while the server is out of memory, before it begins; what makes room must run.
script!(
    PUSH,
    "",
    "lane.lua",
    "marks.lua",
    "groups.lua",
    "again.lua",
    "standing.lua",
    "pick.lua",
    "serve.lua",
    "push.lua"
);
script!(
    CLAIM,
    " flags=allow-oom",
    "lane.lua",
    "marks.lua",
    "groups.lua",
    "hands.lua",
    "again.lua",
    "standing.lua",
    "pick.lua",
    "lapse.lua",
    "due.lua",
    "claim.lua"
);
script!(STAND, " flags=allow-oom", "lane.lua", "again.lua", "standing.lua", "stand.lua");
script!(
    SETTLE,
    " flags=allow-oom",
    "lane.lua",
    "marks.lua",
    "groups.lua",
    "hands.lua",
    "letters.lua",
    "settle.lua"
);
script!(RENEW, " flags=allow-oom", "lane.lua", "hands.lua", "renew.lua");
script!(
    RETRY,
    " flags=allow-oom",
    "lane.lua",
    "marks.lua",
    "groups.lua",
    "letters.lua",
    "audit.lua",
    "retry.lua"
);
script!(DISCARD, " flags=allow-oom", "lane.lua", "marks.lua", "letters.lua", "audit.lua", "discard.lua");
script!(PAUSE, " flags=allow-oom", "lane.lua", "marks.lua", "groups.lua", "audit.lua", "pause.lua");
script!(FIND, " flags=no-writes", "lane.lua", "marks.lua", "letters.lua", "find.lua");
script!(OLDEST, " flags=no-writes", "lane.lua", "oldest.lua");
script!(OWED, " flags=no-writes", "lane.lua", "owed.lua");
script!(ACQUIT, " flags=allow-oom", "lane.lua", "acquit.lua");
script!(STATS, " flags=no-writes", "lane.lua", "stats.lua");
script!(DEAD, " flags=no-writes", "lane.lua", "dead.lua");

/// A call of a script, which may be sent more than once.
pub(super) struct Call {
    script: &'static Script,
    key: String,
    command: Cmd,
}

impl Call {
    /// A call for the lane whose own hash is `key`, or for what else stands there.
    ///
    /// It names a second key, which never exists: no node of a Cluster begins the script while their slot moves.
    pub fn new(script: &'static Script, key: &str) -> Self {
        let mut command = redis::cmd("EVALSHA");
        command.arg(script.hash()).arg(2).arg(key).arg(format!("{key}:nothing"));
        Self { script, key: key.to_owned(), command }
    }

    /// Adds an argument.
    pub fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// What it is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    async fn on(&self, live: &Live) -> Result<Value, Failure> {
        match live.give(&self.command).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let load = redis::cmd("SCRIPT").arg("LOAD").arg(self.script.text).to_owned();
                live.send(&load).await.map_err(Failure::before_call)?;
                live.send(&self.command).await
            }
            answer => answer.map_err(|error| Failure::of(&error)),
        }
    }
}

/// What is done on one connection, and again on another if it was not begun.
#[derive(Clone, Copy)]
pub(super) enum Errand<'a> {
    Command(&'a Cmd),
    Call(&'a Call),
}

impl Errand<'_> {
    /// Does it.
    pub async fn on(&self, live: &Live) -> Result<Value, Failure> {
        match self {
            Self::Command(command) => live.send(command).await,
            Self::Call(call) => call.on(live).await,
        }
    }
}
