//! Deliveries begun, leased, settled, put off, given up.

use fairy_jobs::{
    id::DeliveryId,
    notice::{Beginning, DeliveryReceipt, DeliveryState, Reason},
    ports::{Attempt, Begun, Deliveries as _, Wait},
    team::Role,
};
use jiff::SignedDuration;

use super::{
    stage::{LEASE, Stage},
    telling::{Scene, scene, told},
};
use crate::driver::args;

super::tests! {
    an_attempt_holds_a_lease,
    only_who_began_an_attempt_ends_it,
    deaths_of_its_sender_end_a_delivery,
    a_row_that_cannot_be_read_fails_alone,
    what_only_a_newer_version_knows_is_left_to_it_for_days,
    what_is_put_off_waits_or_has_waited_long_enough,
    what_was_begun_is_freed_and_still_suspect,
}

async fn begin_together(stage: &Stage, ids: &[DeliveryId]) -> Begun {
    stage.store.begin(ids, Beginning::Together, LEASE, stage.now()).await.unwrap()
}

fn ids_of(begun: &Begun) -> Vec<DeliveryId> {
    begun.deliveries.iter().map(|delivery| delivery.id).collect()
}

/// Three people who are to be told of the same change.
async fn three(stage: &Stage) -> (Scene, Vec<DeliveryId>) {
    let scene = scene(stage).await;
    let mut people = vec![scene.mina.clone()];
    for name in ["Jae", "Sun"] {
        let person = stage.person(name).await;
        stage.join(&scene.team, &person, Role::Member).await;
        people.push(person);
    }
    let change = scene.assign(stage, &scene.mina).await;
    let notices: Vec<_> =
        people.iter().map(|p| scene.notice(stage, p, Reason::Assigned, &[&change])).collect();
    let told = scene.tell(stage, &notices, change.seq).await;
    (scene, told)
}

impl Scene {
    async fn delivery(&self, stage: &Stage, id: DeliveryId) -> DeliveryReceipt {
        let receipts = self.receipts(stage).await;
        receipts.into_iter().flat_map(|receipt| receipt.deliveries).find(|d| d.id == id).unwrap()
    }
}

async fn deaths_of_its_sender_end_a_delivery(stage: &Stage) {
    let (scene, ids) = three(stage).await;
    assert_eq!(ids_of(&begin_together(stage, &ids).await), ids);
    // Nobody says how that ended. From now on each goes alone.
    let pass = || stage.clock.advance(SignedDuration::try_from(LEASE).unwrap());
    pass();
    let begun = begin_together(stage, &ids).await;
    assert_eq!((ids_of(&begun), &begun.alone), (vec![], &ids));
    assert_eq!(begin_together(stage, &ids[..1]).await.alone, ids[..1]);
    for id in &ids[1..] {
        assert_eq!(stage.begin(&[*id]).await.len(), 1);
        let sent = Attempt::Sent { provider_id: "250 ok".to_owned() };
        stage.store.settle(&[(*id, 2, sent)], stage.now()).await.unwrap();
    }
    for attempt in 2..=8 {
        assert_eq!(stage.begin(&ids[..1]).await[0].attempt, attempt);
        pass();
    }
    let begun = begin_together(stage, &ids).await;
    let why = "its sender died eight times while sending it";
    assert_eq!((ids_of(&begun), begun.alone, begun.failed), (vec![], vec![], vec![(ids[0], why.to_owned())]));
    let receipt = scene.delivery(stage, ids[0]).await;
    assert_eq!((receipt.state, receipt.error.as_deref()), (DeliveryState::Failed, Some(why)));
    assert_eq!((receipt.finished_at, receipt.attempts), (Some(stage.now()), 8));
    assert_eq!(stage.store.next_due(ids[0]).await.unwrap(), None);
    let told = scene.receipts(stage).await;
    let not_told = told.iter().filter(|receipt| receipt.notice.is_some() && receipt.not_told.is_some());
    let not_told: Vec<_> = not_told.map(|r| (r.deliveries[0].id, r.not_told.as_deref())).collect();
    assert_eq!(not_told, [(ids[0], Some(why))]);
    for id in &ids[1..] {
        assert_eq!(scene.delivery(stage, *id).await.state, DeliveryState::Sent);
    }
}

async fn a_row_that_cannot_be_read_fails_alone(stage: &Stage) {
    let (scene, ids) = three(stage).await;
    spoil(stage, "UPDATE deliveries SET address = 'nowhere' WHERE id = ? -- suite", ids[0]).await;
    let begun = begin_together(stage, &ids).await;
    assert_eq!(ids_of(&begun), ids[1..]);
    let [(failed, why)] = begun.failed.as_slice() else { panic!("{begun:?}") };
    assert_eq!(*failed, ids[0]);
    assert!(why.starts_with("it cannot be read: ") && why.contains("address"), "{why}");
    let receipt = scene.delivery(stage, ids[0]).await;
    assert_eq!((receipt.state, receipt.error.as_deref()), (DeliveryState::Failed, Some(why.as_str())));
    assert_eq!(begin_together(stage, &ids).await, Begun::default());
    assert_eq!(stage.store.next_due(ids[0]).await.unwrap(), None);
}

