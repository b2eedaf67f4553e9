//! Mail through SES (API version 2), as raw messages.
//!
//! SES takes the message as it is but for two headers: it gives it a `Message-ID` and a `Date` of its own. So a thread in a
//! mailbox rests on the `References` root, which no message need carry, and a repeat is known by `X-Fairy-Notice`. A
//! call is never repeated by the SDK, for a message whose answer was lost may have been taken over: `deliver` counts that.
//!
//! What SES says is about one of three: the **message** or its recipient, which is final; the **rate**, which nobody is to
//! blame for (the message waits); or the **account** (suspended, paused, daily quota, an address that is not verified, no
//! permission), which concerns all mail and is said once, by the way out (`way`).
//!
//! The **rate** is kept by asking a [`SendRate`] before each message. In one process a [`Bucket`] will do; processes that
//! share an account share one that they all ask.
//!
//! Each message carries its delivery, notice and workspace as **tags**, which come back in the events of the configuration
//! set: so a bounce or a complaint names what it is about. They hold ids only.

mod account;
mod mailer;
mod rate;
mod verdict;

use std::sync::{Arc, atomic::AtomicBool};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_sdk_sesv2::{Client, config};
use fairy_jobs::clock::Clock;

pub use self::{
    account::Account,
    rate::{Bucket, Permit, SendRate},
};
use super::{Aws, AwsError};
use crate::mail::Sender;

/// How mail goes through SES.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SesOptions {
    /// The configuration set, which says where events of messages go.
    pub configuration_set: Option<String>,
    /// Tags that every message carries besides its own.
    pub tags: Vec<(String, String)>,
}

/// Sends mail through SES.
pub struct Ses {
    client: Client,
    options: SesOptions,
    from: Sender,
    rate: Arc<dyn SendRate>,
    clock: Arc<dyn Clock>,
    /// How long a message waits for the rate before it steps back.
    patience: Duration,
    /// Whether it was said already that SES holds some mail up.
    told: AtomicBool,
}

impl Ses {
    /// Mail from this address, no faster than the rate allows.
    ///
    /// # Errors
    /// Where a tag is not one that SES takes.
    pub fn new(
        aws: &Aws,
        options: SesOptions,
        from: Sender,
        rate: Arc<dyn SendRate>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AwsError> {
        for (name, value) in &options.tags {
            if !is_tag(name) || !is_tag(value) || OWN_TAGS.contains(&name.as_str()) {
                return Err(AwsError::Unfit(format!(
                    "the mail tag `{name}` = `{value}` must be letters, digits, `_` and `-`, at most 256 each, \
                     and not named as one of Fairy's own ({})",
                    OWN_TAGS.join(", "),
                )));
            }
        }
        let config = config::Builder::from(aws.config()).retry_config(RetryConfig::disabled()).build();
        let (client, told) = (Client::from_conf(config), AtomicBool::new(false));
        Ok(Self { client, options, from, rate, clock, patience: PATIENCE, told })
    }

    /// The same with another limit for waiting.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

/// The tags that say what a message is about.
const OWN_TAGS: [&str; 3] = ["delivery", "notice", "workspace"];
/// Far less than sending may take in all (`Settings::SMTP_SEND_LIMIT`), for running out of that would count as a failure.
const PATIENCE: Duration = Duration::from_secs(15);

/// `MessageTag` in the API reference.
fn is_tag(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=256).contains(&text.len()) && text.chars().all(fits)
}
