//! A job before it is queued, and its id after.
//!
//! The payload is bytes to the lane: it is decoded by the worker, so that one producer's bad payload becomes a
//! dead letter and not an error of the store.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The id the store gave a job; unique in its lane for ever, opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// The id as the store wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for JobId {
    fn from(id: String) -> Self {
        Self(id)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A job to be pushed.
#[derive(Debug, Clone, Default)]
pub struct NewJob {
    /// What the handler will decode.
    pub payload: Vec<u8>,
    /// The group it is ordered in; required in a grouped lane, refused in a plain one.
    pub group: Option<String>,
    /// A key that no two queued jobs of the lane may hold at once.
    pub unique: Option<Unique>,
    /// Opaque, kept with the unique key and returned to whoever meets it (a fingerprint).
    pub tag: Option<String>,
    /// How many bytes at the beginning of the tag tell a repeat from another use of the unique key: a push of which one
    /// key is held for another use is refused whole. 0: every use of a key is a repeat.
    pub telling: usize,
    /// Whether it stands in the lane's account under its unique key until somebody vouches for it; without such a key it
    /// never does.
    pub accountable: bool,
    /// Not to be handed out before this much time has passed.
    pub delay: Option<Duration>,
    /// The payload version needed; a worker below it hands the job back without an attempt.
    pub needs: u32,
    /// Trace context of the producer.
    pub trace: Option<String>,
}

/// A key held by one queued job at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// The key, unique within its lane.
    pub key: String,
    /// When it is free again.
    pub hold: Hold,
}

/// How long a unique key is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Until the job is done, discarded or dead.
    UntilAcknowledged,
    /// This long from the push, whatever becomes of the job.
    For(Duration),
}

impl NewJob {
    /// A job with this payload and nothing else asked.
    pub fn new(payload: Vec<u8>) -> Self {
        Self { payload, ..Self::default() }
    }

    /// A job whose payload is `value` as JSON.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self::new(serde_json::to_vec(value)?))
    }

    /// Orders it within `group`.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into());
        self
    }

    /// Gives it a unique key.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>, hold: Hold) -> Self {
        self.unique = Some(Unique { key: key.into(), hold });
        self
    }

    /// Keeps `tag` with its unique key.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Lets the first `bytes` of the tag tell a repeat from another use of the unique key.
    #[must_use]
    pub fn telling(mut self, bytes: usize) -> Self {
        self.telling = bytes;
        self
    }

    /// Enters it in the lane's account, under its unique key, until [`Queue::acquit`](crate::Queue::acquit).
    #[must_use]
    pub fn accountable(mut self) -> Self {
        self.accountable = true;
        self
    }

    /// Whether the holder of its unique key, by the holder's tag, is another use of it.
    pub(crate) fn is_not(&self, holder: Option<&str>) -> bool {
        let telling =
            |tag: Option<&str>| tag.unwrap_or_default().bytes().take(self.telling).collect::<Vec<u8>>();
        self.telling > 0 && telling(self.tag.as_deref()) != telling(holder)
    }

    /// Holds it back for `delay`.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Asks for a worker that understands payload version `version`.
    #[must_use]
    pub fn needs(mut self, version: u32) -> Self {
        self.needs = version;
        self
    }

    /// Carries the producer's trace context.
    #[must_use]
    pub fn trace(mut self, trace: impl Into<String>) -> Self {
        self.trace = Some(trace.into());
        self
    }
}
