//! What the server, or its absence, made of a call.

use redis::{ErrorKind, RedisError};

use crate::{PushError, QueueError};

/// Why a call brought nothing.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// It was never sent, or the server refused to begin with it.
    Refused(String),
    /// The same, because of who asks: waiting does not help.
    Denied(String),
    /// The same, because the key is not on this node of a Cluster, or is about to leave it.
    Elsewhere(String, Way),
    /// It may have been carried out.
    Unknown(String),
}

/// Where a key is to be looked for, as the wrong node has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// There; the host may be missing, which means that it is the same one.
    To(String, u16),
    /// In the middle of a move: nowhere whole until it is over.
    Moving,
    /// Somewhere else; this node has become a replica.
    Lost,
}

/// Answers by which the server says that it did not begin. Others may come from the middle of a script.
const REFUSALS: &[&str] = &[
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
];
/// The same, where it is who asks.
const DENIALS: &[&str] = &["NOAUTH", "NOPERM", "WRONGPASS"];

impl Failure {
    /// What an error means once the call was given to a connection.
    pub fn of(error: &RedisError) -> Self {
        let text = error.to_string();
        let code = error.code().unwrap_or_default();
        if let Some(way) = way(error, code) {
            Self::Elsewhere(text, way)
        } else if DENIALS.contains(&code) {
            Self::Denied(text)
        } else if REFUSALS.contains(&code) || error.kind() == ErrorKind::Client {
            Self::Refused(text)
        } else {
            Self::Unknown(text)
        }
    }

    /// What an error means that kept a call from being given to a connection.
    pub fn to_connect(error: &RedisError) -> Self {
        let code = error.code().unwrap_or_default();
        if DENIALS.contains(&code) || error.kind() == ErrorKind::AuthenticationFailed {
            Self::Denied(error.to_string())
        } else {
            Self::Refused(error.to_string())
        }
    }

    /// The reason.
    pub fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Denied(text) | Self::Elsewhere(text, _) | Self::Unknown(text) => text,
        }
    }

    /// The same failure of what was to come before a call, which itself was not begun.
    pub fn before_call(self) -> Self {
        match self {
            Self::Unknown(text) => Self::Refused(text),
            other => other,
        }
    }
}

fn way(error: &RedisError, code: &str) -> Option<Way> {
    match code {
        "MOVED" => {
            let (host, port) = error.redirect_node()?.0.rsplit_once(':')?;
            Some(Way::To(host.to_owned(), port.parse().ok()?))
        }
        "ASK" | "TRYAGAIN" => Some(Way::Moving),
        "READONLY" => Some(Way::Lost),
        _ => None,
    }
}

impl From<Failure> for QueueError {
    fn from(failure: Failure) -> Self {
        Self(failure.text().to_owned())
    }
}

impl From<Failure> for PushError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown(text) => Self::Unknown(text),
            certain => Self::Unavailable(certain.text().to_owned()),
        }
    }
}
