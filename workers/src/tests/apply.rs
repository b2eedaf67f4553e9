//! Applying: order, halving, burial, and what happens while the database is away.

use std::sync::Arc;
use std::time::Duration;

use fairy_jobs::{
    id::OperationId,
    operation::{End, Operation, ReplyTo, ResourceKind},
    ports::PortError,
};
use fairy_queue::{Answer, DeadJob, Handler as _, JobId};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;

use super::{
    fakes::{FakeLedger, Said, job},
    world::{COMMENT, MINA, StoppedClock, TASK, WORKSPACE, World, start},
};
use crate::apply::{Apply, Outage};

struct Bench {
    ledger: Arc<FakeLedger>,
    said: Arc<Said>,
    clock: Arc<StoppedClock>,
    apply: Apply,
}

fn bench(ledger: FakeLedger) -> Bench {
    let (ledger, said, clock) = (Arc::new(ledger), Arc::new(Said::default()), Arc::new(StoppedClock::new()));
    let apply = Apply {
        ledger: ledger.clone(),
        outcomes: said.clone(),
        relay: said.clone(),
        clock: clock.clone(),
        outage: Outage::default(),
    };
    Bench { ledger, said, clock, apply }
}

fn operations(count: usize) -> Vec<Operation> {
    let mut world = World::new();
    (0..count).map(|_| world.operation(MINA, &json!({"delete_task": {"task": TASK}}))).collect()
}

fn ids(operations: &[Operation]) -> Vec<OperationId> {
    operations.iter().map(|o| o.id).collect()
}

async fn handle(bench: &Bench, operations: &[Operation]) -> Vec<Answer> {
    let group = Some(WORKSPACE.to_string());
    bench.apply.handle(operations.iter().map(|o| job(o.clone(), group.clone())).collect()).await
}

#[tokio::test]
async fn a_batch_is_applied_in_one_call_and_told() {
    let bench = bench(FakeLedger::default());
    let batch = operations(5);
    assert_eq!(handle(&bench, &batch).await, vec![Answer::Done; 5]);
    assert_eq!(*bench.ledger.calls.lock().unwrap(), 1);
    assert_eq!(*bench.said.outcomes.lock().unwrap(), ids(&batch));
    assert_eq!(*bench.said.changed.lock().unwrap(), [(WORKSPACE, 5)]);
}

proptest! {
    #[test]
    fn the_good_before_the_bad_are_applied_in_order(
        count in 1usize..40,
        bad in proptest::collection::btree_set(0usize..40, 0..4),
        panics: bool,
    ) {
        let batch = operations(count);
        let bad_ids = bad.iter().filter_map(|i| batch.get(*i)).map(|o| o.id).collect();
        let ledger = if panics {
            FakeLedger { panics: bad_ids, ..FakeLedger::default() }
        } else {
            FakeLedger { poison: bad_ids, ..FakeLedger::default() }
        };
        let bench = bench(ledger);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let answers = runtime.block_on(handle(&bench, &batch));
        let good = bad.first().copied().unwrap_or(count).min(count);
        prop_assert_eq!(&*bench.ledger.applied.lock().unwrap(), &ids(&batch)[..good]);
        prop_assert_eq!(&*bench.said.outcomes.lock().unwrap(), &ids(&batch)[..good]);
        prop_assert_eq!(answers.len(), count);
        prop_assert!(answers[..good].iter().all(|answer| *answer == Answer::Done));
        if good < count {
            let retried = matches!(answers[good], Answer::Retry { .. });
            prop_assert!(retried);
            prop_assert!(answers[good + 1..].iter().all(|answer| *answer == Answer::HandBack));
        }
        // Halving, not trying one by one: two calls for each halving and one to begin with.
        let halvings = usize::BITS - count.leading_zeros();
        prop_assert!(*bench.ledger.calls.lock().unwrap() <= 2 * halvings as usize + 1);
    }
}

