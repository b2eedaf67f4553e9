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
    /// The server was not reached or does not take us, whatever the message: it waits, or somebody repairs the settings.
    #[error("the mail server cannot be used ({during}: {error})")]
    Away { during: &'static str, error: String },
    /// The server takes others, but not this one from us, or broke off: not the message's fault.
    #[error("held up by the mail server ({during}: {error})")]
    Held { during: &'static str, error: String },
    /// The server asks to come again with this message (4xx).
    #[error("put off by the mail server ({during}: {error})")]
    Later { during: &'static str, error: String },
    /// The server refuses this message or its recipient (5xx).
    #[error("refused by the mail server ({during}: {error})")]
    Never { during: &'static str, error: String },
    /// All was sent and no answer came, so it may have been taken over.
    #[error("the reply to the message was lost ({error}); it may have been taken over")]
    Lost { error: String },
}

impl Fault {
    /// What an error at this step means. Until the recipient is named the server knows nothing of the message, so what
    /// goes wrong there concerns them all.
    pub(super) fn at(step: Step, error: &smtp::Error) -> Self {
        let (during, text) = (step.during(), error.to_string());
        let code = error.status().map(u16::from);
        let error_text = text.chars().filter(|c| !c.is_control()).take(300).collect();
        match step {
            Step::Connect | Step::Tls | Step::SignIn | Step::Sender | Step::Reset => {
                Self::Away { during, error: error_text }
            }
            _ if is_ours(step, code, &text) || code == Some(CLOSING) => {
                Self::Held { during, error: error_text }
            }
            _ if error.is_permanent() => Self::Never { during, error: error_text },
            _ if error.is_transient() => Self::Later { during, error: error_text },
            Step::Content => Self::Lost { error: error_text },
            Step::Recipient | Step::Data => Self::Held { during, error: error_text },
        }
    }

    /// The step took longer than the patience allows.
    pub(super) fn silence(step: Step) -> Self {
        let (during, error) = (step.during(), "the server was silent for too long".to_owned());
        match step {
            Step::Content => Self::Lost { error },
            Step::Recipient | Step::Data => Self::Held { during, error },
            _ => Self::Away { during, error },
        }
    }

    /// Whether it was an answer of the server to this message, after which the conversation can go on.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self, Self::Later { .. } | Self::Never { .. })
    }
}

/// The server closes the connection (RFC 5321 §3.8).
const CLOSING: u16 = 421;

/// Whether a refusal after the sender was taken is about us: some servers ask for a password only at the recipient
/// (RFC 4954 §6), and those that do not know us take mail for their own recipients only. There is no code for the latter,
/// but all of them name it; what is about the address itself has a code of its own (X.1.X in RFC 3463).
fn is_ours(step: Step, code: Option<u16>, text: &str) -> bool {
    let denies_relay = || text.to_ascii_lowercase().contains("relay") && !text.contains(": 5.1.");
    match code {
        Some(530 | 534 | 535 | 538) => true,
        Some(500..) => step == Step::Recipient && denies_relay(),
        _ => false,
    }
}

impl From<Fault> for SendError {
    fn from(fault: Fault) -> Self {
        let error = fault.to_string();
        match fault {
            Fault::Away { .. } => Self::Away { error },
            Fault::Held { .. } => Self::Held { error },
            Fault::Never { .. } => Self::Permanent { error },
            Fault::Later { .. } | Fault::Lost { .. } => Self::Temporary { error, after: None },
        }
    }
}