async fn what_only_a_newer_version_knows_is_left_to_it_for_days(stage: &Stage) {
    const UNKNOWN: &str = "UPDATE deliveries SET subject_kind = 'dream' WHERE id = ? -- suite";
    const KNOWN: &str = "UPDATE deliveries SET subject_kind = 'notice' WHERE id = ? -- suite";
    let (scene, ids) = three(stage).await;
    spoil(stage, UNKNOWN, ids[0]).await;
    let begun = begin_together(stage, &ids[..2]).await;
    assert_eq!((ids_of(&begun), begun.failed), (ids[1..2].to_vec(), vec![]));
    let due = stage.store.next_due(ids[0]).await.unwrap().expect("it waits");
    assert!(due > stage.now(), "it is asked for again and again");
    stage.clock.advance(due.duration_since(stage.now()));
    spoil(stage, KNOWN, ids[0]).await;
    assert_eq!(ids_of(&begin_together(stage, &ids[..1]).await), ids[..1]);
    spoil(stage, UNKNOWN, ids[2]).await;
    stage.clock.advance(SignedDuration::from_hours(5 * 24 + 1));
    assert_eq!(begin_together(stage, &ids[2..]).await, Begun::default());
    assert_eq!(stage.store.next_due(ids[2]).await.unwrap(), None);
    spoil(stage, KNOWN, ids[2]).await;
    let receipt = scene.delivery(stage, ids[2]).await;
    assert_eq!((receipt.state, receipt.finished_at), (DeliveryState::Failed, Some(stage.now())));
}

async fn spoil(stage: &Stage, sql: &'static str, id: DeliveryId) {
    let write = stage.store.write(move |c| Box::pin(async move { c.run(sql, args![id]).await }));
    assert_eq!(write.await.unwrap(), 1);
}

async fn what_is_put_off_waits_or_has_waited_long_enough(stage: &Stage) {
    let (scene, ids) = three(stage).await;
    let (sent, suspect, later) = (ids[0], ids[1], ids[2]);
    stage.begin(&[sent]).await;
    let end = Attempt::Sent { provider_id: "250 ok".to_owned() };
    stage.store.settle(&[(sent, 1, end)], stage.now()).await.unwrap();
    stage.begin(&[suspect]).await;
    stage.clock.advance(SignedDuration::try_from(LEASE).unwrap());
    let wait = |made_after| Wait {
        until: stage.now() + SignedDuration::from_secs(90),
        error: "no connection".to_owned(),
        made_after,
        too_long: "given up".to_owned(),
    };
    let until = stage.now() + SignedDuration::from_secs(90);
    let made = stage.now() - SignedDuration::try_from(LEASE).unwrap();
    let put_off = async |made_after| stage.store.put_off(&ids, &wait(made_after), stage.now()).await.unwrap();
    assert_eq!(put_off(made).await, 0);
    for id in [suspect, later] {
        let receipt = scene.delivery(stage, id).await;
        assert_eq!((receipt.state, receipt.due_at), (DeliveryState::Pending, Some(until)));
        assert_eq!(receipt.error.as_deref(), Some("no connection"));
        assert_eq!(receipt.attempts, u32::from(id == suspect));
    }
    assert_eq!(scene.delivery(stage, sent).await.state, DeliveryState::Sent);
    // What is not due is not put off again, and a suspect stays one.
    stage.clock.advance(SignedDuration::from_secs(89));
    assert_eq!(put_off(stage.now()).await, 0);
    stage.clock.advance(SignedDuration::from_secs(1));
    let begun = begin_together(stage, &[suspect]).await;
    assert_eq!(begun.alone, [suspect]);
    assert_eq!(put_off(made + SignedDuration::from_millis(1)).await, 2);
    for id in [suspect, later] {
        let receipt = scene.delivery(stage, id).await;
        assert_eq!((receipt.state, receipt.error.as_deref()), (DeliveryState::Failed, Some("given up")));
        assert_eq!((receipt.due_at, receipt.finished_at), (None, Some(stage.now())));
    }
    // Nor does giving up touch what has its end.
    stage.store.give_up(sent, "late", stage.now()).await.unwrap();
    assert_eq!(scene.delivery(stage, sent).await.state, DeliveryState::Sent);
}

