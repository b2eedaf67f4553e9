//! What a process does of all that there is to do.

use std::time::Duration;

use fairy_queue::LaneSpec;

use crate::{Failure, config::Config, lanes};

/// How long an API that shares its work goes on serving while it says that it will not.
const DRAIN: Duration = Duration::from_secs(5);

/// What a process does.
#[derive(Debug, Clone)]
pub enum Role {
    /// Everything.
    Up,
    /// Answers requests.
    Api,
    /// Works these lanes.
    Worker(Vec<&'static LaneSpec>),
}

impl Role {
    /// The command that starts it.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Up => "fairy up",
            Self::Api => "fairy api",
            Self::Worker(_) => "fairy worker",
        }
    }

    /// Whether it answers requests.
    pub const fn serves(&self) -> bool {
        matches!(self, Self::Up | Self::Api)
    }

    /// The lanes that it works, if it works any.
    pub fn lanes(&self) -> Option<&[&'static LaneSpec]> {
        match self {
            Self::Up => Some(&lanes::ALL),
            Self::Api => None,
            Self::Worker(lanes) => Some(lanes),
        }
    }

    /// How long it goes on serving after it was told to stop. Where it is the only one, nobody could take over meanwhile.
    pub fn drains_for(&self, config: &Config) -> Duration {
        match self {
            Self::Api => config.drain_for.unwrap_or(DRAIN),
            Self::Up => config.drain_for.unwrap_or_default(),
            Self::Worker(_) => Duration::ZERO,
        }
    }

    /// Whether it can be played with what the settings name.
    ///
    /// # Errors
    /// When it shares its work with other processes and something is in a file, which cannot be shared.
    pub fn fits(&self, config: &Config) -> Result<(), Failure> {
        if matches!(self, Self::Up) || !(config.database.is_file() || config.queue.is_file()) {
            return Ok(());
        }
        let mut missing = Vec::new();
        if config.database.is_file() {
            missing.push("FAIRY__DATABASE__URL to mysql://user:password@host:port/database");
        }
        if config.queue.is_file() {
            missing.push("FAIRY__QUEUE__URL to redis://host:port");
        }
        Err(Failure::new(format_args!(
            "`{}` shares its work with other processes, and SQLite serves `fairy up` only: set {}, or run `fairy up`",
            self.command(),
            missing.join(" and ")
        )))
    }
}
