//! Sending a message.

use std::sync::atomic::Ordering;

use async_trait::async_trait;
use aws_sdk_sesv2::{
    operation::send_email::builders::SendEmailFluentBuilder,
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use fairy_jobs::ports::{Mail, Mailer, SendError, Sent};
use tokio::time::Instant;

use super::{
    OWN_TAGS, Ses,
    rate::Permit,
    verdict::{Verdict, judge},
};
use crate::{
    aws::{fault::Fault, pace::Pace},
    mail::message,
};

#[async_trait]
impl Mailer for Ses {
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        let call = self.call(mail).map_err(|error| SendError::Permanent { error })?;
        let sent = self.send_in_turn(mail, call).await;
        if let Err(SendError::Held { error }) = &sent
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(error, "some mail waits for SES to take it; told once");
        }
        sent
    }
}

impl Ses {
    fn call(&self, mail: &Mail) -> Result<SendEmailFluentBuilder, String> {
        let message = message(mail, &self.from, self.clock.as_ref()).map_err(|error| error.to_string())?;
        let raw = RawMessage::builder().data(Blob::new(message.formatted())).build();
        let raw = raw.map_err(|error| error.to_string())?;
        let to = Destination::builder().to_addresses(mail.to.as_str()).build();
        let mut call = self
            .client
            .send_email()
            .from_email_address(self.from.address())
            .destination(to)
            .content(EmailContent::builder().raw(raw).build())
            .set_configuration_set_name(self.options.configuration_set.clone());
        let [delivery, notice, workspace] = OWN_TAGS;
        let own = [
            (delivery, Some(mail.delivery.to_string())),
            (notice, mail.notice.map(|id| id.to_string())),
            (workspace, mail.workspace.map(|id| id.to_string())),
        ];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        for (name, value) in own.chain(self.options.tags.iter().cloned()) {
            let tag = MessageTag::builder().name(name).value(value).build();
            call = call.email_tags(tag.map_err(|error| error.to_string())?);
        }
        Ok(call)
    }

    /// Sends when the rate allows. What SES finds too fast all the same was not taken, so it is given again, for as long as
    /// the patience lasts; then it steps back, and others that are due have their turn.
    async fn send_in_turn(&self, mail: &Mail, call: SendEmailFluentBuilder) -> Result<Sent, SendError> {
        let until = Instant::now() + self.patience;
        let mut pace = Pace::of(mail.delivery.to_bytes());
        loop {
            let (wait, error) = match self.rate.permit().await {
                Permit::Wait(wait) => (Some(wait), "it waits for its turn at the sending rate".to_owned()),
                Permit::Go => match call.clone().send().await {
                    Ok(answer) => {
                        return Ok(Sent { provider_id: answer.message_id.unwrap_or_default() });
                    }
                    Err(error) => match judge(&Fault::of(&error), self.from.address()) {
                        Verdict::TooFast(error) => (pace.next(false), error),
                        Verdict::Ended(error) => return Err(error),
                    },
                },
            };
            match wait {
                Some(wait) if Instant::now() + wait < until => tokio::time::sleep(wait).await,
                _ => return Err(SendError::Held { error }),
            }
        }
    }
}
