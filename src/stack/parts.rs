//! What a test may replace.

use std::sync::Arc;

use fairy_jobs::{clock::Clock, id::IdSource, operation};

use crate::process::{clock::SystemClock, identity::identity, ids::OsIds};

/// Where time and randomness come from, what the process is called, and of which version it is.
#[derive(Clone)]
pub struct Parts {
    /// Tells the time, to rows and to lanes in a file.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub ids: Arc<dyn IdSource>,
    /// Tells this process from all others, of whatever machine and time.
    pub name: String,
    /// The version of payloads that it writes and the newest that it understands.
    pub version: u32,
}

impl Default for Parts {
    fn default() -> Self {
        let ids = OsIds::default();
        Self {
            clock: Arc::new(SystemClock),
            name: identity(&ids),
            ids: Arc::new(ids),
            version: operation::VERSION,
        }
    }
}
