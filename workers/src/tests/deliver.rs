//! Delivering: the schedule, what ends it, what may be sent twice, and what a deadly message does.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fairy_jobs::{
    clock::Clock as _,
    id::{DeliveryId, LinkId},
    lane,
    link::LinkKey,
    notice::{Delivery, Subject},
    operation::VERSION,
    ports::{Attempt, Backlog, Deliveries as _, DeliveryContent, PortError, PortResult, SendError, Upkeep},
    text::Name,
};
use fairy_queue::{Answer, DeadJob, Handler as _, Job};
use jiff::{SignedDuration, Timestamp};

use super::{
    fakes::{FakeFeed, FakeLedger, FakeTeams, Said, job},
    post::{FakeDeliveries, FakeMailer, Reply, Row},
    world::{Counter, MINA, StoppedClock, email, start, user},
};
use crate::{
    Services, Settings,
    deliver::{self, DELIVERIES_AT_ONCE, Deliver},
};

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
    pub settled_before: Mutex<Option<Timestamp>>,
}

/// What the lane says of its oldest operation.
#[derive(Default)]
pub(super) struct FakeBacklog(pub Mutex<VecDeque<PortResult<Option<Duration>>>>);

#[async_trait]
impl Backlog for FakeBacklog {
    async fn oldest(&self) -> PortResult<Option<Duration>> {
        self.0.lock().unwrap().pop_front().unwrap_or(Ok(None))
    }
}

