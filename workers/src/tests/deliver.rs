//! Delivering: the schedule, what ends it, and what may be sent twice.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock as _,
    id::{DeliveryId, LinkId},
    lane,
    link::LinkKey,
    notice::{Delivery, Subject},
    ports::{Attempt, DeliveryContent, PortError, PortResult, SendError, Upkeep},
    text::Name,
};
use fairy_queue::{Answer, Handler as _};
use jiff::{SignedDuration, Timestamp};

use super::{
    fakes::{FakeDeliveries, FakeFeed, FakeLedger, FakeMailer, FakeTeams, Reply, Row, Said, job},
    world::{Counter, MINA, StoppedClock, email, start, user},
};
use crate::{Services, Settings, deliver};

/// A worker of lane `deliver`, and what it works with.
pub(super) struct Bench {
    pub deliveries: Arc<FakeDeliveries>,
    pub mailer: Arc<FakeMailer>,
    pub said: Arc<Said>,
    pub clock: Arc<StoppedClock>,
}

/// A database in which some rows are old, and how often it was tidied up.
#[derive(Default)]
pub(super) struct FakeUpkeep {
    pub old: Mutex<u64>,
    pub calls: Mutex<u32>,
}

#[async_trait]
impl Upkeep for FakeUpkeep {
    async fn purge(&self, _at: Timestamp) -> PortResult<u64> {
        *self.calls.lock().unwrap() += 1;
        let mut old = self.old.lock().unwrap();
        let gone = (*old).min(500);
        *old -= gone;
        Ok(gone)
    }
    async fn ping(&self) -> PortResult<()> {
        Ok(())
    }
}

pub(super) fn row(number: u8) -> Row {
    let delivery = Delivery {
        id: DeliveryId::from_bytes([number; 16]),
        subject: Subject::VerifyEmail(LinkId::from_bytes([number; 16])),
        address: email(MINA),
        person: Some(MINA),
        name: Some(Name::parse("Mina Kim").unwrap()),
        attempt: 0,
        created_at: start(),
    };
    let content = DeliveryContent::Link { person: Box::new(user(MINA)), expires_at: start() };
    Row { delivery, content: Ok(content), due_at: start(), in_hand: false, end: None }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            deliveries: Arc::default(),
            mailer: Arc::default(),
            said: Arc::default(),
            clock: Arc::new(StoppedClock::new()),
        }
    }

    pub(super) fn add(&self, row: Row) -> DeliveryId {
        let id = row.delivery.id;
        self.deliveries.rows.lock().unwrap().insert(id, row);
        id
    }

    pub(super) fn services(&self, feed: &Arc<FakeFeed>) -> Services {
        Services {
            ledger: Arc::new(FakeLedger::default()),
            sinks: feed.clone(),
            teams: Arc::new(FakeTeams(Default::default())),
            notices: feed.clone(),
            deliveries: self.deliveries.clone(),
            activity: feed.clone(),
            upkeep: Arc::new(FakeUpkeep::default()),
            bus: None,
            mailer: self.mailer.clone(),
            outcomes: self.said.clone(),
            relay: self.said.clone(),
            clock: self.clock.clone(),
            ids: Arc::new(Counter::default()),
            link_key: LinkKey::new([7; 32]),
            settings: settings(),
        }
    }

    async fn handle(&self, ids: &[DeliveryId]) -> Vec<Answer> {
        let handler = deliver::handler(&self.services(&Arc::default()));
        handler.handle(ids.iter().map(|id| job(lane::Deliver { delivery: *id }, None)).collect()).await
    }

    fn end(&self, id: DeliveryId) -> Option<Attempt> {
        self.deliveries.rows.lock().unwrap()[&id].end.clone()
    }

    fn server(&self, replies: impl IntoIterator<Item = Reply>) {
        self.mailer.replies.lock().unwrap().extend(replies);
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        public_url: "https://fairy.example.com/".parse().unwrap(),
        mail_from: "Fairy <fairy@example.com>".parse().unwrap(),
        worker: "test".to_owned(),
        stop_within: Duration::from_secs(1),
        send_limit: Settings::SMTP_SEND_LIMIT,
    }
}

fn later(error: &str) -> Reply {
    Reply::Refuses(SendError::Temporary { error: error.to_owned(), after: None })
}

#[tokio::test]
async fn a_full_batch_is_sent_and_a_repeat_sends_nothing() {
    let bench = Bench::new();
    let ids: Vec<DeliveryId> = (1..=20).map(|number| bench.add(row(number))).collect();
    assert_eq!(bench.handle(&ids).await, vec![Answer::Done; 20]);
    assert_eq!(bench.handle(&ids).await, vec![Answer::Done; 20]);
    assert_eq!(bench.handle(&[ids[0], ids[0]]).await, vec![Answer::Done; 2]);
    assert_eq!(bench.mailer.sent.lock().unwrap().len(), 20);
}

