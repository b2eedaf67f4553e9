//! What SES says of the account, for `fairy doctor` and to know its rate.

use std::fmt;

use aws_sdk_sesv2::{Client, types::SendQuota};

use crate::aws::{Aws, AwsError, fault::Fault};

/// The account in its region.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// Whether it may send at all.
    pub sends: bool,
    /// Whether it has left the sandbox, in which every recipient has to be verified.
    pub in_production: bool,
    /// The most messages in 24 hours; negative: without limit.
    pub most_a_day: f64,
    /// Messages of the last 24 hours.
    pub sent_today: f64,
    /// The most messages a second.
    pub most_a_second: f64,
    /// `HEALTHY`, `PROBATION` or `SHUTDOWN`.
    pub enforcement: String,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sends = if self.sends { "sends" } else { "may not send" };
        let place = if self.in_production { "" } else { " in the sandbox, to verified recipients only" };
        let Self { sent_today, most_a_day, most_a_second, enforcement, .. } = self;
        write!(
            f,
            "{sends}{place}; {sent_today} of {most_a_day} today, {most_a_second} a second; {enforcement}"
        )
    }
}

impl Account {
    /// Asks for the account.
    ///
    /// # Errors
    /// With what SES said, or why it was not reached.
    pub async fn of(aws: &Aws) -> Result<Self, AwsError> {
        let asked = Client::new(aws.config()).get_account().send().await;
        let answer = asked.map_err(|error| AwsError::from(Fault::of(&error).about("SES")))?;
        let quota = answer.send_quota();
        Ok(Self {
            sends: answer.sending_enabled(),
            in_production: answer.production_access_enabled(),
            most_a_day: quota.map_or(0.0, SendQuota::max24_hour_send),
            sent_today: quota.map_or(0.0, SendQuota::sent_last24_hours),
            most_a_second: quota.map_or(0.0, SendQuota::max_send_rate),
            enforcement: answer.enforcement_status().unwrap_or("unknown").to_owned(),
        })
    }
}
