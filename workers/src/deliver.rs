//! Lane `deliver`: sends what is due.
//!
//! The row of a delivery, not the job, says whether it is due, how often it was tried and when again; the job only says
//! "look". So a repeat is harmless: a delivery is begun by one worker at a time, and one that was sent is never begun again.
//! What the outside cannot de-duplicate is sent twice in exactly two cases, when the reply to it was lost and when
//! its sender was stopped for longer than its lease, and then under the same `Message-ID` and notice id.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    id::DeliveryId,
    lane,
    notice::Delivery,
    ports::{Attempt, Deliveries, DeliveryContent, Mailer, SendError},
};
use fairy_queue::{Answer, Handler, Job};
use futures::{FutureExt as _, future::join_all};
use jiff::Timestamp;

use crate::{
    Services,
    failure::Failure,
    mail::{Rendered, Site, render},
    retry,
};

/// Messages that are begun and sent together, so that all of them are sent within one limit and the lease holds. A lane that
/// hands out no more than these at once has nothing begun and unsent in hand when a worker stops.
pub const DELIVERIES_AT_ONCE: usize = 8;
/// The shortest time after which a job looks again.
const SOON: Duration = Duration::from_millis(100);
/// The longest time between two tries to record how sending ended.
const SETTLE_WAIT: Duration = Duration::from_secs(2);

/// Sends mail.
pub(crate) struct Deliver {
    pub deliveries: Arc<dyn Deliveries>,
    pub mailer: Arc<dyn Mailer>,
    pub clock: Arc<dyn Clock>,
    pub site: Site,
    pub send_limit: Duration,
}

/// The handler of the lane.
pub(crate) fn handler(services: &Services) -> Deliver {
    Deliver {
        deliveries: services.deliveries.clone(),
        mailer: services.mailer.clone(),
        clock: services.clock.clone(),
        site: Site::new(services),
        send_limit: services.settings.send_limit,
    }
}

type End = (DeliveryId, u32, Attempt);

#[async_trait]
impl Handler for Deliver {
    type Job = lane::Deliver;

    async fn handle(&self, batch: Vec<Job<lane::Deliver>>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(batch.len());
        for some in batch.chunks(DELIVERIES_AT_ONCE) {
            let ids: Vec<DeliveryId> = some.iter().map(|job| job.payload.delivery).collect();
            match self.deliver(&ids).await {
                Ok(some_answers) => answers.extend(some_answers),
                Err(failure) => {
                    let answer = Answer::from(failure);
                    answers.extend(ids.iter().map(|_| answer.clone()));
                }
            }
        }
        answers
    }
}

impl Deliver {
    /// How long a begun delivery is in this worker's hands: sending, and recording how it ended.
    fn lease(&self) -> Duration {
        self.send_limit + (self.send_limit / 4).max(Duration::from_secs(5))
    }

    async fn deliver(&self, ids: &[DeliveryId]) -> Result<Vec<Answer>, Failure> {
        let distinct: Vec<DeliveryId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let begun = self.deliveries.begin(&distinct, self.lease(), self.clock.now()).await?;
        let mut ends = Vec::new();
        if !begun.is_empty() {
            let contents = self.contents(&begun).await?;
            ends = join_all(begun.iter().zip(contents).map(|(d, content)| self.attempt(d, content))).await;
            self.settle(&ends).await?;
        }
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(self.answer(*id, &ends).await?);
        }
        Ok(answers)
    }

    async fn answer(&self, id: DeliveryId, ends: &[End]) -> Result<Answer, Failure> {
        let due = match ends.iter().find(|(ended, ..)| *ended == id) {
            Some((.., Attempt::Later { due_at, .. })) => Some(*due_at),
            Some(_) => None,
            None => self.deliveries.next_due(id).await?,
        };
        Ok(match due {
            Some(at) => {
                let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
                Answer::Snooze(wait.max(SOON))
            }
            None => Answer::Done,
        })
    }

    /// What the deliveries say; where one of them cannot be read, the others still can.
    async fn contents(&self, begun: &[Delivery]) -> Result<Vec<Result<DeliveryContent, String>>, Failure> {
        match self.deliveries.contents(begun).await.map_err(Failure::from) {
            Ok(contents) => return Ok(contents.into_iter().map(Ok).collect()),
            Err(Failure::Content(error)) => tracing::error!(error, "deliveries cannot be read together"),
            Err(away) => return Err(away),
        }
        let mut contents = Vec::with_capacity(begun.len());
        for delivery in begun {
            let alone = self.deliveries.contents(std::slice::from_ref(delivery)).await;
            contents.push(match alone.map_err(Failure::from) {
                Ok(mut content) => content.pop().ok_or_else(|| "it says nothing".to_owned()),
                Err(Failure::Content(error)) => Err(error),
                Err(away) => return Err(away),
            });
        }
        Ok(contents)
    }

    async fn attempt(&self, delivery: &Delivery, content: Result<DeliveryContent, String>) -> End {
        let sending = AssertUnwindSafe(self.send(delivery, content)).catch_unwind();
        let attempt = match tokio::time::timeout(self.send_limit, sending).await {
            Ok(Ok(Ok(attempt))) => attempt,
            Ok(Ok(Err((error, after)))) => self.again(delivery, error, after),
            Ok(Err(_)) => self.again(delivery, "sending it panicked".to_owned(), None),
            Err(_) => self.again(delivery, format!("not sent within {:?}", self.send_limit), None),
        };
        if let Attempt::Failed { .. } = attempt {
            tracing::warn!(delivery = %delivery.id, attempt = delivery.attempt, "a delivery was given up");
        }
        (delivery.id, delivery.attempt, attempt)
    }

    /// Renders and sends; an error is to be tried again, perhaps not before some time.
    async fn send(
        &self,
        delivery: &Delivery,
        content: Result<DeliveryContent, String>,
    ) -> Result<Attempt, (String, Option<Duration>)> {
        let content = content.map_err(|error| (error, None))?;
        let mail = match render(&self.site, delivery, &content) {
            Ok(Rendered::Mail(mail)) => mail,
            Ok(Rendered::Gone(reason)) => return Ok(Attempt::Dropped { reason }),
            Err(error) => return Err((format!("it cannot be rendered: {error}"), None)),
        };
        match self.mailer.send(&mail).await {
            Ok(sent) => Ok(Attempt::Sent { provider_id: sent.provider_id }),
            Err(SendError::Temporary { error, after }) => Err((error, after)),
            Err(SendError::Permanent { error }) => Ok(Attempt::Failed { error }),
        }
    }

    fn again(&self, delivery: &Delivery, error: String, after: Option<Duration>) -> Attempt {
        match retry::delay(delivery.id, delivery.attempt, after) {
            Some(delay) => {
                let due_at = self.clock.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
                Attempt::Later { due_at, error }
            }
            None => Attempt::Failed { error },
        }
    }

    /// Records how the attempts ended. What was sent and is not recorded would be sent again, so this is tried for as
    /// long as the deliveries are in this worker's hands.
    async fn settle(&self, ends: &[End]) -> Result<(), Failure> {
        let until = tokio::time::Instant::now() + self.lease();
        let mut wait = SOON;
        loop {
            let result = self.deliveries.settle(ends, self.clock.now()).await.map_err(Failure::from);
            match result {
                Err(Failure::Away(error)) if tokio::time::Instant::now() + wait < until => {
                    tracing::warn!(error, "what was sent cannot be recorded yet");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(SETTLE_WAIT);
                }
                result => return result,
            }
        }
    }
}
