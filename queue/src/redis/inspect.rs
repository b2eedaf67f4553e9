//! Whether a server keeps what it accepts: asked at start, and by whoever examines an installation.
//!
//! Two things make a server unfit, for with them jobs vanish or nothing works: eviction, and a version that does not know
//! the commands. The rest is a matter of how much a crash may cost, and is said.

use std::collections::HashMap;

use redis::{FromRedisValue, Value};

use super::failure::Failure;
use super::link::Link;
use super::options::{AddressError, Options, client};
use super::reply::text;

/// The oldest major version that will do.
const OLDEST: u32 = 7;

/// What a server is and how it keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// `redis` or `valkey`, and its version.
    pub server: String,
    /// What makes a crash or a fail-over cost accepted jobs, each with what to do.
    pub warnings: Vec<String>,
    /// The time by its clock, epoch ms.
    pub time: i64,
}

/// Why a server cannot carry lanes.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The address cannot be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It does not answer, or does not let itself be asked.
    #[error("the queue's server cannot be asked: {0}")]
    Away(String),
    /// It is too old.
    #[error("the queue's server is version {0}; version {OLDEST} or later is needed")]
    TooOld(String),
    /// It may throw away what was accepted.
    #[error(
        "the queue's server evicts keys ({0}), and with them accepted jobs; set maxmemory-policy noeviction"
    )]
    Evicts(String),
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        Self::Away(failure.text().to_owned())
    }
}

/// Looks at a server without changing it.
///
/// # Errors
/// When it cannot be reached or is unfit.
pub async fn inspect(options: &Options) -> Result<Inspection, Unfit> {
    let link = Link::new(client(options)?, options.patience, options.prefix.clone());
    let info = info(&link).await?;
    let said = |key: &str| info.get(key).map(String::as_str).unwrap_or_default();
    let version = said("redis_version");
    let major: u32 = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    if major < OLDEST {
        return Err(Unfit::TooOld(version.to_owned()));
    }
    let policy = said("maxmemory_policy");
    if policy != "noeviction" {
        return Err(Unfit::Evicts(policy.to_owned()));
    }
    let server = match said("valkey_version") {
        "" => format!("redis {version}"),
        valkey => format!("valkey {valkey}"),
    };
    let time = said("server_time_usec").parse::<i64>().unwrap_or_default() / 1000;
    Ok(Inspection { server, warnings: warnings(&link, options.replicas, said).await, time })
}

async fn warnings<'a>(link: &Link, replicas: u32, said: impl Fn(&str) -> &'a str) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: &str| warnings.push(text.to_owned());
    if said("aof_enabled") == "1" {
        match setting(link, "appendfsync").await.as_deref() {
            Some("always") => {}
            Some(other) => warn(&format!(
                "appendfsync is {other}: a crash of the machine loses the last accepted jobs; set it to always"
            )),
            None => warn("appendfsync cannot be read; it should be always"),
        }
        if setting(link, "no-appendfsync-on-rewrite").await.as_deref() == Some("yes") {
            warn(
                "no-appendfsync-on-rewrite is yes: during a rewrite accepted jobs are not flushed; set it to no",
            );
        }
    } else {
        warn("appendonly is off: a restart loses accepted jobs; set it to yes");
    }
    let connected: u32 = said("connected_slaves").parse().unwrap_or(0);
    if connected > 0 && replicas == 0 {
        warn(
            "it has replicas, and a push does not wait for them: a fail-over may lose the last accepted jobs",
        );
    }
    if connected < replicas {
        warn(&format!(
            "a push waits for {replicas} replicas, and {connected} are there: none will be accepted"
        ));
    }
    warnings
}

async fn info(link: &Link) -> Result<HashMap<String, String>, Unfit> {
    let value = match link.send(&redis::cmd("INFO")).await? {
        Value::VerbatimString { text, .. } => text,
        other => text(other)?,
    };
    let pair =
        |line: &str| line.split_once(':').map(|(key, value)| (key.to_owned(), value.trim().to_owned()));
    Ok(value.lines().filter_map(pair).collect())
}

/// A setting, where the server lets itself be asked.
async fn setting(link: &Link, name: &str) -> Option<String> {
    let value = link.send(redis::cmd("CONFIG").arg("GET").arg(name)).await.ok()?;
    HashMap::<String, String>::from_redis_value(value).ok()?.remove(name)
}
