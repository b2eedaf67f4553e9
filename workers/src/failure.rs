//! What a port's error means for the job in hand, decided once for all jobs.
//!
//! Two cases matter: the port is away, which is nobody's fault and costs no attempt, and something is wrong with what
//! is in hand, which will not get better by itself. So `?` is enough in the jobs.

use std::time::Duration;

use fairy_jobs::ports::PortError;
use fairy_queue::Answer;

/// How long a job waits for a port that is away.
pub(crate) const AWAY: Duration = Duration::from_secs(1);

/// Why a job could not be done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// A port is away, or the fate of a call is unknown; later, and without an attempt.
    #[error("{0}")]
    Away(String),
    /// Something is wrong with what is in hand.
    #[error("{0}")]
    Content(String),
}

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Unavailable(_) | PortError::Unknown(_) => Self::Away(error.to_string()),
            PortError::Refused(_) | PortError::Broken(_) => Self::Content(error.to_string()),
        }
    }
}

impl From<Failure> for Answer {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Away(error) => {
                tracing::warn!(%error, "a job waits for what is away");
                Self::Snooze(AWAY)
            }
            Failure::Content(error) => Self::Retry { error, after: None },
        }
    }
}
