//! Lane `deliver`: sends what is due.
//!
//! The row of a delivery, not the job, says whether it is due, how often it was tried and when again; the job only says
//! "look". So a repeat is harmless: a delivery is begun by one worker at a time, and one that was sent is never begun again.
//! Deliveries go together, but one by one where each must show by itself what it does: after their sender died, and
//! while nothing goes out (see `way`). Waiting for a mail server that is away spends nothing of a message's schedule.
//!
//! What the outside cannot de-duplicate is sent twice in exactly two cases, when the reply to it was lost and when
//! its sender was stopped for longer than its lease, and then under the same `Message-ID` and notice id.

use std::collections::{BTreeSet, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock,
    id::DeliveryId,
    lane,
    notice::{Beginning, Delivery},
    ports::{Attempt, Deliveries, DeliveryContent, Mailer, SendError, Wait},
};
use fairy_queue::{Answer, DeadJob, Handler, Job};
use futures::{FutureExt as _, future::join_all};
use jiff::Timestamp;

use crate::{
    Services,
    failure::Failure,
    mail::{Rendered, Site, render},
    retry, trace,
    way::{Leave, Outage, Way},
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
    pub way: Way,
}

/// The handler of the lane.
pub(crate) fn handler(services: &Services) -> Deliver {
    Deliver {
        deliveries: services.deliveries.clone(),
        mailer: services.mailer.clone(),
        clock: services.clock.clone(),
        site: Site::new(services),
        send_limit: services.settings.send_limit,
        way: Way::default(),
    }
}

type End = (DeliveryId, u32, Attempt);

/// Whether nothing is left to do.
const fn is_done((.., attempt): &End) -> bool {
    matches!(attempt, Attempt::Sent { .. } | Attempt::Dropped { .. })
}

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

    /// The sweeper would find the row of a defect again and again. Deaths of senders are another thing: they count with the
    /// row, which takes more of them than chance has, so the sweeper is to find it again.
    async fn bury(&self, dead: &DeadJob) -> Result<(), String> {
        if dead.is_of_crashes() {
            return Ok(());
        }
        let Ok(job) = serde_json::from_slice::<lane::Deliver>(&dead.payload) else {
            return Ok(());
        };
        let given_up = self.deliveries.give_up(job.delivery, &dead.error, self.clock.now()).await;
        given_up.map_err(|error| error.to_string())
    }
}

impl Deliver {
    /// How long a begun delivery is in this worker's hands: sending, and recording how it ended.
    fn lease(&self) -> Duration {
        self.send_limit + (self.send_limit / 4).max(Duration::from_secs(5))
    }

