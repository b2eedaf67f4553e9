//! What the server, or its absence, made of a call.

use redis::{ErrorKind, RedisError};

use crate::{PushError, QueueError};

/// Why a call brought nothing.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// It was never sent, or the server refused to begin with it.
    Refused(String),
    /// It may have been carried out.
    Unknown(String),
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
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
];

impl Failure {
    /// What an error means once the call was given to a connection.
    pub fn of(error: &RedisError) -> Self {
        let text = error.to_string();
        let code = error.code().unwrap_or_default();
        if REFUSALS.contains(&code) || error.kind() == ErrorKind::Client {
            Self::Refused(text)
        } else {
            Self::Unknown(text)
        }
    }

    /// The reason.
    pub fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Unknown(text) => text,
        }
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
            Failure::Refused(text) => Self::Unavailable(text),
            Failure::Unknown(text) => Self::Unknown(text),
        }
    }
}
