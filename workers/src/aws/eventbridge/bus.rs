//! Publishing.

use std::sync::{PoisonError, atomic::Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use fairy_jobs::{
    change::Change,
    event::event_id,
    ports::{EventBus, PortError, PortResult},
};
use tokio::time::Instant;

use super::{
    EventBridge,
    entry::{self, Entry},
};
use crate::aws::{
    AwsError,
    fault::{Fault, Kind},
    pace::Pace,
};

/// How long a bus that was there is taken to be there still.
const TRUST: Duration = Duration::from_secs(60);

/// Codes of entries that never get better (`PutEventsResultEntry`).
const MALFORMED: [&str; 3] = ["InvalidArgument", "MalformedDetail", "ValidationException"];
/// Codes of entries that say that the bus does not take us.
const UNWANTED: [&str; 5] = [
    "AccessDeniedException",
    "InvalidAccountIdException",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
    "ResourceNotFoundException",
];

#[async_trait]
impl EventBus for EventBridge {
    async fn publish(&self, changes: &[Change]) -> PortResult<()> {
        self.be_there().await?;
        let mut entries = Vec::with_capacity(changes.len());
        for change in changes {
            match entry::entry(change, &self.bus) {
                Ok(entry) => entries.push(entry),
                Err(reason) => self.set_one_aside(&event_id(change), &reason),
            }
        }
        for call in entry::calls(entries) {
            self.put(call).await?;
        }
        Ok(())
    }
}

impl EventBridge {
    /// Whether the bus is there, for `fairy doctor`.
    ///
    /// # Errors
    /// With what AWS said, or why it was not reached.
    pub async fn check(&self) -> Result<(), AwsError> {
        Ok(self.look().await?)
    }

    /// Asks for the bus, unless it was seen a moment ago.
    async fn be_there(&self) -> PortResult<()> {
        let seen = *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.is_some_and(|seen| seen.elapsed() < TRUST) {
            return Ok(());
        }
        match self.look().await {
            Ok(()) => {}
            // Who may publish need not be allowed to look.
            Err(fault) if fault.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) => {
                if !self.shared.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%fault, "whether the bus is there cannot be seen; told once");
                }
            }
            Err(fault) => return Err(fault.into()),
        }
        *self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    async fn look(&self) -> Result<(), Fault> {
        let asked = self.client.describe_event_bus().name(&self.bus).send().await;
        let fault = match asked {
            Ok(_) => return Ok(()),
            Err(error) => Fault::of(&error),
        };
        if fault.is("ResourceNotFoundException") {
            return Err(fault.about(&format!("there is no event bus {}, and changes wait for it", self.bus)));
        }
        Err(fault.about(&format!("event bus {}", self.bus)))
    }

    /// One call, repeated with the entries that failed, before the next one begins.
    async fn put(&self, mut left: Vec<Entry>) -> PortResult<()> {
        let mut pace = Pace::of(left.first().map(|entry| entry.id.clone()));
        loop {
            let events = left.iter().map(|entry| entry.event.clone()).collect();
            let asked = left.len();
            match self.client.put_events().set_entries(Some(events)).send().await {
                Ok(answer) => left = self.failed(left, answer.entries())?,
                Err(error) => match Fault::of(&error) {
                    Fault { kind: Kind::Throttled, .. } => {}
                    fault if is_malformed(&fault) && asked > 1 => {
                        return self.one_by_one(left).await;
                    }
                    fault if is_malformed(&fault) => {
                        left.iter().for_each(|entry| self.set_one_aside(&entry.id, &fault.text));
                        return Ok(());
                    }
                    fault => return Err(fault.about(&format!("event bus {}", self.bus)).into()),
                },
            }
            if left.is_empty() {
                return Ok(());
            }
            let Some(wait) = pace.next(left.len() < asked) else {
                return Err(PortError::Unavailable(format!("event bus {} takes no more for now", self.bus)));
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// A call was refused as a whole: one of its entries is to blame, and the others are not.
    async fn one_by_one(&self, entries: Vec<Entry>) -> PortResult<()> {
        for entry in entries {
            Box::pin(self.put(vec![entry])).await?;
        }
        Ok(())
    }

    /// Those that are to be put again.
    fn failed(&self, asked: Vec<Entry>, results: &[PutEventsResultEntry]) -> PortResult<Vec<Entry>> {
        if results.len() != asked.len() {
            let error = format!("event bus {} did not answer for each of the events", self.bus);
            return Err(PortError::Unavailable(error));
        }
        let mut again = Vec::new();
        for (entry, result) in asked.into_iter().zip(results) {
            let Some(code) = result.error_code() else { continue };
            let reason = format!("{code}: {}", result.error_message().unwrap_or_default());
            if MALFORMED.contains(&code) {
                self.set_one_aside(&entry.id, &reason);
            } else if UNWANTED.contains(&code) {
                return Err(PortError::Unavailable(format!("event bus {}: {reason}", self.bus)));
            } else {
                again.push(entry);
            }
        }
        Ok(again)
    }

    fn set_one_aside(&self, event: &str, reason: &str) {
        self.shared.set_aside.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            event,
            reason,
            "an event was set aside, for the bus never takes it; the feed has its change"
        );
    }
}

/// Whether a call was refused for what stands in it.
fn is_malformed(fault: &Fault) -> bool {
    let code = fault.code.as_deref().unwrap_or_default();
    fault.kind == Kind::Refused && (MALFORMED.contains(&code) || code == "RequestEntityTooLargeException")
}
