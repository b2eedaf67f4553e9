//! Notices once for each person and change; what messages say; receipts.

use std::collections::BTreeSet;

use fairy_jobs::{
    account::User,
    change::Change,
    command::{Assignment, Command, DeleteTask, TaskName, Watching},
    id::{DeliveryId, NoticeId},
    lane::Sink,
    notice::{Beginning, Notice, Reason, Receipt},
    operation::Operation,
    page::{Limit, PageRequest},
    ports::{
        Attempt, Deliveries as _, DeliveryContent, Feed as _, Ledger as _, NewDelivery, Notices as _,
        Sinks as _,
    },
    task::Task,
    team::Role,
    trace::Trace,
};

use super::stage::{Stage, Team};

super::tests! {
    nobody_is_told_twice,
    who_left_is_not_told_and_it_shows,
    a_message_says_what_is_so_when_it_is_sent,
    a_watcher_who_stopped_is_left_in_peace,
    the_actor_is_shown_all_they_did,
    receipts_show_everybody_and_the_actor_once,
    a_trace_stays_with_changes_and_with_what_tells_of_them,
}

pub struct Scene {
    pub team: Team,
    pub owner: User,
    pub mina: User,
    pub task: Task,
}

pub async fn scene(stage: &Stage) -> Scene {
    let (owner, mina) = (stage.person("Owner").await, stage.person("Mina").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &mina, Role::Member).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    Scene { team, owner, mina, task }
}

impl Scene {
    pub async fn assign(&self, stage: &Stage, person: &User) -> Change {
        let task = TaskName::Id(self.task.id);
        let assign = Command::Assign(Assignment { task, user: person.id });
        stage.apply(&self.team, self.owner.id, vec![assign]).await;
        self.last(stage).await
    }

    async fn last(&self, stage: &Stage) -> Change {
        let seq = stage.store.seq(self.team.workspace).await.unwrap().unwrap();
        stage.store.changes(self.team.workspace, seq - 1, 1).await.unwrap().changes.remove(0)
    }

    pub fn notice(
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
        (notice, NewDelivery { id: stage.delivery(), due_at: at, trace: None })
    }

    pub async fn tell(&self, stage: &Stage, notices: &[(Notice, NewDelivery)], seq: u64) -> Vec<DeliveryId> {
        stage.store.tell(self.team.workspace, notices, seq, stage.now()).await.unwrap().deliveries
    }

    pub async fn receipts(&self, stage: &Stage) -> Vec<Receipt> {
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
    assert_eq!(stage.store.pending(Sink::Notify, scene.team.workspace, 10).await.unwrap().changes, []);
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

pub async fn told(stage: &Stage) -> (Scene, DeliveryId) {
    let scene = scene(stage).await;
    let change = scene.assign(stage, &scene.mina).await;
    let notice = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    let delivery = scene.tell(stage, &[notice], change.seq).await.remove(0);
    (scene, delivery)
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
    assert_eq!((person.id, &person.email), (scene.mina.id, &scene.mina.email));
    assert_eq!(workspace.id, scene.team.workspace);
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
    // Who is concerned for another reason still is.
    scene.assign(stage, &scene.mina).await;
    assert!(matches!(contents().await, DeliveryContent::Notice { .. }));
}

async fn the_actor_is_shown_all_they_did(stage: &Stage) {
    let scene = scene(stage).await;
    let (first, second) = (scene.assign(stage, &scene.mina).await, scene.assign(stage, &scene.owner).await);
    let of_second = |person, reason, changes: &[&Change]| {
        let (mut notice, delivery) = scene.notice(stage, person, reason, changes);
        notice.operation = second.operation;
        (notice, delivery)
    };
    let notices = [
        of_second(&scene.mina, Reason::Assigned, &[&first, &second]),
        of_second(&scene.owner, Reason::Creator, &[&second]),
    ];
    scene.tell(stage, &notices, second.seq).await;
    let receipts = scene.receipts(stage).await;
    assert_eq!((receipts.len(), receipts[0].notice), (3, None));
    assert_eq!(receipts[0].changes, [first.seq, second.seq]);
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

async fn a_trace_stays_with_changes_and_with_what_tells_of_them(stage: &Stage) {
    let scene = scene(stage).await;
    let trace = Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert!(trace.is_some() && scene.last(stage).await.trace.is_none());
    let assign = Assignment { task: TaskName::Id(scene.task.id), user: scene.mina.id };
    let operation = stage.operation(&scene.team, scene.owner.id, Command::Assign(assign));
    let operation = Operation { trace, ..operation };
    stage.store.apply(scene.team.workspace, &[operation], stage.now()).await.unwrap();
    let change = scene.last(stage).await;
    assert_eq!(change.trace, trace);
    let (notice, delivery) = scene.notice(stage, &scene.mina, Reason::Assigned, &[&change]);
    let new = (notice, NewDelivery { trace, ..delivery });
    let told = scene.tell(stage, &[new], change.seq).await;
    let lease = std::time::Duration::from_secs(60);
    let begun = stage.store.begin(&told, Beginning::Together, lease, stage.now()).await.unwrap();
    assert_eq!(begun.deliveries.iter().map(|begun| begun.trace).collect::<Vec<_>>(), [trace]);
}
