//! What an error in the conversation means.

use fairy_jobs::ports::SendError;
use lettre::transport::smtp;

/// Where the conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Connect,
    Tls,
    SignIn,
    Sender,
    Recipient,
    Data,
    Content,
    Reset,
}

impl Step {
    const fn during(self) -> &'static str {
        match self {
            Self::Connect => "connecting",
            Self::Tls => "STARTTLS",
            Self::SignIn => "signing in",
            Self::Sender => "MAIL FROM",
            Self::Recipient => "RCPT TO",
            Self::Data => "DATA",
            Self::Content => "sending the message",
            Self::Reset => "RSET",
        }
    }
}

/// Why a message was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The settings do not work: no mail will go until somebody repairs them.
    #[error("{during}: {error}")]
    Ours { during: &'static str, error: String },
    /// The server asks to come again (4xx).
    #[error("{during}: {error}")]
    Later { during: &'static str, error: String },
    /// The server refuses this message or its recipient (5xx).
    #[error("{during}: {error}")]
    Never { during: &'static str, error: String },
    /// The server was not reached, went away or was silent.
    #[error("{during}: {error}")]
    Away { during: &'static str, error: String },
    /// All was sent and no answer came, so it may have been taken over.
    #[error("the reply to the message was lost ({error}); it may have been taken over")]
    Lost { error: String },
}

impl Fault {
    /// What an error at this step means.
    pub(super) fn at(step: Step, error: &smtp::Error) -> Self {
        let (during, text) = (step.during(), error.to_string());
        let error_text = text.chars().filter(|c| !c.is_control()).take(300).collect();
        match step {
            _ if error.is_transient() => Self::Later { during, error: error_text },
            Step::Recipient | Step::Data | Step::Content
                if error.is_permanent() && !asks_for_sign_in(error) =>
            {
                Self::Never { during, error: error_text }
            }
            _ if error.is_permanent() || error.is_tls() || error.is_client() => {
                Self::Ours { during, error: error_text }
            }
            Step::Content => Self::Lost { error: error_text },
            _ => Self::Away { during, error: error_text },
        }
    }

    /// The step took longer than the patience allows.
    pub(super) fn silence(step: Step) -> Self {
        let error = "the server was silent for too long".to_owned();
        match step {
            Step::Content => Self::Lost { error },
            step => Self::Away { during: step.during(), error },
        }
    }

    /// Whether it was an answer of the server, after which the conversation can go on.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Later { .. } | Self::Never { .. })
    }

    /// Whether somebody has to repair the settings.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self, Self::Ours { .. })
    }
}

/// Some servers take any sender and ask for a password only at the recipient (RFC 4954 §6).
fn asks_for_sign_in(error: &smtp::Error) -> bool {
    error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538))
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        let error = fault.to_string();
        match fault {
            Fault::Never { .. } => Self::Permanent { error },
            _ => Self::Temporary { error, after: None },
        }
    }
}
