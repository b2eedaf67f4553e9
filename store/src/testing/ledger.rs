//! Applying operations: once, whole, in order, whoever repeats and whoever goes away.

use std::collections::BTreeMap;

use fairy_jobs::{
    command::{AddComment, Assignment, Command, DeleteTask, PatchTask, ProjectName, RestoreTask, TaskName},
    id::{CommentId, OperationId, ProjectId, TaskId, WorkspaceId},
    operation::{End, OperationStatus},
    ports::{Feed as _, Ledger as _, PortError, PortResult, Tasks as _},
    task::{Status, Task},
    team::Role,
    text::{Body, Title},
};
use futures::future::join_all;
use jiff::SignedDuration;

use super::stage::{Stage, Team};
use crate::driver::{Row, args};

super::tests! {
    a_repeat_gets_the_first_outcome,
    a_batch_that_goes_there_and_back_keeps_its_traces,
    a_batch_that_cannot_be_written_leaves_nothing,
    a_caller_that_goes_away_leaves_all_or_nothing,
    batches_at_once_keep_the_numbers,
    a_dead_letter_keeps_its_outcome,
    nobody_reaches_into_another_workspace,
    a_feed_never_runs_backwards,
    a_batch_of_another_workspace_is_refused,
    what_was_decided_by_membership_is_decided_when_applied,
}

/// Every task of a workspace, deleted ones included, which no port shows.
pub async fn every_task(stage: &Stage, team: &Team) -> Vec<Task> {
    let mut c = stage.store.read().await.unwrap();
    let sql = "SELECT id FROM tasks WHERE workspace = ? LIMIT 100000 -- suite";
    let rows = c.rows(sql, args![team.workspace]).await.unwrap();
    let ids: PortResult<Vec<_>> = rows.iter().map(Row::only).collect();
    crate::tasks::by_id(&mut c, team.workspace, ids.unwrap()).await.unwrap()
}

async fn a_repeat_gets_the_first_outcome(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let create = stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Once")));
    let applied =
        stage.store.apply(team.workspace, std::slice::from_ref(&create), stage.now()).await.unwrap();
    assert_eq!(applied.seq, Some(3));
    stage.clock.advance(SignedDuration::from_secs(5));
    let mut patch = PatchTask::of(create.command.task());
    patch.title = Some(Title::parse("Twice").unwrap());
    let patch = stage.operation(&team, owner.id, Command::PatchTask(patch));
    // The old one, the new one, and the new one again within the same batch.
    let batch = [create.clone(), patch.clone(), patch.clone(), create.clone()];
    let again = stage.store.apply(team.workspace, &batch, stage.now()).await.unwrap();
    assert_eq!(again.seq, Some(4));
    assert_eq!(again.outcomes[0], applied.outcomes[0]);
    assert_eq!(again.outcomes[3], applied.outcomes[0]);
    assert_eq!(again.outcomes[1], again.outcomes[2]);
    assert_eq!(stage.store.outcome(create.id).await.unwrap().as_ref(), Some(&applied.outcomes[0]));
    let never = OperationId::from_bytes([9; 16]);
    let mut known = stage.store.known(&[patch.id, never, create.id]).await.unwrap();
    known.sort();
    let mut both = [create.id, patch.id];
    both.sort();
    assert_eq!(known, both, "those that have an outcome");
    let nothing = stage.store.apply(team.workspace, &batch, stage.now()).await.unwrap();
    assert_eq!((nothing.seq, nothing.outcomes), (None, again.outcomes));
    assert_eq!(stage.store.outcome(OperationId::from_bytes([9; 16])).await.unwrap(), None);
    assert_eq!(stage.store.apply(team.workspace, &[], stage.now()).await.unwrap().outcomes, []);
}

