//! The sinks: they follow the feed in order, lose nothing and repeat nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fairy_jobs::{
    change::{Change, ChangeKind},
    id::{OperationId, UserId},
    lane::{Hint, Sink},
    notice::Reason,
    ports::{EventBus, PortError, PortResult},
};
use fairy_queue::{Answer, Handler as _};
use serde_json::json;

use super::{
    fakes::{FakeFeed, FakeTeams, Said, job},
    world::{Counter, JAE, MINA, SORA, StoppedClock, TASK, WORKSPACE, World},
};
use crate::{follow::Follow, notify::Notify, publish::Publish, record::Record};

fn hint() -> fairy_queue::Job<Hint> {
    job(Hint { workspace: WORKSPACE }, Some(WORKSPACE.to_string()))
}

fn record(feed: &Arc<FakeFeed>) -> Follow<Record> {
    Follow { sinks: feed.clone(), follower: Record { activity: feed.clone(), sinks: feed.clone() } }
}

fn notify(feed: &Arc<FakeFeed>, said: &Arc<Said>) -> Follow<Notify> {
    let handles = [("mina", MINA), ("jae", JAE), ("정소라", SORA)];
    let handles: BTreeMap<String, UserId> =
        handles.into_iter().map(|(handle, user)| (handle.to_owned(), user)).collect();
    let notify = Notify {
        teams: Arc::new(FakeTeams(handles)),
        notices: feed.clone(),
        relay: said.clone(),
        clock: Arc::new(StoppedClock::new()),
        ids: Arc::new(Counter::default()),
    };
    Follow { sinks: feed.clone(), follower: notify }
}

fn feed(changes: Vec<Change>) -> Arc<FakeFeed> {
    Arc::new(FakeFeed { changes: changes.into(), ..FakeFeed::default() })
}

/// `count` changes in operations of `size` changes, each concerning Jae.
fn many(count: u64, size: u64) -> Vec<Change> {
    let mut world = World::new();
    world.creates(MINA);
    let template = world.patches(MINA, json!({"assignees": [JAE]})).remove(0);
    let operation = |seq: u64| Some(OperationId::from_bytes(u128::from(1 + (seq - 1) / size).to_be_bytes()));
    (1..=count).map(|seq| Change { seq, operation: operation(seq), ..template.clone() }).collect()
}

#[tokio::test]
async fn record_follows_to_the_end_page_by_page() {
    let feed = feed(many(1_203, 1));
    let answers = record(&feed).handle(vec![hint(), hint()]).await;
    assert_eq!(answers, [Answer::Done, Answer::Done]);
    assert_eq!(*feed.log.lock().unwrap(), (1..=1_203).collect::<Vec<_>>());
    assert_eq!(feed.marks.lock().unwrap()[&Sink::Record], 1_203);
    assert!(!feed.marks.lock().unwrap().contains_key(&Sink::Notify), "each sink has a mark of its own");
}

