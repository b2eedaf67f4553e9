//! Mail over SMTP.

use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    ports::{Mail, Mailer, SendError, Sent},
};
use url::Url;

use super::Sender;

/// Sends over SMTP.
pub struct Smtp;

/// Why SMTP cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SmtpError(String);

impl Smtp {
    /// Connects, greets and signs in without sending anything: for `fairy doctor`.
    ///
    /// # Errors
    /// With what the server said or why it was not reached.
    pub async fn check(&self) -> Result<(), SmtpError> {
        Err(SmtpError("skeleton".to_owned()))
    }
}

/// Mail through the server of `url`, `smtp://` or `smtps://`; `ca` is a PEM certificate trusted besides the usual ones.
///
/// # Errors
/// When the URL or the certificate cannot be used.
pub fn smtp(_url: &Url, _ca: Option<&[u8]>, _from: Sender, _clock: Arc<dyn Clock>) -> Result<Smtp, SmtpError> {
    Err(SmtpError("skeleton".to_owned()))
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, _mail: &Mail) -> Result<Sent, SendError> {
        Err(SendError::Temporary { error: "skeleton".to_owned(), after: None })
    }
}
