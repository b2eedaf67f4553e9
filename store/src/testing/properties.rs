//! The store against the domain's own memory of it: whatever is asked, in whatever batches, torn and repeated, the rows
//! are those that `State::run` leaves behind.
//!
//! What must be true of that state (gapless numbers, done ⇔ 100 % ⇔ completed, changes that tell the rows again) the
//! domain proves of itself; what is proved here is that nothing of it is lost, doubled or bent on its way through SQL.

use std::collections::BTreeMap;

use fairy_jobs::{
    command::TaskName,
    id::OperationId,
    operation::{Operation, Outcome},
    page::{Limit, PageRequest},
    ports::{Accounts as _, Feed as _, Ledger as _, Tasks as _, Teams as _},
    state::State,
    task::Task,
    team::Role,
};
use proptest::prelude::*;

use super::{
    On,
    requests::{self, World},
    stage::{Stage, Team},
};

/// The world of the requests, as rows.
async fn furnish(stage: &Stage, world: &World) -> (Team, State) {
    let mut state = world.state();
    let projects: Vec<_> = state.projects.values().cloned().collect();
    let people: Vec<_> = state.members.values().cloned().collect();
    for member in &people {
        let user = stage.user_named(member.user, member.name.as_str(), member.email.as_str());
        stage.store.create_user(&user, "hash").await.unwrap();
    }
    let owner = stage.store.user(people[0].user).await.unwrap().unwrap();
    let team = stage.team_with(projects[0].workspace, projects[0].id, &owner).await;
    stage.project(&team, projects[1].id, projects[1].key.as_str()).await;
    for member in &people[1..] {
        let user = stage.store.user(member.user).await.unwrap().unwrap();
        stage.join(&team, &user, member.role.unwrap_or(Role::Member)).await;
        if member.role.is_none() {
            stage.remove(&team, user.id).await;
        }
    }
    let held = stage.store.projects(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(held.iter().map(|p| &p.key).collect::<Vec<_>>(), [&projects[1].key, &projects[0].key]);
    state.projects = held.into_iter().map(|project| (project.id, project)).collect();
    state.seq = stage.store.seq(team.workspace).await.unwrap().unwrap();
    (team, state)
}

async fn check(stage: &Stage, team: &Team, expected: &State, first: u64) {
    let store = &stage.store;
    assert_eq!(store.seq(team.workspace).await.unwrap(), Some(expected.seq));
    let changes = store.changes(team.workspace, first, 500).await.unwrap().changes;
    let tail = expected.written.changes.len().min(500);
    assert_eq!(changes, expected.written.changes[..tail]);
    let rows = super::ledger::every_task(stage, team).await;
    let rows: BTreeMap<_, Task> = rows.into_iter().map(|task| (task.id, task)).collect();
    assert_eq!(rows, expected.tasks);
    for (key, id) in &expected.task_keys {
        let found = store.task(team.workspace, &TaskName::Key(key.clone())).await.unwrap();
        let shown = expected.tasks.get(id).filter(|task| task.deleted_at.is_none());
        assert_eq!(found.as_ref(), shown, "{key}");
    }
    let request = PageRequest { limit: Limit::new(200).unwrap(), cursor: None };
    for task in expected.tasks.keys() {
        let comments = store.comments(*task, request.clone()).await.unwrap().items;
        let shown = expected.comments.values().filter(|c| c.task == *task && c.deleted_at.is_none());
        let mut shown: Vec<_> = shown.cloned().collect();
        shown.sort_by_key(|c| (c.created_at, c.id));
        assert_eq!(comments, shown);
    }
    let projects = store.projects(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(projects.into_iter().map(|p| (p.id, p)).collect::<BTreeMap<_, _>>(), expected.projects);
}

/// Applies in batches of these sizes, each begun again from a little before where the last ended.
async fn run(
    stage: &Stage,
    state: &mut State,
    operations: &[Operation],
    batches: &[(usize, usize)],
) -> BTreeMap<OperationId, Outcome> {
    let mut held: BTreeMap<OperationId, Outcome> = BTreeMap::new();
    let (mut done, mut batches) = (0, batches.iter().cycle());
    while done < operations.len() {
        let (size, back) = batches.next().copied().unwrap_or((1, 0));
        let from = done.saturating_sub(back);
        let to = (done + size).min(operations.len());
        let at = stage.now() + jiff::SignedDuration::from_secs(to as i64);
        let expected = state.run(&operations[done..to], at);
        let applied = stage.store.apply(operations[0].workspace, &operations[from..to], at).await.unwrap();
        held.extend(expected.into_iter().map(|outcome| (outcome.id, outcome)));
        for (operation, outcome) in operations[from..to].iter().zip(&applied.outcomes) {
            assert_eq!(outcome, &held[&operation.id]);
        }
        done = to;
    }
    held
}

/// How the requests are cut into batches, and how far back each begins.
fn batches() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((1_usize..30, 0_usize..4), 1..6)
}

fn rows_are_what_the_domain_left(
    on: On,
    world: &World,
    operations: &[Operation],
    batches: &[(usize, usize)],
) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let Some(stage) = Stage::on(on).await else { return };
        let (team, mut state) = furnish(&stage, world).await;
        let first = state.seq;
        let held = run(&stage, &mut state, operations, batches).await;
        check(&stage, &team, &state, first).await;
        for (id, outcome) in &held {
            assert_eq!(stage.store.outcome(*id).await.unwrap().as_ref(), Some(outcome));
        }
        // All of it once more changes nothing.
        let again = stage.store.apply(team.workspace, operations, stage.now()).await.unwrap();
        assert_eq!(again.seq, None);
        for (operation, outcome) in operations.iter().zip(&again.outcomes) {
            assert_eq!(outcome, &held[&operation.id]);
        }
        check(&stage, &team, &state, first).await;
        stage.store.close().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn on_sqlite(requests in requests::operations(80), batches in batches()) {
        let world = World::new();
        rows_are_what_the_domain_left(On::Sqlite, &world, &world.operations(&requests), &batches);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn on_mariadb(requests in requests::operations(80), batches in batches()) {
        let world = World::new();
        rows_are_what_the_domain_left(On::MariaDb, &world, &world.operations(&requests), &batches);
    }

    #[test]
    fn on_mysql(requests in requests::operations(80), batches in batches()) {
        let world = World::new();
        rows_are_what_the_domain_left(On::MySql, &world, &world.operations(&requests), &batches);
    }
}
