//! What an error of a call to AWS means, read once for all services.
//!
//! Codes are those of the API references ("Common Error Types", "Error handling with DynamoDB"); what has none is read
//! from its HTTP status.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use fairy_jobs::ports::PortError;

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Too much at a time; nothing was done.
    Throttled,
    /// Nothing goes for now, whatever is asked: not reached, no credentials, no permission, not there. Nothing was done.
    Away,
    /// It was asked and there is no answer that says whether it was done.
    Lost,
    /// What was asked is refused.
    Refused,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Fault {
    pub kind: Kind,
    /// AWS's name for it, if AWS answered.
    pub code: Option<String>,
    pub text: String,
}

const THROTTLED: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

const NOT_ANYBODY: [&str; 13] = [
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "NotAuthorized",
    "OptInRequired",
    "ResourceNotFoundException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

impl Fault {
    /// What the error means.
    pub(super) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(service) => {
                let (code, message) = (service.err().code(), service.err().message().unwrap_or_default());
                let kind = kind(code, service.raw().status().as_u16());
                let text = format!("{}: {message}", code.unwrap_or("no code"));
                Self { kind, code: code.map(str::to_owned), text: tidy(&text) }
            }
            SdkError::DispatchFailure(failure) => {
                let asked = was_asked(error).unwrap_or(failure.is_timeout());
                Self::unanswered(if asked { Kind::Lost } else { Kind::Away }, error)
            }
            SdkError::ConstructionFailure(_) => Self::unanswered(Kind::Away, error),
            _ => Self::unanswered(Kind::Lost, error),
        }
    }

    fn unanswered(kind: Kind, error: &(dyn Error + 'static)) -> Self {
        let words: Vec<String> = chain(error).map(ToString::to_string).collect();
        Self { kind, code: None, text: tidy(&words.join(": ")) }
    }

    /// The same, with what it was about.
    #[must_use]
    pub(super) fn about(mut self, what: &str) -> Self {
        self.text = format!("{what}: {}", self.text);
        self
    }

    /// Whether AWS gave it this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl From<Fault> for PortError {
    /// Calls of sinks and of readers may be repeated, so a lost answer is the same as none.
    fn from(fault: Fault) -> Self {
        match fault.kind {
            Kind::Throttled | Kind::Away | Kind::Lost => Self::Unavailable(fault.text),
            Kind::Refused => Self::Broken(fault.text),
        }
    }
}

fn kind(code: Option<&str>, status: u16) -> Kind {
    match (code, status) {
        (Some(code), _) if THROTTLED.contains(&code) => Kind::Throttled,
        (Some(code), _) if NOT_ANYBODY.contains(&code) => Kind::Away,
        (_, 429) => Kind::Throttled,
        (_, 401 | 403 | 503) => Kind::Away,
        (_, 500..) => Kind::Lost,
        _ => Kind::Refused,
    }
}

/// Whether there was a connection, so that it may have been asked; `None` if it did not come as far as connecting, for want
/// of credentials or the like.
fn was_asked(error: &(dyn Error + 'static)) -> Option<bool> {
    let client = |cause: &(dyn Error + 'static)| {
        cause.downcast_ref::<hyper_util::client::legacy::Error>().map(|error| !error.is_connect())
    };
    chain(error).find_map(client)
}

fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_before_the_status() {
        for (code, status, expected) in [
            (Some("ProvisionedThroughputExceededException"), 400, Kind::Throttled),
            (Some("ThrottlingException"), 400, Kind::Throttled),
            (Some("AccessDeniedException"), 400, Kind::Away),
            (Some("ResourceNotFoundException"), 400, Kind::Away),
            (Some("ValidationException"), 400, Kind::Refused),
            (None, 429, Kind::Throttled),
            (None, 403, Kind::Away),
            (Some("ServiceUnavailable"), 503, Kind::Away),
            (Some("InternalFailure"), 500, Kind::Lost),
            (None, 504, Kind::Lost),
            (None, 400, Kind::Refused),
        ] {
            assert_eq!(kind(code, status), expected, "{code:?} {status}");
        }
    }
}