/// Away and back, reopened and done, restored and deleted, each within one batch: the rows are what the outcomes say.
async fn a_batch_that_goes_there_and_back_keeps_its_traces(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let other = ProjectId::from_bytes([8; 16]);
    stage.project(&team, other, "OTHER").await;
    let mut tasks = Vec::new();
    for title in ["Moves", "Reopens", "Returns"] {
        tasks.push(TaskName::Id(stage.task(&team, stage.new_task(&team, title)).await.id));
    }
    let patch = |task: usize, edit: fn(&mut PatchTask), project: Option<ProjectId>| {
        let mut patch = PatchTask::of(tasks[task].clone());
        edit(&mut patch);
        patch.project = project.map(ProjectName::Id);
        Command::PatchTask(patch)
    };
    let done: fn(&mut PatchTask) = |patch| patch.status = Some(Status::Done);
    let reopened: fn(&mut PatchTask) = |patch| patch.status = Some(Status::Waiting);
    let delete = Command::DeleteTask(DeleteTask { task: tasks[2].clone() });
    stage.apply(&team, owner.id, vec![patch(1, done, None), delete.clone()]).await;
    stage.clock.advance(SignedDuration::from_secs(5));
    let there_and_back = vec![
        patch(0, |_| {}, Some(other)),
        patch(0, |_| {}, Some(team.project)),
        patch(1, reopened, None),
        patch(1, done, None),
        Command::RestoreTask(RestoreTask { task: tasks[2].clone() }),
        delete,
    ];
    stage.apply(&team, owner.id, there_and_back).await;
    let rows: BTreeMap<_, _> =
        every_task(stage, &team).await.into_iter().map(|t| (t.title.clone(), t)).collect();
    let row = |title| &rows[&Title::parse(title).unwrap()];
    assert_eq!(row("Moves").key.number, 4);
    assert_eq!(row("Reopens").completed_at, Some(stage.now()));
    assert_eq!(row("Returns").deleted_at, Some(stage.now()));
}

async fn a_batch_that_cannot_be_written_leaves_nothing(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let (team, other) = (stage.team(&owner).await, stage.team(&owner).await);
    let taken = stage.new_task(&other, "Elsewhere");
    let id = taken.task;
    stage.task(&other, taken).await;
    // The id belongs to a task that this workspace cannot see, so the domain finds nothing wrong.
    let mut poison = stage.new_task(&team, "Here");
    poison.task = id;
    let batch = [
        stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Innocent"))),
        stage.operation(&team, owner.id, Command::CreateTask(poison)),
    ];
    let failed = stage.store.apply(team.workspace, &batch, stage.now()).await;
    assert!(matches!(failed, Err(PortError::Broken(_))), "{failed:?}");
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), Some(2));
    assert_eq!(every_task(stage, &team).await, []);
    assert_eq!(stage.store.outcome(batch[0].id).await.unwrap(), None);
    let innocent = stage.store.apply(team.workspace, &batch[..1], stage.now()).await.unwrap();
    assert_eq!(innocent.outcomes[0].end.status(), OperationStatus::Applied);
    assert_eq!(every_task(stage, &team).await[0].key.number, 1);
}