#[tokio::test]
async fn what_cannot_be_sent_is_tried_by_the_schedule_and_then_given_up() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    let mut waits = Vec::new();
    loop {
        bench.server([later("no connection")]);
        match bench.handle(&[id]).await.remove(0) {
            Answer::Snooze(wait) => {
                waits.push(wait.as_secs_f64());
                // Before its time a repeat of the job finds nothing to begin.
                assert!(matches!(bench.handle(&[id]).await[..], [Answer::Snooze(_)]));
                bench.clock.advance(wait.try_into().unwrap());
            }
            answer => break assert_eq!(answer, Answer::Done),
        }
    }
    let schedule = [5.0, 60.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0];
    assert_eq!(waits.len(), schedule.len());
    for (wait, scheduled) in waits.iter().zip(schedule) {
        assert!((wait / scheduled - 1.0).abs() <= 0.101, "{wait} is not about {scheduled}");
    }
    assert_eq!(bench.end(id), Some(Attempt::Failed { error: "no connection".to_owned() }));
    assert!(bench.mailer.sent.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_ends_in_its_own_way() {
    let bench = Bench::new();
    let refused = SendError::Permanent { error: "550 no such user".to_owned() };
    let asked = SendError::Temporary { error: "421".to_owned(), after: Some(Duration::from_secs(900)) };
    bench.server([Reply::Refuses(refused), Reply::Refuses(asked), Reply::IsSilent, Reply::Panics]);
    let mut ids: Vec<DeliveryId> = (1..=5).map(|number| bench.add(row(number))).collect();
    let gone = DeliveryContent::Gone("withdrawn".to_owned());
    ids.push(bench.add(Row { content: Ok(gone), ..row(6) }));

    let answers = bench.handle(&ids).await;
    assert_eq!(bench.end(ids[0]), Some(Attempt::Failed { error: "550 no such user".to_owned() }));
    assert_eq!(answers[1], Answer::Snooze(Duration::from_secs(900)));
    assert!(matches!(answers[2], Answer::Snooze(wait) if wait < Duration::from_secs(6)), "{answers:?}");
    assert!(matches!(answers[3], Answer::Snooze(wait) if wait < Duration::from_secs(6)), "{answers:?}");
    assert_eq!(bench.end(ids[4]), Some(Attempt::Sent { provider_id: "1".to_owned() }));
    assert_eq!(bench.end(ids[5]), Some(Attempt::Dropped { reason: "withdrawn".to_owned() }));
    assert_eq!([&answers[0], &answers[4], &answers[5]], [&Answer::Done; 3]);
}

#[tokio::test]
async fn what_cannot_be_read_does_not_hold_up_its_neighbours() {
    let bench = Bench::new();
    let broken = Row { content: Err(PortError::Broken("a defect".to_owned())), ..row(1) };
    let ids = [bench.add(broken), bench.add(row(2))];
    let answers = bench.handle(&ids).await;
    assert!(matches!(answers[..], [Answer::Snooze(_), Answer::Done]), "{answers:?}");
    assert_eq!(bench.mailer.sent.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_recorded_even_if_the_database_hiccups() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    let away = || PortError::Unavailable("down".to_owned());
    bench.deliveries.settle_errors.lock().unwrap().extend([away(), away(), away(), away()]);
    assert_eq!(bench.handle(&[id]).await, [Answer::Done]);
    assert!(matches!(bench.end(id), Some(Attempt::Sent { .. })));
    assert_eq!(bench.mailer.sent.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_killed_sender_s_message_waits_for_its_lease_and_comes_under_the_same_id() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    bench.deliveries.settle_errors.lock().unwrap().push_back(PortError::Broken("killed here".to_owned()));
    assert!(matches!(bench.handle(&[id]).await[..], [Answer::Retry { .. }]));
    // Whoever takes the job over finds the delivery in other hands until the lease of 60 s and a quarter has ended.
    assert_eq!(bench.handle(&[id]).await, [Answer::Snooze(Duration::from_secs(75))]);
    bench.clock.set(bench.clock.now() + SignedDuration::from_secs(75));
    assert_eq!(bench.handle(&[id]).await, [Answer::Done]);
    let sent = bench.mailer.sent.lock().unwrap();
    assert_eq!(sent.len(), 2);
    assert_eq!(sent[0], sent[1]);
}
