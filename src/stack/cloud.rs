//! What is at AWS, where the settings name it: the activity log, the event bus, mail.
//!
//! Each by itself, beside files or servers. What is not there when a process starts is a mistake in the settings or the
//! set-up, and the start is refused with a line that says what to do. What only does not answer then is away, as it may be at
//! any later time: its lane waits, and the process starts.

use std::{sync::Arc, time::Duration};

use fairy_jobs::ports::Limiter;
use fairy_workers::aws::{Aws, AwsError, Bucket, DynamoDb, EventBridge, SendRate, Ses, SesOptions};

use super::{Parts, Role};
use crate::{
    Failure,
    cluster::SharedRate,
    config::{Config, Transport},
    lanes,
};

/// How long a start waits for AWS to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the settings name of AWS.
#[derive(Default)]
pub struct Cloud {
    /// The table of the activity log.
    pub table: Option<DynamoDb>,
    /// The event bus.
    pub bus: Option<EventBridge>,
    /// Who we are there; `None` where nothing of it is used.
    pub aws: Option<Aws>,
}

impl Cloud {
    /// What the settings name. AWS is not asked yet.
    ///
    /// # Errors
    /// Where something is named, and no region.
    pub async fn of(config: &Config, parts: &Parts) -> Result<Self, Failure> {
        let ses = matches!(config.mail.transport, Transport::Ses { .. });
        let uses = [
            config.activity.as_ref().map(|_| "activity.table"),
            config.bus.as_ref().map(|_| "events.bus"),
            ses.then_some("mail.transport = ses"),
        ];
        let Some(first) = uses.into_iter().flatten().next() else {
            return Ok(Self::default());
        };
        let needs = |error| Failure::new(format_args!("{first} needs AWS: {error}"));
        let aws = Aws::from_environment().await.map_err(needs)?;
        let bus = config.bus.as_ref().map(|bus| EventBridge::new(&aws, bus)).transpose().map_err(needs)?;
        let table = config.activity.clone().map(|table| DynamoDb::new(&aws, table, parts.clock.clone()));
        Ok(Self { table, bus, aws: Some(aws) })
    }

    /// Looks whether what this role uses is there. Whoever does everything by itself makes the table, too.
    ///
    /// # Errors
    /// Where it is not, or not as it must be.
    pub async fn prepare(&self, role: &Role) -> Result<(), Failure> {
        if let Some(table) = &self.table {
            prepare_table(table, matches!(role, Role::Up)).await?;
        }
        let publishes =
            role.lanes().is_some_and(|all| all.iter().any(|lane| lane.name == lanes::PUBLISH.name));
        match &self.bus {
            Some(bus) if publishes => {
                let words =
                    |error| Failure::new(format_args!("{error}: make it, or name another in events.bus"));
                asked(bus.check()).await.map(|_| ()).map_err(words)
            }
            _ => Ok(()),
        }
    }

    /// The way through SES that the settings describe; its rate is that of all processes that share this limiter.
    ///
    /// # Errors
    /// Where they name another way.
    pub fn ses(
        &self,
        config: &Config,
        parts: &Parts,
        limiter: Option<Arc<dyn Limiter>>,
    ) -> Result<Ses, Failure> {
        let (Transport::Ses { configuration_set, rate }, Some(aws)) = (&config.mail.transport, &self.aws)
        else {
            return Err(Failure::new("mail does not go through SES"));
        };
        let options = SesOptions { configuration_set: configuration_set.clone(), ..SesOptions::default() };
        let rate: Arc<dyn SendRate> = match (limiter, rate) {
            (Some(limiter), Some(rate)) => Arc::new(SharedRate::new(limiter, *rate)),
            (_, rate) => Arc::new(Bucket::new(rate.unwrap_or(f64::INFINITY))),
        };
        Ses::new(aws, options, config.mail.from.clone(), rate, parts.clock.clone()).map_err(Failure::new)
    }
}

async fn prepare_table(table: &DynamoDb, alone: bool) -> Result<(), Failure> {
    let there = match asked(table.describe()).await {
        Err(_) if alone => table.create_table().await.map(Some),
        looked => looked,
    };
    there.map(|_| ()).map_err(Failure::new)
}

/// What AWS says; `None` where it says nothing for now, which is told.
///
/// # Errors
/// With what does not get better by waiting.
async fn asked<T>(question: impl Future<Output = Result<T, AwsError>>) -> Result<Option<T>, AwsError> {
    let error = match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => return Ok(Some(answer)),
        Ok(Err(AwsError::Unfit(error))) => return Err(AwsError::Unfit(error)),
        Ok(Err(AwsError::Away(error))) => error,
        Err(_) => format!("AWS did not answer within {} s", PATIENCE.as_secs()),
    };
    tracing::warn!(error, "what is at AWS cannot be looked at, and what needs it waits until it answers");
    Ok(None)
}
