//! An operation: one requested write, from acceptance to outcome.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest as _, Sha256};

use crate::{
    command::Command,
    id::{OperationId, UserId, WorkspaceId},
    problem::Problem,
    task::{Comment, Task},
    trace::Trace,
};

pub use crate::entity_tag::{EntityTag, IfMatch, etag};

/// The payload version that this build writes and understands; a worker below an operation's `needs` hands it back.
pub const VERSION: u32 = 1;

/// One requested write, as it waits in the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Its id: random, or derived from the caller's idempotency key.
    pub id: OperationId,
    /// The workspace, which is its group in the lane.
    pub workspace: WorkspaceId,
    /// Who asked.
    pub actor: UserId,
    /// From where.
    pub source: Source,
    /// What is to be done.
    pub command: Command,
    /// The versions that `If-Match` allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<IfMatch>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// What tells a repeat from another request with the same id.
    pub fingerprint: Fingerprint,
    /// The failed operation that this one tries again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<OperationId>,
    /// Which process waits for its outcome, if any does and another process applies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The trace that it belongs to; it rides beside the payload, which says what is to be done.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

/// A process that waits for outcomes, by the name under which it hears them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplyTo(String);

impl ReplyTo {
    /// The process of this name.
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// From where an operation came: `web`, `api`, `slack #dev`; at most 100 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Source(String);

impl Source {
    /// The browser.
    pub fn web() -> Self {
        Self("web".to_owned())
    }

    /// A client with an API token.
    pub fn api() -> Self {
        Self("api".to_owned())
    }

    /// The first 100 characters of any name.
    pub fn named(name: &str) -> Self {
        Self(name.chars().filter(|c| !c.is_control()).take(100).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// SHA-256 over method, path, body and `If-Match` of a request, each with its length; text form is hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request, given as its parts.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The text form, which is kept beside the unique key in the lane.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The fingerprint of these 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes, as a store keeps them.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not a fingerprint"))
    }
}

/// The id of an operation with an idempotency key: the first 128 bits of SHA-256(actor, workspace, key).
pub fn keyed_id(actor: UserId, workspace: WorkspaceId, key: &str) -> OperationId {
    let mut hash = Sha256::new();
    hash.update(actor.to_bytes());
    hash.update(workspace.to_bytes());
    hash.update(key.as_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    OperationId::from_bytes(id)
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// In the lane.
    Accepted,
    /// Done, perhaps without a change.
    Applied,
    /// The domain said no.
    Refused,
    /// Dead-lettered; final.
    Failed,
}

impl OperationStatus {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Applied => "applied",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What an operation is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceRef {
    /// `task` or `comment`.
    #[serde(rename = "type")]
    pub kind: ResourceKind,
    /// Its id, or for a task named by its key, the key.
    pub id: String,
}

/// The kinds of resource an operation can be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// A task.
    Task,
    /// A comment.
    Comment,
}

/// The resource that an applied operation left, as it was right after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// A task.
    Task(Box<Task>),
    /// A comment.
    Comment(Box<Comment>),
}

impl Resource {
    /// The version that its entity tag names.
    pub fn version(&self) -> u64 {
        match self {
            Self::Task(task) => task.version,
            Self::Comment(comment) => comment.version,
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The operation.
    pub id: OperationId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Who asked.
    pub actor: UserId,
    /// What tells a repeat from another request with the same id.
    pub fingerprint: Fingerprint,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// What it was about.
    pub resource: ResourceRef,
    /// The failed operation that it tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<OperationId>,
    /// Applied with the resource, refused or failed with a problem.
    pub end: End,
}

impl Outcome {
    /// Whether it is that of an earlier request with the same id, and not of this very operation: another time, or another
    /// thing made in the same millisecond. What a task was called by says nothing, for the outcome has its id.
    pub fn is_not(&self, operation: &Operation) -> bool {
        let command = &operation.command;
        self.accepted_at != operation.accepted_at || command.makes() && self.resource != command.resource()
    }
}

/// The three ends of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Applied; with what it left, where the call answers it.
    Applied(Option<Resource>),
    /// Refused by the domain.
    Refused(Problem),
    /// Dead-lettered.
    Failed(Problem),
}

impl End {
    /// The status of an operation that ended so.
    pub const fn status(&self) -> OperationStatus {
        match self {
            Self::Applied(_) => OperationStatus::Applied,
            Self::Refused(_) => OperationStatus::Refused,
            Self::Failed(_) => OperationStatus::Failed,
        }
    }
}
