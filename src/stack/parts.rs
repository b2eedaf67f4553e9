//! What a test may replace.

use std::sync::Arc;

use fairy_jobs::{clock::Clock, id::IdSource};

use crate::process::{clock::SystemClock, ids::OsIds};

/// Where time and randomness come from.
#[derive(Clone)]
pub struct Parts {
    /// Tells the time, to rows and to the queue.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub ids: Arc<dyn IdSource>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), ids: Arc::new(OsIds::default()) }
    }
}