#[tokio::test]
async fn a_page_that_is_short_for_its_size_is_not_the_last() {
    let feed = Arc::new(FakeFeed { changes: many(100, 1).into(), page: Some(7), ..FakeFeed::default() });
    assert_eq!(record(&feed).handle(vec![hint()]).await, [Answer::Done]);
    assert_eq!(*feed.log.lock().unwrap(), (1..=100).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_long_backlog_lets_others_have_their_turn() {
    let feed = feed(many(10_001, 1));
    assert_eq!(record(&feed).handle(vec![hint(), hint()]).await, [Answer::Done, Answer::HandBack]);
    assert_eq!(record(&feed).handle(vec![hint()]).await, [Answer::Done]);
    assert_eq!(feed.log.lock().unwrap().len(), 10_001);
}

#[tokio::test]
async fn a_sink_that_fails_goes_on_where_it_was() {
    for (error, patient) in [
        (PortError::Unavailable("down".to_owned()), 1),
        (PortError::Unknown("lost".to_owned()), 1),
        (PortError::Broken("a defect".to_owned()), 30),
    ] {
        let feed = feed(many(700, 1));
        // The error meets the reading, the writing and the marking in turn.
        for _ in 0..3 {
            feed.errors.lock().unwrap().push_back(error.clone());
            let answers = record(&feed).handle(vec![hint()]).await;
            assert_eq!(answers, [Answer::Snooze(std::time::Duration::from_secs(patient))]);
        }
        assert_eq!(record(&feed).handle(vec![hint()]).await, [Answer::Done]);
        assert_eq!(*feed.log.lock().unwrap(), (1..=700).collect::<Vec<_>>());
    }
}

/// A bus that takes part of what it is given and says so.
#[derive(Default)]
struct HalfBus {
    fails: Mutex<u32>,
    events: Mutex<Vec<u64>>,
}

#[async_trait]
impl EventBus for HalfBus {
    async fn publish(&self, changes: &[Change]) -> PortResult<()> {
        let failing = {
            let mut fails = self.fails.lock().unwrap();
            let failing = *fails > 0;
            *fails = fails.saturating_sub(1);
            failing
        };
        let taken = if failing { changes.len() / 2 } else { changes.len() };
        self.events.lock().unwrap().extend(changes[..taken].iter().map(|c| c.seq));
        if failing { Err(PortError::Unavailable("throttled".to_owned())) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_bus_that_took_half_is_given_all_again_and_nothing_twice_after_the_mark() {
    let feed = feed(many(600, 1));
    let bus = Arc::new(HalfBus { fails: Mutex::new(1), ..HalfBus::default() });
    let publish = Publish { bus: bus.clone(), sinks: feed.clone() };
    let publish = Follow { sinks: feed.clone(), follower: publish };
    assert!(matches!(publish.handle(vec![hint()]).await[..], [Answer::Snooze(_)]));
    for _ in 0..2 {
        assert_eq!(publish.handle(vec![hint()]).await, [Answer::Done]);
    }
    let expected: Vec<u64> = (1..=250).chain(1..=600).collect();
    assert_eq!(*bus.events.lock().unwrap(), expected);
    assert_eq!(feed.marks.lock().unwrap()[&Sink::Publish], 600);
}

#[tokio::test]
async fn an_operation_across_two_pages_is_told_in_one_notice() {
    // Operations of three changes: the page of 500 ends in the middle of one.
    let (feed, said) = (feed(many(501, 3)), Arc::new(Said::default()));
    assert_eq!(notify(&feed, &said).handle(vec![hint()]).await, [Answer::Done]);
    let notices = feed.notices.lock().unwrap();
    assert_eq!(notices.len(), 167);
    assert!(notices.iter().all(|n| n.changes.len() == 3 && n.person == JAE), "operations stay whole");
    assert_eq!(said.due.lock().unwrap().len(), 167);
    assert_eq!(*feed.tells.lock().unwrap(), [(166, 498), (1, 501)]);
}

#[tokio::test]
async fn notices_are_kept_in_bounded_steps_and_a_repeat_tells_nobody_twice() {
    let mut changes = many(450, 1);
    let mut world = World::new();
    world.creates(MINA);
    let wide = world.patches(MINA, json!({"assignees": [JAE, SORA]})).remove(0);
    for change in &mut changes {
        change.audience = wide.audience.clone();
    }
    let (feed, said) = (feed(changes), Arc::new(Said::default()));
    notify(&feed, &said).handle(vec![hint()]).await;
    assert_eq!(*feed.tells.lock().unwrap(), [(500, 250), (400, 450)]);
    feed.marks.lock().unwrap().clear();
    notify(&feed, &said).handle(vec![hint()]).await;
    assert_eq!(feed.notices.lock().unwrap().len(), 900);
    assert_eq!(said.due.lock().unwrap().len(), 900);
}

#[tokio::test]
async fn each_person_is_told_once_of_what_concerns_them() {
    let mut world = World::new();
    let mut changes = world.creates(MINA);
    changes.extend(world.does(MINA, &json!({"watch": {"task": TASK, "user": MINA}})));
    changes
        .extend(world.patches(JAE, json!({"body": "ask @정소라 and @jae, not @nobody", "assignees": [JAE]})));
    changes.extend(world.patches(SORA, json!({"assignees": [], "priority": "high"})));
    let (feed, said) = (feed(changes.clone()), Arc::new(Said::default()));
    assert_eq!(notify(&feed, &said).handle(vec![hint()]).await, [Answer::Done]);

    let kinds = |seqs: &[u64]| -> Vec<ChangeKind> {
        changes.iter().filter(|c| seqs.contains(&c.seq)).map(|c| c.kind).collect()
    };
    let notices = feed.notices.lock().unwrap();
    let told: BTreeSet<_> =
        notices.iter().map(|n| (n.person, n.reason.as_str(), format!("{:?}", kinds(&n.changes)))).collect();
    let expected = [
        (MINA, Reason::Watching, "[TaskUpdated, TaskAssigned]"),
        (MINA, Reason::Watching, "[TaskUpdated, TaskUnassigned]"),
        (JAE, Reason::Unassigned, "[TaskUnassigned]"),
        (SORA, Reason::Mentioned, "[TaskUpdated]"),
    ];
    let expected = expected.map(|(person, reason, kinds)| (person, reason.as_str(), kinds.to_owned()));
    assert_eq!(told, BTreeSet::from(expected));
    assert_eq!(feed.marks.lock().unwrap()[&Sink::Notify], changes.last().unwrap().seq);
}
