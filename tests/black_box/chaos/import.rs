//! One tenant imports; the others go on as if nothing were, for the groups of a lane take turns.
//!
//! How long others wait is told, beside what they wait when nobody imports, and not judged: it is the machine's too, and who
//! plays this in the midst of other tests would judge those. Judged is that they get on while the backlog is deep, and that
//! the import is whole.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{fault::PARTS, lanes};
use crate::{
    harness::{Launch, Server, cluster_only, eventually},
    team::{self, Person, Team, workspace},
};

/// Tasks in one call.
const BATCH: usize = 500;
/// A backlog that a tenant without turns would have to wait for.
const DEEP: u64 = 1_000;
/// Creates before the import, to compare with.
const BEFORE: usize = 100;
/// How long a call of the import may be put off, because its backlog is full.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_that_imports_keeps_nobody_waiting() {
    import(12_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: `make chaos`"]
async fn a_tenant_that_imports_a_hundred_thousand_keeps_nobody_waiting() {
    import(100_000).await;
}

async fn import(tasks: usize) {
    if cluster_only() {
        return;
    }
    let mut team = Team::launch(Launch::new().made_of(PARTS).set("LIMITS__FACTOR", "1000")).await;
    let tenant = Person::sign_up(&team.server.url(), "Ida Importer").await;
    let (id, _) = workspace(&tenant, "Import").await;
    let project = json!({"key": "IMP", "name": "Imported"});
    tenant.api.post(&format!("/workspaces/{id}/projects"), &project).await.is(201);

    let mut before = Vec::new();
    for _ in 0..BEFORE {
        before.push(create(&team).await);
    }
    let done = AtomicBool::new(false);
    let importing = async {
        let begun = Instant::now();
        let operations = push_all(&tenant, &id, tasks).await;
        done.store(true, Ordering::Relaxed);
        (operations, begun.elapsed())
    };
    let ((operations, took), times) = tokio::join!(importing, others(&mut team, &done));
    let deep = times.iter().filter(|(_, deep)| *deep).count();
    let meanwhile: Vec<Duration> = times.iter().map(|(time, _)| *time).collect();
    eprintln!("{tasks} tasks imported in {took:.1?}, {deep} creates of others past a backlog of {DEEP}");
    tell(before, meanwhile);
    assert!(deep >= 5, "others' operations are to be applied while the import waits: {deep} were");
    lanes::are_empty(&mut team.server).await;
    conserved(&team::changes(&tenant.api, &id).await, &operations);
    assert_eq!(team.server.stop().await, Some(0));
}

fn tell(mut before: Vec<Duration>, mut meanwhile: Vec<Duration>) {
    before.sort();
    meanwhile.sort();
    let p = |times: &[Duration], hundredth: usize| times[(times.len() - 1) * hundredth / 100];
    for (when, times) in [("before", &before), ("meanwhile", &meanwhile)] {
        let (count, p50, p99) = (times.len(), p(times, 50), p(times, 99));
        eprintln!("others' waited creates {when}: {count}, p50 {p50:.1?}, p99 {p99:.1?}");
    }
    let ratio = p(&meanwhile, 99).as_secs_f64() / p(&before, 99).as_secs_f64();
    eprintln!("p99 meanwhile is {ratio:.1} times that before");
}

/// The import, call by call; the operations in order.
async fn push_all(tenant: &Person, workspace: &str, tasks: usize) -> Vec<String> {
    let mut operations = Vec::new();
    for call in 0..tasks / BATCH {
        let items: Vec<Value> =
            (0..BATCH).map(|item| json!({"project": "IMP", "title": format!("{call} {item}")})).collect();
        let body = json!({ "items": items });
        let pushed = eventually(PATIENCE, || async {
            let path = format!("/workspaces/{workspace}/tasks/batch");
            let reply = tenant.api.post(&path, &body).key(&format!("import-{call}")).await;
            (reply.status != 429).then_some(reply)
        });
        let reply = pushed.await.expect("the backlog becomes shorter").is(202);
        let ids = reply.body["operations"].as_array().expect("operations");
        operations.extend(ids.iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
    }
    operations
}

/// Creates of another tenant, one after the other; how long each took, and whether the import's backlog was deep all the while.
async fn others(team: &mut Team, done: &AtomicBool) -> Vec<(Duration, bool)> {
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) {
        let before = backlog(&mut team.server).await;
        let took = create(team).await;
        let after = backlog(&mut team.server).await;
        times.push((took, before.min(after) >= DEEP));
    }
    times
}

async fn create(team: &Team) -> Duration {
    let begun = Instant::now();
    team.task("As ever").await;
    begun.elapsed()
}

async fn backlog(server: &mut Server) -> u64 {
    let figures = server.process(PARTS.len() - 1).metrics().await.unwrap_or_default();
    let waiting = "fairy_lane_jobs{lane=\"operations\",state=\"waiting\"} ";
    figures.lines().find_map(|line| line.strip_prefix(waiting)?.parse().ok()).unwrap_or(0)
}

/// Each operation made its one task, in order, and keys were given without gaps.
fn conserved(feed: &[Value], operations: &[String]) {
    let made: Vec<&Value> = feed.iter().filter(|change| change["kind"] == "task.created").collect();
    let ids: Vec<&str> = made.iter().filter_map(|change| change["operation"].as_str()).collect();
    assert!(
        ids == operations,
        "{} operations made {} tasks, or in another order",
        operations.len(),
        ids.len()
    );
    let keys: BTreeSet<&str> = made.iter().filter_map(|change| change["task"]["key"].as_str()).collect();
    assert_eq!(keys.len(), made.len());
    assert!(keys.contains(format!("IMP-{}", made.len()).as_str()), "keys have gaps");
}
