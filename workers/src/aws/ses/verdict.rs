//! What an answer of SES means for the message and for all others.

use fairy_jobs::ports::SendError;

use crate::aws::fault::{Fault, Kind};

/// What becomes of a message that was not taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Too many a second; it was not taken, and may be given again in a moment.
    TooFast(String),
    /// As the domain knows it.
    Ended(SendError),
}

/// Codes that say that nothing goes from this account, or not as it is set up.
const ACCOUNT: [&str; 5] = [
    "AccountSuspendedException",
    "LimitExceededException",
    "MailFromDomainNotVerifiedException",
    "NotFoundException",
    "SendingPausedException",
];

/// Judges a fault; `from` is the address that we send from.
pub(super) fn judge(fault: &Fault, from: &str) -> Verdict {
    let error = format!("SES: {fault}");
    let text = fault.text.to_ascii_lowercase();
    let code = fault.code.as_deref().unwrap_or_default();
    Verdict::Ended(match fault.kind {
        // Both quotas are answered alike ("Errors related to the sending quotas"); only one is over in a moment.
        Kind::Throttled if text.contains("daily") || text.contains("24 hour") => SendError::Away { error },
        Kind::Throttled => return Verdict::TooFast(error),
        Kind::Away => SendError::Away { error },
        Kind::Lost => SendError::Temporary { error, after: None },
        Kind::Refused if ACCOUNT.contains(&code) => SendError::Away { error },
        // Of an account in the sandbox the recipient has to be verified too: others may be.
        Kind::Refused if text.contains("not verified") && !names(&text, from) => SendError::Held { error },
        Kind::Refused if names(&text, from) => SendError::Away { error },
        Kind::Refused => SendError::Permanent { error },
    })
}

/// Whether it is about our own address or its domain.
fn names(text: &str, from: &str) -> bool {
    let from = from.to_ascii_lowercase();
    let domain = from.rsplit_once('@').map_or(from.as_str(), |(_, domain)| domain);
    let mut words =
        text.split(|c: char| c.is_whitespace() || "<>,;:'\"".contains(c)).map(|w| w.trim_end_matches('.'));
    words.any(|word| word == from || word == domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kind: Kind, code: &str, message: &str) -> &'static str {
        let fault = Fault { kind, code: Some(code.to_owned()), text: format!("{code}: {message}") };
        match judge(&fault, "Fairy@Example.com") {
            Verdict::TooFast(_) => "too fast",
            Verdict::Ended(SendError::Away { .. }) => "all wait",
            Verdict::Ended(SendError::Held { .. }) => "waits",
            Verdict::Ended(SendError::Temporary { .. }) => "later",
            Verdict::Ended(SendError::Permanent { .. }) => "never",
        }
    }

    #[test]
    fn tells_rate_account_and_message_apart() {
        use Kind::{Away, Lost, Refused, Throttled};
        let unverified =
            "Email address is not verified. The following identities failed the check in region EU-WEST-1:";
        for (kind, code, message, expected) in [
            (Throttled, "TooManyRequestsException", "Maximum sending rate exceeded.", "too fast"),
            (Throttled, "TooManyRequestsException", "Too many requests", "too fast"),
            (Throttled, "ThrottlingException", "Daily message quota exceeded.", "all wait"),
            (Refused, "LimitExceededException", "Daily message quota exceeded", "all wait"),
            (Refused, "SendingPausedException", "Email sending is disabled", "all wait"),
            (Refused, "AccountSuspendedException", "Sending suspended", "all wait"),
            (Refused, "MailFromDomainNotVerifiedException", "MAIL FROM", "all wait"),
            (Refused, "NotFoundException", "Configuration set <x> does not exist.", "all wait"),
            (Away, "AccessDeniedException", "User is not authorized to perform ses:SendEmail", "all wait"),
            (Refused, "MessageRejected", &format!("{unverified} fairy@example.com"), "all wait"),
            (
                Refused,
                "MessageRejected",
                &format!("{unverified} Fairy <fairy@example.com>, a@b.org"),
                "all wait",
            ),
            (Refused, "MessageRejected", &format!("{unverified} example.com"), "all wait"),
            (Refused, "MessageRejected", &format!("{unverified} someone@other.example"), "waits"),
            (Refused, "MessageRejected", &format!("{unverified} mina@sub.example.com"), "waits"),
            (Refused, "MessageRejected", "Message content is not accepted: a virus was found", "never"),
            (Refused, "BadRequestException", "Local address contains control or whitespace", "never"),
            (Lost, "InternalFailure", "", "later"),
        ] {
            assert_eq!(verdict(kind, code, message), expected, "{code}: {message}");
        }
    }
}
