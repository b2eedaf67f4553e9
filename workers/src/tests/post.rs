//! Deliveries as the store keeps them, and a mail server, both in memory and failing when told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    id::DeliveryId,
    notice::{Beginning, Delivery},
    ports::{
        Attempt, Begun, Deliveries, DeliveryContent, Mail, Mailer, PortError, PortResult, SendError, Sent,
        Wait,
    },
};
use jiff::{SignedDuration, Timestamp};

/// What a delivery's row says.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub delivery: Delivery,
    pub content: PortResult<DeliveryContent>,
    pub due_at: Timestamp,
    pub in_hand: bool,
    /// Attempts in a row without an end.
    pub deaths: u32,
    /// Why it waits.
    pub error: Option<String>,
    pub end: Option<Attempt>,
}

/// Deliveries as the store keeps them.
#[derive(Default)]
pub(super) struct FakeDeliveries {
    pub rows: Mutex<BTreeMap<DeliveryId, Row>>,
    /// How many were begun in each call.
    pub begun: Mutex<Vec<usize>>,
    pub contents_errors: Mutex<VecDeque<PortError>>,
    pub settle_errors: Mutex<VecDeque<PortError>>,
}

#[async_trait]
impl Deliveries for FakeDeliveries {
    async fn begin(
        &self,
        ids: &[DeliveryId],
        how: Beginning,
        lease: Duration,
        at: Timestamp,
    ) -> PortResult<Begun> {
        let mut rows = self.rows.lock().unwrap();
        let mut begun = Begun::default();
        for id in ids {
            let Some(row) = rows.get_mut(id).filter(|row| row.end.is_none() && row.due_at <= at) else {
                continue;
            };
            match Beginning::after(row.deaths) {
                Beginning::Alone if how == Beginning::Together => {
                    begun.alone.push(*id);
                    continue;
                }
                Beginning::GivenUp => {
                    row.end = Some(Attempt::Failed { error: Beginning::DIED.to_owned() });
                    begun.failed.push((*id, Beginning::DIED.to_owned()));
                    continue;
                }
                _ => {}
            }
            row.delivery.attempt += 1;
            row.deaths += 1;
            row.in_hand = true;
            row.due_at = at + SignedDuration::try_from(lease).unwrap();
            begun.deliveries.push(row.delivery.clone());
        }
        self.begun.lock().unwrap().push(begun.deliveries.len());
        Ok(begun)
    }

    async fn put_off(&self, ids: &[DeliveryId], wait: &Wait, at: Timestamp) -> PortResult<u64> {
        let mut rows = self.rows.lock().unwrap();
        let mut given_up = 0;
        for id in ids {
            let Some(row) = rows.get_mut(id).filter(|row| row.end.is_none() && row.due_at <= at) else {
                continue;
            };
            if row.delivery.created_at < wait.made_after {
                row.end = Some(Attempt::Failed { error: wait.too_long.clone() });
                given_up += 1;
            } else {
                (row.due_at, row.error) = (wait.until, Some(wait.error.clone()));
            }
        }
        Ok(given_up)
    }

    async fn give_up(&self, id: DeliveryId, error: &str, _at: Timestamp) -> PortResult<()> {
        let mut rows = self.rows.lock().unwrap();
        if let Some(row) = rows.get_mut(&id).filter(|row| row.end.is_none()) {
            row.end = Some(Attempt::Failed { error: error.to_owned() });
        }
        Ok(())
    }

    async fn free_begun(&self, at: Timestamp) -> PortResult<u64> {
        let mut rows = self.rows.lock().unwrap();
        let begun = rows.values_mut().filter(|row| row.in_hand && row.end.is_none());
        Ok(begun.map(|row| (row.due_at, row.in_hand) = (at, false)).count() as u64)
    }

    async fn contents(&self, deliveries: &[Delivery]) -> PortResult<Vec<DeliveryContent>> {
        if let Some(error) = self.contents_errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        let rows = self.rows.lock().unwrap();
        deliveries.iter().map(|delivery| rows[&delivery.id].content.clone()).collect()
    }

    async fn settle(&self, ends: &[(DeliveryId, u32, Attempt)], _at: Timestamp) -> PortResult<()> {
        if let Some(error) = self.settle_errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        let mut rows = self.rows.lock().unwrap();
        for (id, attempt, end) in ends {
            let row = rows.get_mut(id).unwrap();
            if row.delivery.attempt != *attempt || !row.in_hand {
                continue;
            }
            (row.in_hand, row.deaths) = (false, 0);
            match end {
                Attempt::Later { due_at, error } | Attempt::Waits { due_at, error } => {
                    (row.due_at, row.error) = (*due_at, Some(error.clone()));
                    row.delivery.failures += u32::from(matches!(end, Attempt::Later { .. }));
                }
                end => row.end = Some(end.clone()),
            }
        }
        Ok(())
    }

    async fn next_due(&self, id: DeliveryId) -> PortResult<Option<Timestamp>> {
        let rows = self.rows.lock().unwrap();
        Ok(rows.get(&id).filter(|row| row.end.is_none()).map(|row| row.due_at))
    }

    async fn due(&self, before: Timestamp, limit: usize) -> PortResult<Vec<DeliveryId>> {
        let rows = self.rows.lock().unwrap();
        let due = rows.values().filter(|row| row.end.is_none() && row.due_at < before);
        Ok(due.map(|row| row.delivery.id).take(limit).collect())
    }
}

/// A mail server that does as told for each message, and else takes it over.
#[derive(Default)]
pub(super) struct FakeMailer {
    pub replies: Mutex<VecDeque<Reply>>,
    pub sent: Mutex<Vec<Mail>>,
    /// While it is away, why.
    pub away: Mutex<Option<String>>,
    pub asked: Mutex<usize>,
    /// Messages at which the process dies, and where a test hears of it.
    pub kills: Mutex<BTreeSet<DeliveryId>>,
    pub died: tokio::sync::Notify,
}

/// What the mail server does with a message.
pub(super) enum Reply {
    Refuses(SendError),
    IsSilent,
    Panics,
}

#[async_trait]
impl Mailer for FakeMailer {
    async fn send(&self, mail: &Mail) -> Result<Sent, SendError> {
        *self.asked.lock().unwrap() += 1;
        tokio::task::yield_now().await;
        if self.kills.lock().unwrap().contains(&mail.delivery) {
            self.died.notify_one();
            return futures::future::pending().await;
        }
        if let Some(error) = self.away.lock().unwrap().clone() {
            return Err(SendError::Away { error });
        }
        let reply = self.replies.lock().unwrap().pop_front();
        match reply {
            Some(Reply::Refuses(error)) => Err(error),
            Some(Reply::IsSilent) => futures::future::pending().await,
            Some(Reply::Panics) => panic!("a defect"),
            None => {
                let mut sent = self.sent.lock().unwrap();
                sent.push(mail.clone());
                Ok(Sent { provider_id: sent.len().to_string() })
            }
        }
    }
}
