//! Notices once for each person and change; deliveries begun, leased, settled; receipts.

use std::collections::BTreeSet;

use fairy_jobs::{
    account::User,
    change::Change,
    command::{Assignment, Command, DeleteTask, TaskName, Watching},
    id::{DeliveryId, NoticeId},
    lane::Sink,
    notice::{Beginning, DeliveryReceipt, DeliveryState, Notice, Reason, Receipt},
    page::{Limit, PageRequest},
    ports::{
        Attempt, Begun, Deliveries as _, DeliveryContent, Feed as _, NewDelivery, Notices as _, Sinks as _,
        Wait,
    },
    task::Task,
    team::Role,
};
use jiff::SignedDuration;

use super::stage::{LEASE, Stage, Team};
use crate::driver::args;

super::tests! {
    nobody_is_told_twice,
    who_left_is_not_told_and_it_shows,
    an_attempt_holds_a_lease,
    only_who_began_an_attempt_ends_it,
    three_deaths_of_its_sender_end_a_delivery,
    a_row_that_cannot_be_read_fails_alone,
    what_is_put_off_waits_or_has_waited_long_enough,
    what_was_begun_is_freed_and_still_suspect,
    a_message_says_what_is_so_when_it_is_sent,
    a_watcher_who_stopped_is_left_in_peace,
    receipts_show_everybody_and_the_actor_once,
}

struct Scene {
    team: Team,
    owner: User,
    mina: User,
    task: Task,
}

async fn scene(stage: &Stage) -> Scene {
    let (owner, mina) = (stage.person("Owner").await, stage.person("Mina").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &mina, Role::Member).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    Scene { team, owner, mina, task }
}

impl Scene {
    async fn assign(&self, stage: &Stage, person: &User) -> Change {
        let task = TaskName::Id(self.task.id);
        let assign = Command::Assign(Assignment { task, user: person.id });
        stage.apply(&self.team, self.owner.id, vec![assign]).await;
        self.last(stage).await
    }

    async fn last(&self, stage: &Stage) -> Change {
        let seq = stage.store.seq(self.team.workspace).await.unwrap().unwrap();
        stage.store.changes(self.team.workspace, seq - 1, 1).await.unwrap().remove(0)
    }

    fn notice(
        &self,
        stage: &Stage,
        person: &User,
        reason: Reason,
        changes: &[&Change],
    ) -> (Notice, NewDelivery) {
        let at = stage.now();
        let notice = Notice {
            id: NoticeId::generate(&*stage.ids, at),
            workspace: self.team.workspace,
            person: person.id,
            task: self.task.id,
            operation: changes[0].operation,
            reason,
            changes: changes.iter().map(|change| change.seq).collect(),
            created_at: at,
        };
        (notice, NewDelivery { id: stage.delivery(), due_at: at })
    }

    async fn tell(&self, stage: &Stage, notices: &[(Notice, NewDelivery)], seq: u64) -> Vec<DeliveryId> {
        stage.store.tell(self.team.workspace, notices, seq, stage.now()).await.unwrap().deliveries
    }

    async fn receipts(&self, stage: &Stage) -> Vec<Receipt> {
        let page = PageRequest::default();
        stage.store.receipts(self.team.workspace, self.task.id, page).await.unwrap().items
    }
}

async fn nobody_is_told_twice(stage: &Stage) {
    let scene = scene(stage).await;
    let change = scene.assign(stage, &scene.mina).await;
    let first = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    let told = scene.tell(stage, std::slice::from_ref(&first), change.seq).await;
    assert_eq!(told, [first.1.id]);
    assert_eq!(stage.store.pending(Sink::Notify, scene.team.workspace, 10).await.unwrap(), []);
    // Again with the same ids, with others, for other changes beside it, and twice in one call.
    let unassign = Assignment { task: TaskName::Id(scene.task.id), user: scene.mina.id };
    stage.apply(&scene.team, scene.owner.id, vec![Command::Unassign(unassign)]).await;
    let later = scene.last(stage).await;
    let again = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    let overlapping = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change, &later]);
    assert_eq!(scene.tell(stage, &[first, again, overlapping], change.seq).await, []);
    let new = scene.notice(stage, &scene.mina, Reason::Unassigned, &[&later]);
    let twin = scene.notice(stage, &scene.mina, Reason::Unassigned, &[&later]);
    assert_eq!(scene.tell(stage, &[new.clone(), twin], later.seq).await, [new.1.id]);
    assert_eq!(scene.tell(stage, &[], later.seq).await, []);
    let receipts = scene.receipts(stage).await;
    assert_eq!(receipts.iter().filter(|receipt| receipt.notice.is_some()).count(), 2);
}

