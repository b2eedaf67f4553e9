//! Who mails come from.

use std::str::FromStr;

use lettre::message::Mailbox;

/// The `From` of every mail: `Fairy <fairy@example.com>` or just an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender(Mailbox);

/// Why a text is not a sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be an address such as fairy@example.com or Fairy <fairy@example.com>")]
pub struct SenderError;

impl Sender {
    /// The part of the address after the `@`.
    pub fn domain(&self) -> &str {
        self.0.email.domain()
    }

    /// The address alone.
    pub(crate) fn address(&self) -> &str {
        self.0.email.as_ref()
    }

    pub(super) const fn mailbox(&self) -> &Mailbox {
        &self.0
    }
}

impl FromStr for Sender {
    type Err = SenderError;

    fn from_str(text: &str) -> Result<Self, SenderError> {
        let one_line = !text.contains(char::is_control);
        let mailbox = text.trim().parse().ok().filter(|_| one_line);
        mailbox.map(Self).ok_or(SenderError)
    }
}

impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
