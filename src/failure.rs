//! Why a command could not do its work: one line that says what to do.

use std::fmt;

/// The line that `fairy` prints to standard error before it exits with 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    /// A failure told in these words, brought to one line.
    pub fn new(words: impl fmt::Display) -> Self {
        Self(words.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<crate::config::Faults> for Failure {
    fn from(faults: crate::config::Faults) -> Self {
        Self::new(faults)
    }
}

impl From<fairy_queue::QueueError> for Failure {
    fn from(error: fairy_queue::QueueError) -> Self {
        Self::new(format_args!("{error}; `fairy doctor` may say why"))
    }
}

impl From<fairy_jobs::ports::PortError> for Failure {
    fn from(error: fairy_jobs::ports::PortError) -> Self {
        Self::new(format_args!("the database: {error}; `fairy doctor` may say why"))
    }
}