async fn a_caller_that_goes_away_leaves_all_or_nothing(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    for round in 0..30_usize {
        let create = |_| stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Task")));
        let batch: Vec<_> = (0..8).map(create).collect();
        let seq = stage.store.seq(team.workspace).await.unwrap().unwrap();
        let mut applying = Box::pin(stage.store.apply(team.workspace, &batch, stage.now()));
        for _ in 0..round {
            if futures::poll!(applying.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(applying);
        // Behind this, the batch is done or will never be.
        stage.store.at_rest().await;
        let outcomes = join_all(batch.iter().map(|o| stage.store.outcome(o.id))).await;
        let there = outcomes.into_iter().filter(|outcome| matches!(outcome, Ok(Some(_)))).count();
        let grown = stage.store.seq(team.workspace).await.unwrap().unwrap() - seq;
        assert!([(0, 0), (8, 8)].contains(&(there, grown)), "{there} outcomes, {grown} changes");
    }
}

async fn batches_at_once_keep_the_numbers(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let teams = [stage.team(&owner).await, stage.team(&owner).await];
    let batch = |team: &Team| {
        let create = |_| stage.operation(team, owner.id, Command::CreateTask(stage.new_task(team, "Task")));
        (team.workspace, (0..10).map(create).collect::<Vec<_>>())
    };
    let batches: Vec<_> = (0..20).map(|n| batch(&teams[n % 2])).collect();
    // Each is given twice, as by two workers that both believe it is theirs.
    let twice = batches.iter().chain(&batches);
    let applied = join_all(twice.map(|(team, batch)| stage.store.apply(*team, batch, stage.now()))).await;
    assert_eq!(applied.iter().filter(|a| a.as_ref().is_ok_and(|a| a.seq.is_some())).count(), 20);
    for team in &teams {
        let mut numbers: Vec<u64> = every_task(stage, team).await.iter().map(|t| t.key.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=100).collect::<Vec<_>>());
        let changes = stage.store.changes(team.workspace, 0, 500).await.unwrap().changes;
        assert_eq!(changes.iter().map(|c| c.seq).collect::<Vec<_>>(), (1..=102).collect::<Vec<_>>());
    }
}

async fn a_dead_letter_keeps_its_outcome(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let dead = stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Poison")));
    let failure = dead.failure(stage.now());
    assert_eq!(stage.store.fail(&failure).await.unwrap(), failure);
    stage.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(stage.store.fail(&dead.failure(stage.now())).await.unwrap(), failure);
    let late = stage.store.apply(team.workspace, std::slice::from_ref(&dead), stage.now()).await.unwrap();
    assert_eq!(late.outcomes, [failure]);
    assert_eq!(every_task(stage, &team).await, []);
    let done = stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Done")));
    let applied = stage.store.apply(team.workspace, std::slice::from_ref(&done), stage.now()).await.unwrap();
    assert_eq!(stage.store.fail(&done.failure(stage.now())).await.unwrap(), applied.outcomes[0]);
}

async fn nobody_reaches_into_another_workspace(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let (team, other) = (stage.team(&owner).await, stage.team(&owner).await);
    let theirs = stage.task(&other, stage.new_task(&other, "Theirs")).await;
    let body = Body::parse("Hello").unwrap();
    let comment = CommentId::generate(&*stage.ids, stage.now());
    let task = TaskName::Id(theirs.id);
    let mut moved = stage.new_task(&team, "Here");
    moved.project = ProjectName::Id(other.project);
    let commands = vec![
        Command::PatchTask(PatchTask::of(task.clone())),
        Command::AddComment(AddComment { task, comment, body }),
        Command::CreateTask(moved),
    ];
    for outcome in stage.apply(&team, owner.id, commands).await {
        assert!(matches!(outcome.end, End::Refused(_)), "{outcome:?}");
    }
    let nowhere = Team { workspace: WorkspaceId::from_bytes([9; 16]), ..team };
    let create = Command::CreateTask(stage.new_task(&nowhere, "Nowhere"));
    let outcome = stage.apply(&nowhere, owner.id, vec![create]).await.remove(0);
    assert_eq!(outcome.end.status(), OperationStatus::Refused);
    assert_eq!(stage.store.outcome(outcome.id).await.unwrap(), Some(outcome));
}

async fn a_feed_never_runs_backwards(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let create = || stage.operation(&team, owner.id, Command::CreateTask(stage.new_task(&team, "Task")));
    let late = stage.now() + SignedDuration::from_hours(1);
    stage.store.apply(team.workspace, &[create()], late).await.unwrap();
    let applied = stage.store.apply(team.workspace, &[create()], stage.now()).await.unwrap();
    assert_eq!(applied.outcomes[0].finished_at, late);
    let changes = stage.store.changes(team.workspace, 0, 10).await.unwrap().changes;
    assert!(changes.is_sorted_by_key(|change| change.at));
}

async fn a_batch_of_another_workspace_is_refused(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let (team, other) = (stage.team(&owner).await, stage.team(&owner).await);
    let stray = stage.operation(&other, owner.id, Command::CreateTask(stage.new_task(&other, "Stray")));
    let refused = stage.store.apply(team.workspace, &[stray], stage.now()).await;
    assert!(matches!(refused, Err(PortError::Broken(_))), "{refused:?}");
}

async fn what_was_decided_by_membership_is_decided_when_applied(stage: &Stage) {
    let (owner, guest) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &guest, Role::Member).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    let assign = |task: TaskId| Command::Assign(Assignment { task: TaskName::Id(task), user: guest.id });
    let by_guest = stage.operation(&team, guest.id, assign(task.id));
    stage.apply(&team, owner.id, vec![assign(task.id)]).await;
    stage.remove(&team, guest.id).await;
    let outcome =
        stage.store.apply(team.workspace, &[by_guest], stage.now()).await.unwrap().outcomes.remove(0);
    assert_eq!(outcome.end.status(), OperationStatus::Refused);
    let other = stage.task(&team, stage.new_task(&team, "Other")).await;
    let outcome = stage.apply(&team, owner.id, vec![assign(other.id)]).await.remove(0);
    assert_eq!(outcome.end.status(), OperationStatus::Refused);
    // Who left is still shown where they were assigned.
    let kept = stage.store.task(team.workspace, &TaskName::Id(task.id)).await.unwrap().unwrap();
    assert_eq!(kept.assignees, [guest.id].into());
}