async fn who_left_is_not_told_and_it_shows(stage: &Stage) {
    let scene = scene(stage).await;
    let change = scene.assign(stage, &scene.mina).await;
    stage.remove(&scene.team, scene.mina.id).await;
    let notice = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    assert_eq!(scene.tell(stage, std::slice::from_ref(&notice), change.seq).await, []);
    let receipt = scene.receipts(stage).await.into_iter().find(|r| r.notice.is_some()).unwrap();
    assert_eq!((receipt.person, receipt.deliveries.len()), (scene.mina.id, 0));
    assert_eq!(receipt.not_told.as_deref(), Some("is no longer a member of the workspace"));
    assert_eq!(stage.store.next_due(notice.1.id).await.unwrap(), None);
}

async fn told(stage: &Stage) -> (Scene, DeliveryId) {
    let scene = scene(stage).await;
    let change = scene.assign(stage, &scene.mina).await;
    let notice = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    let delivery = scene.tell(stage, &[notice], change.seq).await.remove(0);
    (scene, delivery)
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

async fn three_deaths_of_its_sender_end_a_delivery(stage: &Stage) {
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
    for attempt in 2..=3 {
        assert_eq!(stage.begin(&ids[..1]).await[0].attempt, attempt);
        pass();
    }
    let begun = begin_together(stage, &ids).await;
    let why = "its sender died three times while sending it";
    assert_eq!((ids_of(&begun), begun.alone, begun.failed), (vec![], vec![], vec![(ids[0], why.to_owned())]));
    let receipt = scene.delivery(stage, ids[0]).await;
    assert_eq!((receipt.state, receipt.error.as_deref()), (DeliveryState::Failed, Some(why)));
    assert_eq!((receipt.finished_at, receipt.attempts), (Some(stage.now()), 3));
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
    for (sql, id) in [
        ("UPDATE deliveries SET address = 'nowhere' WHERE id = ? -- suite", ids[0]),
        ("UPDATE deliveries SET subject_kind = 'dream' WHERE id = ? -- suite", ids[1]),
    ] {
        let write = stage.store.write(move |c| Box::pin(async move { c.run(sql, args![id]).await }));
        assert_eq!(write.await.unwrap(), 1);
    }
    let begun = begin_together(stage, &ids).await;
    assert_eq!(ids_of(&begun), ids[2..]);
    let failed: Vec<DeliveryId> = begun.failed.iter().map(|(id, _)| *id).collect();
    assert_eq!(failed, ids[..2]);
    let why: Vec<&str> = begun.failed.iter().map(|(_, why)| why.as_str()).collect();
    assert!(why[0].starts_with("it cannot be read: ") && why[0].contains("address"), "{why:?}");
    assert!(why[1].contains("dream"), "{why:?}");
    let receipt = scene.delivery(stage, ids[0]).await;
    assert_eq!((receipt.state, receipt.error.as_deref()), (DeliveryState::Failed, Some(why[0])));
    assert_eq!(begin_together(stage, &ids).await, Begun::default());
    assert_eq!(stage.store.next_due(ids[1]).await.unwrap(), None);
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

async fn a_message_says_what_is_so_when_it_is_sent(stage: &Stage) {
    let (scene, delivery) = told(stage).await;
    let begun = stage.begin(&[delivery]).await;
    let contents = async || stage.store.contents(&begun).await.unwrap().remove(0);
    let DeliveryContent::Notice { notice, changes, person, workspace, names } = contents().await else {
        panic!("a member is told");
    };
    assert_eq!((notice.person, notice.reason), (scene.mina.id, Reason::Assigned));
    assert_eq!(changes, [scene.last(stage).await]);
    assert_eq!((*person, workspace.id), (scene.mina.clone(), scene.team.workspace));
    let names: BTreeSet<_> = names.into_iter().collect();
    let named = [&scene.mina, &scene.owner].map(|user| (user.id, user.name.clone()));
    assert_eq!(names, named.into());
    // Of a task that is deleted meanwhile people are still told; who has left is not.
    let task = TaskName::Id(scene.task.id);
    stage.apply(&scene.team, scene.owner.id, vec![Command::DeleteTask(DeleteTask { task })]).await;
    assert!(matches!(contents().await, DeliveryContent::Notice { .. }));
    stage.remove(&scene.team, scene.mina.id).await;
    let DeliveryContent::Gone(why) = contents().await else { panic!("who left is not told") };
    let end = Attempt::Dropped { reason: why.clone() };
    stage.store.settle(&[(delivery, 1, end)], stage.now()).await.unwrap();
    let receipts = scene.receipts(stage).await;
    assert_eq!(receipts[1].not_told.as_ref(), Some(&why));
}

async fn a_watcher_who_stopped_is_left_in_peace(stage: &Stage) {
    let scene = scene(stage).await;
    let watching = || Watching { task: TaskName::Id(scene.task.id), user: scene.mina.id };
    stage.apply(&scene.team, scene.mina.id, vec![Command::Watch(watching())]).await;
    let change = scene.assign(stage, &scene.owner).await;
    let notice = scene.notice(stage, &scene.mina, Reason::Watching, &[&change]);
    let delivery = scene.tell(stage, &[notice], change.seq).await;
    let begun = stage.begin(&delivery).await;
    let contents = async || stage.store.contents(&begun).await.unwrap().remove(0);
    assert!(matches!(contents().await, DeliveryContent::Notice { .. }));
    stage.apply(&scene.team, scene.mina.id, vec![Command::Unwatch(watching())]).await;
    assert!(matches!(contents().await, DeliveryContent::Gone(_)));
}

async fn receipts_show_everybody_and_the_actor_once(stage: &Stage) {
    let scene = scene(stage).await;
    let mut people = vec![scene.mina.clone()];
    for name in ["Jae", "Sun", "Ara", "Bo"] {
        let person = stage.person(name).await;
        stage.join(&scene.team, &person, Role::Member).await;
        people.push(person);
    }
    for person in &people {
        let change = scene.assign(stage, person).await;
        let notices: Vec<_> =
            people.iter().map(|p| scene.notice(stage, p, Reason::Assigned, &[&change])).collect();
        assert_eq!(scene.tell(stage, &notices, change.seq).await.len(), 5);
    }
    let whole = scene.receipts(stage).await;
    assert_eq!(whole.len(), 5 * 6);
    for group in whole.chunks(6) {
        assert_eq!((group[0].notice, group[0].person), (None, scene.owner.id));
        assert_eq!(group[0].not_told.as_deref(), Some("did it"));
        let told: BTreeSet<_> = group[1..].iter().map(|r| r.person).collect();
        assert_eq!(told, people.iter().map(|p| p.id).collect());
        assert!(group[1..].iter().all(|r| r.changes == group[0].changes && r.deliveries.len() == 1));
    }
    assert!(whole.iter().rev().is_sorted_by_key(|receipt| receipt.changes[0]));
    for limit in 1..8 {
        let mut request = PageRequest { limit: Limit::new(limit).unwrap(), cursor: None };
        let mut walked = Vec::new();
        loop {
            let page =
                stage.store.receipts(scene.team.workspace, scene.task.id, request.clone()).await.unwrap();
            assert!(page.items.len() <= request.limit.get());
            walked.extend(page.items);
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        assert_eq!(walked, whole, "{limit} a page");
    }
}