#[async_trait]
impl Upkeep for FakeUpkeep {
    async fn purge(&self, _at: Timestamp, settled_before: Timestamp) -> PortResult<u64> {
        *self.settled_before.lock().unwrap() = Some(settled_before);
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

fn link(expires_at: Timestamp) -> DeliveryContent {
    DeliveryContent::Link { person: Box::new(user(MINA)), expires_at }
}

pub(super) fn row(number: u8) -> Row {
    let delivery = Delivery {
        id: DeliveryId::from_bytes([number; 16]),
        subject: Subject::VerifyEmail(LinkId::from_bytes([number; 16])),
        address: email(MINA),
        person: Some(MINA),
        name: Some(Name::parse("Mina Kim").unwrap()),
        attempt: 0,
        failures: 0,
        created_at: start(),
        trace: None,
    };
    let content = link(start() + SignedDuration::from_hours(30 * 24));
    let (in_hand, deaths, error, end) = (false, 0, None, None);
    Row { delivery, content: Ok(content), due_at: start(), in_hand, deaths, error, end }
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
            backlog: Arc::new(FakeBacklog::default()),
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

    /// What a process does that has just been started.
    pub(super) async fn handle(&self, ids: &[DeliveryId]) -> Vec<Answer> {
        self.process().handle(jobs(ids)).await
    }

    pub(super) fn process(&self) -> Deliver {
        deliver::handler(&self.services(&Arc::default()))
    }

    /// The same in a process that dies at some messages: `None` if it did. What was begun is freed with the next start.
    async fn live(&self, ids: &[DeliveryId]) -> Option<Vec<Answer>> {
        let process = self.process();
        let answers = tokio::select! {
            biased;
            () = self.mailer.died.notified() => None,
            answers = process.handle(jobs(ids)) => Some(answers),
        };
        self.deliveries.free_begun(self.clock.now()).await.unwrap();
        answers
    }

    pub(super) fn asked(&self) -> usize {
        std::mem::take(&mut *self.mailer.asked.lock().unwrap())
    }

    pub(super) fn away(&self, error: Option<&str>) {
        *self.mailer.away.lock().unwrap() = error.map(str::to_owned);
    }

    pub(super) fn row(&self, id: DeliveryId) -> Row {
        self.deliveries.rows.lock().unwrap()[&id].clone()
    }

    pub(super) fn end(&self, id: DeliveryId) -> Option<Attempt> {
        self.deliveries.rows.lock().unwrap()[&id].end.clone()
    }

    pub(super) fn server(&self, replies: impl IntoIterator<Item = Reply>) {
        self.mailer.replies.lock().unwrap().extend(replies);
    }
}

pub(super) fn settings() -> Settings {
    Settings {
        public_url: "https://fairy.example.com/".parse().unwrap(),
        mail_from: "Fairy <fairy@example.com>".parse().unwrap(),
        worker: "test".to_owned(),
        version: VERSION,
        time_up: tokio_util::sync::CancellationToken::new(),
        send_limit: Settings::SMTP_SEND_LIMIT,
    }
}

pub(super) fn jobs(ids: &[DeliveryId]) -> Vec<Job<lane::Deliver>> {
    ids.iter().map(|id| job(lane::Deliver { delivery: *id }, None)).collect()
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
    let error = "given up after 8 failed attempts: no connection".to_owned();
    assert_eq!(bench.end(id), Some(Attempt::Failed { error }));
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
    ids.push(bench.add(Row { content: Ok(link(start())), ..row(7) }));

    let answers = bench.handle(&ids).await;
    assert_eq!(bench.end(ids[0]), Some(Attempt::Failed { error: "550 no such user".to_owned() }));
    assert_eq!(answers[1], Answer::Snooze(Duration::from_secs(900)));
    assert!(matches!(answers[2], Answer::Snooze(wait) if wait < Duration::from_secs(6)), "{answers:?}");
    assert!(matches!(answers[3], Answer::Snooze(wait) if wait < Duration::from_secs(6)), "{answers:?}");
    assert_eq!(bench.end(ids[4]), Some(Attempt::Sent { provider_id: "1".to_owned() }));
    assert_eq!(bench.end(ids[5]), Some(Attempt::Dropped { reason: "withdrawn".to_owned() }));
    assert_eq!(bench.end(ids[6]), Some(Attempt::Dropped { reason: "the link in it has expired".to_owned() }));
    assert_eq!([&answers[0], &answers[4], &answers[5], &answers[6]], [&Answer::Done; 4]);
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

#[tokio::test]
async fn a_message_that_kills_its_sender_is_given_up_and_the_others_are_sent() {
    let bench = Bench::new();
    let ids: Vec<DeliveryId> = (1..=8).map(|number| bench.add(row(number))).collect();
    assert_eq!(ids.len(), DELIVERIES_AT_ONCE);
    bench.mailer.kills.lock().unwrap().insert(ids[4]);
    let mut deaths = 0;
    let answers = loop {
        match bench.live(&ids).await {
            Some(answers) => break answers,
            None => deaths += 1,
        }
        assert!(deaths < 20, "it kills for ever");
    };
    assert_eq!((deaths, answers), (8, vec![Answer::Done; 8]));
    assert_eq!(bench.deliveries.begun.lock().unwrap()[0], 8, "first they go together");
    for id in &ids {
        let end = bench.end(*id).unwrap();
        if *id == ids[4] {
            let error = "its sender died eight times while sending it".to_owned();
            assert_eq!(end, Attempt::Failed { error });
        } else {
            assert!(matches!(end, Attempt::Sent { .. }), "{end:?}");
        }
    }
    let sent = bench.mailer.sent.lock().unwrap();
    assert!(sent.len() <= 14, "at most once more than without the deaths, not {}", sent.len());
}

#[tokio::test]
async fn an_attempt_that_ends_clears_its_message() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    bench.mailer.kills.lock().unwrap().insert(id);
    for _ in 0..2 {
        assert_eq!(bench.live(&[id]).await, None);
    }
    assert_eq!(bench.row(id).deaths, 2);
    bench.mailer.kills.lock().unwrap().clear();
    bench.server([later("450 later")]);
    let answers = bench.handle(&[id]).await;
    assert_eq!(bench.row(id).deaths, 0);
    // Attempts that nobody lived to end are not failures of its own: it stands at the beginning of its schedule.
    assert!(matches!(answers[0], Answer::Snooze(wait) if wait < Duration::from_secs(6)), "{answers:?}");
}

#[tokio::test]
async fn a_suspect_goes_while_no_other_does() {
    let bench = Bench::new();
    let suspect = bench.add(Row { deaths: 1, ..row(1) });
    let slow = bench.add(row(2));
    bench.mailer.kills.lock().unwrap().insert(slow);
    let process = bench.process();
    let first = process.handle(jobs(&[slow]));
    let second = process.handle(jobs(&[suspect]));
    futures::pin_mut!(first, second);
    while *bench.mailer.asked.lock().unwrap() == 0 {
        assert!(futures::poll!(&mut first).is_pending());
        tokio::task::yield_now().await;
    }
    // The slow one is on its way now, so the suspect waits for it however often it is asked.
    for _ in 0..20 {
        assert!(futures::poll!(&mut second).is_pending());
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.row(suspect).delivery.attempt, 0);
}

fn dead(delivery: DeliveryId, error: &str) -> DeadJob {
    DeadJob {
        id: "1".to_owned().into(),
        payload: serde_json::to_vec(&lane::Deliver { delivery }).unwrap(),
        group: None,
        error: error.to_owned(),
        attempts: 10,
        history: Vec::new(),
        pushed_at: 0,
        died_at: 0,
        unique_key: None,
        tag: None,
        trace: None,
    }
}

#[tokio::test]
async fn a_job_that_dies_takes_its_message_along() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    let dead = dead(id, "the column state (1) does not hold what it must");
    assert_eq!(bench.process().bury(&dead).await, Ok(()));
    assert_eq!(bench.end(id), Some(Attempt::Failed { error: dead.error.clone() }));
    assert_eq!(bench.handle(&[id]).await, [Answer::Done]);
    assert!(bench.mailer.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_job_whose_workers_were_killed_leaves_its_message_to_the_next() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    let dead = dead(id, "its worker died three times while it ran alone");
    assert_eq!(bench.process().bury(&dead).await, Ok(()));
    assert_eq!(bench.handle(&[id]).await, [Answer::Done]);
    assert_eq!(bench.mailer.sent.lock().unwrap().len(), 1);
}
