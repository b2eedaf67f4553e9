//! Sending mail.

use std::time::Duration;

use async_trait::async_trait;

use crate::{
    email::EmailAddress,
    id::{DeliveryId, NoticeId, WorkspaceId},
    text::Name,
};

/// A message, ready but for what a transport adds (`Date`, boundaries).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The delivery that carries it, by which a transport that keeps a copy names it.
    pub delivery: DeliveryId,
    /// `Message-ID` without brackets: the same for every attempt.
    pub message_id: String,
    /// The thread it belongs to, as a `References` root without brackets.
    pub thread: Option<String>,
    /// What people sort such mails by, as a `List-Id` without brackets (RFC 2919); `None` for mails that are asked for.
    pub list: Option<String>,
    /// Where it goes.
    pub to: EmailAddress,
    /// What the person is called.
    pub to_name: Option<Name>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
    /// The notice it is about, as `X-Fairy-Notice`, by which a repeat is known.
    pub notice: Option<NoticeId>,
    /// Where it happened, for transports that tag messages; it is in no header.
    pub workspace: Option<WorkspaceId>,
    /// Why the person gets it, as `X-Fairy-Reason`.
    pub reason: Option<&'static str>,
}

/// A message was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What the provider called it.
    pub provider_id: String,
}

/// Why a message was not taken over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may work later: 4xx for this message, a lost reply.
    #[error("{error}")]
    Temporary {
        /// What happened.
        error: String,
        /// When the other side wants to be asked again.
        after: Option<Duration>,
    },
    /// It never will: 5xx for this message, an address nobody can have.
    #[error("{error}")]
    Permanent {
        /// What happened.
        error: String,
    },
    /// Nothing can be sent for now, whatever it says and to whom: no connection, a password or a sender that is refused.
    #[error("{error}")]
    Away {
        /// What happened.
        error: String,
    },
    /// Something keeps this message in that is not its fault, and others may go: relaying is denied, the server broke off.
    #[error("{error}")]
    Held {
        /// What happened.
        error: String,
    },
}

/// Sends mail; several messages at a time, each at most once a call.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends one message. What it returns is what is known: after a lost reply, `Temporary`.
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError>;
}