    async fn deliver(&self, ids: &[DeliveryId]) -> Result<Vec<Answer>, Failure> {
        let mut seen = BTreeSet::new();
        let mut left: VecDeque<DeliveryId> = ids.iter().copied().filter(|id| seen.insert(*id)).collect();
        let mut how = Beginning::Together;
        let mut ends = Vec::new();
        while !left.is_empty() {
            match self.way.leave(how, self.clock.as_ref()).await {
                Leave::Together(_turn) => {
                    left = self.turn(left.make_contiguous(), how, &mut ends).await?.into();
                    how = Beginning::Alone;
                }
                Leave::Alone(_turn) => {
                    let one: Vec<DeliveryId> = left.pop_front().into_iter().collect();
                    self.turn(&one, Beginning::Alone, &mut ends).await?;
                }
                Leave::No(outage) => {
                    self.put_off(left.make_contiguous(), outage).await?;
                    break;
                }
            }
        }
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(self.answer(*id, &ends).await?);
        }
        Ok(answers)
    }

    /// Begins, sends and records; which of them must each have a turn alone.
    async fn turn(
        &self,
        ids: &[DeliveryId],
        how: Beginning,
        ends: &mut Vec<End>,
    ) -> Result<Vec<DeliveryId>, Failure> {
        let begun = self.deliveries.begin(ids, how, self.lease(), self.clock.now()).await?;
        for (id, error) in &begun.failed {
            tracing::error!(delivery = %id, error, "a delivery was given up without being sent");
        }
        if !begun.deliveries.is_empty() {
            let contents = self.contents(&begun.deliveries).await;
            let attempts = begun.deliveries.iter().zip(contents).map(|(delivery, content)| {
                trace::in_spans("deliver", [delivery.trace], is_done, self.attempt(delivery, content))
            });
            let ended = join_all(attempts).await;
            self.settle(&ended).await?;
            ends.extend(ended);
        }
        Ok(begun.alone)
    }

    async fn put_off(&self, ids: &[DeliveryId], outage: Outage) -> Result<(), Failure> {
        let now = self.clock.now();
        let made_after = now.saturating_sub(retry::OLDEST).unwrap_or(Timestamp::MIN);
        let too_long = too_long(&outage.error);
        let wait = Wait { until: outage.until, error: outage.error, made_after, too_long };
        let given_up = self.deliveries.put_off(ids, &wait, now).await?;
        if given_up > 0 {
            tracing::warn!(given_up, error = wait.error, "deliveries waited too long and were given up");
        }
        Ok(())
    }

    async fn answer(&self, id: DeliveryId, ends: &[End]) -> Result<Answer, Failure> {
        let due = match ends.iter().find(|(ended, ..)| *ended == id) {
            Some((.., Attempt::Later { due_at, .. } | Attempt::Waits { due_at, .. })) => Some(*due_at),
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
    async fn contents(&self, begun: &[Delivery]) -> Vec<Result<DeliveryContent, Failure>> {
        match self.deliveries.contents(begun).await.map_err(Failure::from) {
            Ok(contents) => return contents.into_iter().map(Ok).collect(),
            Err(Failure::Content(error)) => tracing::error!(error, "deliveries cannot be read together"),
            Err(away) => return vec![Err(away); begun.len()],
        }
        let mut contents = Vec::with_capacity(begun.len());
        for delivery in begun {
            let alone = self.deliveries.contents(std::slice::from_ref(delivery)).await;
            contents.push(alone.map_err(Failure::from).and_then(|mut content| {
                content.pop().ok_or_else(|| Failure::Content("it says nothing".to_owned()))
            }));
        }
        contents
    }

    async fn attempt(&self, delivery: &Delivery, content: Result<DeliveryContent, Failure>) -> End {
        let sending = AssertUnwindSafe(self.send(delivery, content)).catch_unwind();
        let attempt = match tokio::time::timeout(self.send_limit, sending).await {
            Ok(Ok(Ok(attempt))) => attempt,
            Ok(Ok(Err(error))) => self.unsent(delivery, error),
            Ok(Err(_)) => self.again(delivery, "sending it panicked".to_owned(), None),
            Err(_) => self.again(delivery, format!("not sent within {:?}", self.send_limit), None),
        };
        if let Attempt::Failed { .. } = attempt {
            tracing::warn!(delivery = %delivery.id, attempt = delivery.attempt, "a delivery was given up");
        }
        (delivery.id, delivery.attempt, attempt)
    }

    /// Renders and sends.
    async fn send(
        &self,
        delivery: &Delivery,
        content: Result<DeliveryContent, Failure>,
    ) -> Result<Attempt, SendError> {
        let content = match content {
            Ok(content) => content,
            Err(Failure::Content(error)) => return Err(SendError::Temporary { error, after: None }),
            Err(Failure::Away(error)) => return Err(SendError::Held { error }),
        };
        if content.has_expired(self.clock.now()) {
            return Ok(Attempt::Dropped { reason: "the link in it has expired".to_owned() });
        }
        let mail = match render(&self.site, delivery, &content) {
            Ok(Rendered::Mail(mail)) => mail,
            Ok(Rendered::Gone(reason)) => return Ok(Attempt::Dropped { reason }),
            Err(error) => {
                let error = format!("it cannot be rendered: {error}");
                return Err(SendError::Temporary { error, after: None });
            }
        };
        let sent = self.mailer.send(&mail).await;
        // What can never be sent may never have come as far as the server.
        if !matches!(sent, Err(SendError::Away { .. } | SendError::Permanent { .. })) {
            self.way.is_open(self.clock.now());
        }
        sent.map(|sent| Attempt::Sent { provider_id: sent.provider_id })
    }

    /// What follows from not being sent.
    fn unsent(&self, delivery: &Delivery, error: SendError) -> Attempt {
        let now = self.clock.now();
        match error {
            SendError::Temporary { error, after } => self.again(delivery, error, after),
            SendError::Permanent { error } => Attempt::Failed { error },
            SendError::Away { error } => {
                let until = self.way.is_away(&error, now);
                // Next time another goes ahead, in case it was about this one after all.
                self.wait(delivery, until.saturating_add(SOON).unwrap_or(until), error)
            }
            SendError::Held { error } => {
                let wait = retry::held(now.duration_since(delivery.created_at));
                self.wait(delivery, now.saturating_add(wait).unwrap_or(now), error)
            }
        }
    }

    /// Waits without fault of its own, but not for ever.
    fn wait(&self, delivery: &Delivery, due_at: Timestamp, error: String) -> Attempt {
        if self.clock.now().duration_since(delivery.created_at) >= retry::OLDEST {
            return Attempt::Failed { error: too_long(&error) };
        }
        Attempt::Waits { due_at, error }
    }

    fn again(&self, delivery: &Delivery, error: String, after: Option<Duration>) -> Attempt {
        match retry::delay(delivery.id, delivery.failures + 1, after) {
            Some(delay) => {
                let due_at = self.clock.now().saturating_add(delay).unwrap_or(Timestamp::MAX);
                Attempt::Later { due_at, error }
            }
            None => {
                let times = delivery.failures + 1;
                Attempt::Failed { error: format!("given up after {times} failed attempts: {error}") }
            }
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

/// What is said of a message that has waited without fault of its own for longer than `retry::OLDEST`.
fn too_long(error: &str) -> String {
    format!("given up after five days: {error}")
}
