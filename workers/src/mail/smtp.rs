//! Mail over SMTP (RFC 5321), with a few connections kept open between messages.
//!
//! The conversation is driven step by step, because what an error means depends on the step: a server that does not
//! know the recipient refuses one mail for ever, a server that does not like our password or our own address refuses
//! all mails until somebody repairs the settings, and a reply that does not come after the last line of a message
//! leaves it unknown whether it was taken over. Nothing that is logged or returned holds a password.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    ports::{Mail, Mailer, SendError, Sent},
};
use lettre::{
    address::Envelope,
    transport::smtp::{client::AsyncSmtpConnection, commands},
};
use url::Url;

use self::{
    fault::{Fault, Step},
    pool::Pool,
    server::Server,
};
use super::{Sender, message::message};

mod fault;
mod pool;
mod server;

pub use server::SmtpError;

/// How long each step of the conversation may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends mail to one mail server.
pub struct Smtp {
    server: Server,
    pool: Arc<Pool>,
    from: Sender,
    clock: Arc<dyn Clock>,
    /// Whether it was said already that the server holds some mail up.
    told: AtomicBool,
}

/// Mail through the server of `url`: `smtp://user:password@host:port` (port 587, without a user 25), which uses STARTTLS
/// where it is offered, or `smtps://…` (port 465). Certificates are verified; `ca` is a PEM file's content with
/// certificates that are trusted besides those of the web.
///
/// A password goes over the network in the clear only to this machine itself, or if the URL says `?tls=opportunistic`.
///
/// # Errors
/// When the URL or the certificates cannot be used.
pub fn smtp(url: &Url, ca: Option<&[u8]>, from: Sender, clock: Arc<dyn Clock>) -> Result<Smtp, SmtpError> {
    let server = Server::new(url, ca, from.domain(), PATIENCE)?;
    Ok(Smtp { server, pool: Arc::new(Pool::default()), from, clock, told: AtomicBool::new(false) })
}

impl Smtp {
    /// The same with another limit for each step of the conversation.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.server.patience = patience;
        self
    }

    /// Connects, greets and signs in without sending anything, as `fairy doctor` does.
    ///
    /// # Errors
    /// With what the server said, or why it was not reached.
    pub async fn check(&self) -> Result<(), SmtpError> {
        match self.server.connect().await {
            Ok(mut connection) => {
                connection.abort().await;
                Ok(())
            }
            Err(fault) => Err(SmtpError(fault.to_string())),
        }
    }

    /// A connection that was kept and is still good.
    async fn parked(&self) -> Option<AsyncSmtpConnection> {
        let mut parked = self.pool.take()?;
        let alive = tokio::time::timeout(self.server.patience, parked.test_connected()).await;
        if alive == Ok(true) {
            return Some(parked);
        }
        self.pool.clear();
        None
    }

    async fn transact(&self, envelope: &Envelope, message: &[u8]) -> Result<Sent, Fault> {
        if let Some(parked) = self.parked().await {
            match self.over(parked, envelope, message).await {
                // Nothing of the message was said yet. Servers tire of a connection, and then take a new one.
                Err(Fault::Away { .. }) => {}
                ended => return ended,
            }
        }
        self.over(self.server.connect().await?, envelope, message).await
    }

    async fn over(
        &self,
        mut connection: AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<Sent, Fault> {
        match self.converse(&mut connection, envelope, message).await {
            Ok(sent) => {
                self.pool.park(connection);
                Ok(sent)
            }
            Err(fault) => {
                // After a refusal the conversation can go on; after anything else nobody knows where it stands.
                let reset = commands::Rset;
                if fault.is_refusal()
                    && self.server.step(Step::Reset, connection.command(reset)).await.is_ok()
                {
                    self.pool.park(connection);
                }
                Err(fault)
            }
        }
    }

    async fn converse(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<Sent, Fault> {
        let server = &self.server;
        let from = commands::Mail::new(envelope.from().cloned(), Vec::new());
        server.step(Step::Sender, connection.command(from)).await?;
        for to in envelope.to() {
            let to = commands::Rcpt::new(to.clone(), Vec::new());
            server.step(Step::Recipient, connection.command(to)).await?;
        }
        server.step(Step::Data, connection.command(commands::Data)).await?;
        let reply = server.step(Step::Content, connection.message(message)).await?;
        let words = reply.message().collect::<Vec<_>>().join(" ");
        Ok(Sent { provider_id: words.chars().filter(|c| !c.is_control()).take(200).collect() })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        let message = message(mail, &self.from, self.clock.as_ref())
            .map_err(|error| SendError::Permanent { error: error.to_string() })?;
        let result = self.transact(message.envelope(), &message.formatted()).await;
        if let Err(fault @ Fault::Held { .. }) = &result
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::error!(%fault, "some mail waits for the mail server to take it from us; told once");
        }
        result.map_err(SendError::from)
    }
}