async fn what_was_begun_is_freed_and_still_suspect(stage: &Stage) {
    let (scene, ids) = three(stage).await;
    let due_at = stage.now() + SignedDuration::from_secs(90);
    begin_together(stage, &ids).await;
    let later = Attempt::Later { due_at, error: "450".to_owned() };
    let waits = Attempt::Waits { due_at, error: "421".to_owned() };
    stage.store.settle(&[(ids[0], 1, later), (ids[1], 1, waits)], stage.now()).await.unwrap();
    assert_eq!(stage.store.free_begun(stage.now()).await.unwrap(), 1);
    let receipt = scene.delivery(stage, ids[2]).await;
    assert_eq!((receipt.state, receipt.due_at), (DeliveryState::Pending, Some(stage.now())));
    assert_eq!(receipt.error.as_deref(), Some("its sender died while sending it"));
    assert_eq!(begin_together(stage, &ids).await.alone, ids[2..]);
    assert_eq!(stage.begin(&ids[2..]).await[0].attempt, 2);
    assert_eq!(
        stage.store.free_begun(stage.now()).await.unwrap(),
        0,
        "the second time it waits for its lease"
    );
    // What has an end or only waits keeps its time; a failure of its own is counted, waiting is not.
    stage.clock.advance(SignedDuration::from_secs(90));
    stage.store.free_begun(stage.now()).await.unwrap();
    let begun = begin_together(stage, &ids[..2]).await;
    let failures: Vec<u32> = begun.deliveries.iter().map(|delivery| delivery.failures).collect();
    assert_eq!(failures, [1, 0]);
}

async fn an_attempt_holds_a_lease(stage: &Stage) {
    let (scene, delivery) = told(stage).await;
    let begin = async || stage.begin(&[delivery]).await;
    let due = async || {
        let later = stage.now() + SignedDuration::from_millis(1);
        stage.store.due(later, 500).await.unwrap().contains(&delivery)
    };
    assert!(due().await);
    let begun = begin().await;
    assert_eq!((begun[0].attempt, &begun[0].address), (1, &scene.mina.email));
    assert_eq!((begun[0].person, begun[0].name.as_ref()), (Some(scene.mina.id), Some(&scene.mina.name)));
    assert_eq!(begin().await, []);
    assert!(!due().await);
    assert_eq!(scene.receipts(stage).await[1].deliveries[0].state, DeliveryState::Sending);
    // Whoever began it was killed: when the lease is over, it is due again.
    stage.clock.advance(SignedDuration::from_secs(59));
    assert_eq!(begin().await, []);
    stage.clock.advance(SignedDuration::from_secs(1));
    assert!(due().await);
    assert_eq!(stage.store.next_due(delivery).await.unwrap(), Some(stage.now()));
    assert_eq!(begin().await[0].attempt, 2);
    let unknown = stage.delivery();
    assert_eq!(stage.begin(&[unknown]).await, []);
    assert_eq!(stage.store.next_due(unknown).await.unwrap(), None);
}

async fn only_who_began_an_attempt_ends_it(stage: &Stage) {
    let (scene, delivery) = told(stage).await;
    let settle =
        async |attempt, end| stage.store.settle(&[(delivery, attempt, end)], stage.now()).await.unwrap();
    let state = async || scene.receipts(stage).await[1].deliveries[0].clone();
    let sent = || Attempt::Sent { provider_id: "250 ok".to_owned() };
    settle(0, sent()).await;
    assert_eq!(state().await.state, DeliveryState::Pending);
    stage.begin(&[delivery]).await;
    let due_at = stage.now() + SignedDuration::from_secs(90);
    settle(1, Attempt::Later { due_at, error: "x".repeat(900) }).await;
    let later = state().await;
    assert_eq!((later.state, later.due_at, later.attempts), (DeliveryState::Pending, Some(due_at), 1));
    assert_eq!(later.error.map(|error| error.len()), Some(500));
    assert_eq!(stage.store.next_due(delivery).await.unwrap(), Some(due_at));
    assert_eq!(stage.begin(&[delivery]).await, []);
    stage.clock.advance(SignedDuration::from_secs(90));
    stage.begin(&[delivery]).await;
    stage.clock.advance(SignedDuration::from_secs(60));
    stage.begin(&[delivery]).await;
    // The second attempt wakes up after the third was begun.
    settle(2, Attempt::Failed { error: "late".to_owned() }).await;
    assert_eq!(state().await.state, DeliveryState::Sending);
    settle(3, sent()).await;
    let done = state().await;
    assert_eq!((done.state, done.attempts, done.due_at), (DeliveryState::Sent, 3, None));
    assert_eq!((done.finished_at, done.provider_id.as_deref()), (Some(stage.now()), Some("250 ok")));
    assert_eq!(stage.store.next_due(delivery).await.unwrap(), None);
    settle(3, Attempt::Failed { error: "again".to_owned() }).await;
    assert_eq!(state().await, done);
    stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(stage.begin(&[delivery]).await, []);
}