#[tokio::test]
async fn a_database_that_is_away_costs_nobody_an_attempt() {
    let bench = bench(FakeLedger::default());
    let batch = operations(3);
    let mut waits = Vec::new();
    for _ in 0..4 {
        bench.ledger.errors.lock().unwrap().push_back(PortError::Unavailable("down".to_owned()));
        let answers = handle(&bench, &batch).await;
        let Answer::Snooze(wait) = answers[0] else { panic!("{answers:?}") };
        assert_eq!(answers[1..], [Answer::HandBack, Answer::HandBack]);
        waits.push(wait);
        bench.clock.advance(SignedDuration::from_secs(4));
    }
    assert_eq!(waits, [200, 2_000, 4_000, 5_000].map(Duration::from_millis));
    assert_eq!(handle(&bench, &batch).await, vec![Answer::Done; 3]);
    bench.ledger.errors.lock().unwrap().push_back(PortError::Unavailable("down".to_owned()));
    assert_eq!(handle(&bench, &batch).await[0], Answer::Snooze(Duration::from_millis(200)));
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_looked_up() {
    let bench = bench(FakeLedger::default());
    let batch = operations(3);
    let lost = || PortError::Unknown("the answer was lost".to_owned());
    bench.ledger.errors.lock().unwrap().extend([lost(), lost()]);
    assert_eq!(handle(&bench, &batch).await, vec![Answer::Done; 3]);
    assert_eq!(*bench.said.outcomes.lock().unwrap(), ids(&batch));

    bench.ledger.errors.lock().unwrap().extend([lost(), lost(), lost()]);
    let answers = handle(&bench, &batch).await;
    assert!(matches!(answers[..], [Answer::Snooze(_), Answer::HandBack, Answer::HandBack]), "{answers:?}");
}

#[tokio::test]
async fn an_operation_in_a_foreign_group_is_not_applied() {
    let bench = bench(FakeLedger::default());
    let batch = operations(2);
    let foreign = |o: &Operation| job(o.clone(), Some("wsp_other".to_owned()));
    let own = |o: &Operation| job(o.clone(), Some(WORKSPACE.to_string()));
    let answers = bench.apply.handle(vec![own(&batch[0]), foreign(&batch[1])]).await;
    assert_eq!(answers, [Answer::Done, Answer::HandBack]);
    let answers = bench.apply.handle(vec![foreign(&batch[1])]).await;
    assert!(matches!(answers[..], [Answer::Dead { .. }]), "{answers:?}");
    assert_eq!(*bench.ledger.applied.lock().unwrap(), [batch[0].id]);
}

fn dead(payload: Vec<u8>, unique_key: Option<String>, tag: Option<String>) -> DeadJob {
    DeadJob {
        id: JobId::from("1".to_owned()),
        payload,
        group: Some(WORKSPACE.to_string()),
        error: "bad".to_owned(),
        attempts: 3,
        history: Vec::new(),
        pushed_at: 0,
        died_at: 0,
        unique_key,
        tag,
        trace: None,
    }
}

#[tokio::test]
async fn burial_writes_the_outcome_and_tells_who_waits() {
    let bench = bench(FakeLedger::default());
    let operation = operations(1).remove(0);
    let letter = dead(serde_json::to_vec(&operation).unwrap(), None, None);
    bench.ledger.errors.lock().unwrap().push_back(PortError::Unavailable("down".to_owned()));
    assert!(bench.apply.bury(&letter).await.is_err(), "its followers must wait");
    assert!(bench.said.outcomes.lock().unwrap().is_empty());
    bench.apply.bury(&letter).await.unwrap();
    assert_eq!(*bench.ledger.failed.lock().unwrap(), [operation.failure(start())]);
    assert_eq!(*bench.said.outcomes.lock().unwrap(), [operation.id]);
}

#[tokio::test]
async fn each_outcome_goes_to_the_process_that_waits_for_it() {
    let mut batch = operations(4);
    let to = [Some("one"), None, Some("two"), Some("one")].map(|name| name.map(ReplyTo::named));
    for (operation, to) in batch.iter_mut().zip(&to) {
        operation.reply_to.clone_from(to);
    }
    // The batch is halved, and its last is buried.
    let poison = [batch[3].id].into();
    let bench = bench(FakeLedger { poison, ..FakeLedger::default() });
    handle(&bench, &batch).await;
    bench.apply.bury(&dead(serde_json::to_vec(&batch[3]).unwrap(), None, None)).await.unwrap();
    assert_eq!(*bench.said.outcomes.lock().unwrap(), ids(&batch));
    assert_eq!(*bench.said.to.lock().unwrap(), to);
}

#[tokio::test]
async fn burial_of_what_cannot_be_read_takes_the_tag() {
    let bench = bench(FakeLedger::default());
    let id = OperationId::from_bytes([4; 16]);
    let tag = json!({
        "fingerprint": "cd".repeat(32),
        "actor": MINA,
        "workspace": WORKSPACE,
        "resource": {"type": "comment", "id": COMMENT},
        "accepted_at": start(),
        "added_later": 1,
    });
    let letter = dead(b"{\"id\":".to_vec(), Some(id.to_string()), Some(tag.to_string()));
    bench.apply.bury(&letter).await.unwrap();
    let failed = bench.ledger.failed.lock().unwrap().remove(0);
    assert_eq!((failed.id, failed.actor, failed.workspace), (id, MINA, WORKSPACE));
    assert_eq!(failed.resource.kind, ResourceKind::Comment);
    assert!(matches!(failed.end, End::Failed(_)));
    assert_eq!(*bench.said.outcomes.lock().unwrap(), [id]);
    // Nobody can wait for what has no name, so it must not hold up its followers.
    bench.apply.bury(&dead(b"x".to_vec(), None, None)).await.unwrap();
    assert!(bench.ledger.failed.lock().unwrap().is_empty());
}
