//! Waiting, not waiting, and asking later.

use serde_json::json;

use crate::{client::Reply, team::Team};

async fn paused(team: &Team) {
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
}

async fn resumed(team: &Team) {
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
}

#[track_caller]
fn accepted(reply: &Reply) -> String {
    assert_eq!(reply.status, 202, "{reply:?}");
    let id = reply.str("id");
    assert_eq!(reply["status"], "accepted", "{reply:?}");
    assert_eq!(reply.header("Operation-Id"), Some(id.as_str()), "{reply:?}");
    assert_eq!(reply.header("Location"), Some(format!("/v1/operations/{id}").as_str()), "{reply:?}");
    id
}

#[tokio::test]
async fn a_create_answers_the_task() {
    let team = Team::new().await;
    let task = team.task_with(json!({"title": "Fix login", "labels": ["Bug"], "due": "2031-02-28"})).await;
    let id = task.str("id");
    assert!(
        task.text.starts_with(&format!(r#"{{"id":"{id}","key":"WEB-1","#)),
        "as it is described: {}",
        task.text
    );
    assert_eq!(task.header("Location"), Some(format!("/v1{}", team.at(&format!("/tasks/{id}"))).as_str()));
    assert!(task.header("ETag").is_some_and(|tag| tag.starts_with("\"1-")), "{task:?}");
    assert!(task.header("Operation-Id").is_some_and(|op| op.starts_with("op_")));
    assert!(task.header("Idempotency-Replayed").is_none());
    for (name, value) in [
        ("key", json!("WEB-1")),
        ("workspace", json!(team.id)),
        ("title", json!("Fix login")),
        ("body", json!("")),
        ("status", json!("waiting")),
        ("progress", json!(0)),
        ("priority", json!("normal")),
        ("due", json!("2031-02-28")),
        ("assignees", json!([])),
        ("watchers", json!([])),
        ("labels", json!(["bug"])),
        ("version", json!(1)),
        ("created_by", json!(team.owner.id)),
        ("completed_at", json!(null)),
    ] {
        assert_eq!(task[name], value, "{name}: {task:?}");
    }
    assert!(task.str("created_at").ends_with('Z') && task.str("created_at").len() == 24, "{task:?}");
    let read = team.owner.api.get(&team.at("/tasks/WEB-1")).await.is(200);
    assert_eq!(read.body, task.body);
}

#[tokio::test]
async fn who_does_not_want_to_wait_asks_later() {
    let team = Team::new().await;
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Later"}));
    let reply = create.respond_async().await;
    let id = accepted(&reply);
    assert_eq!(reply.header("Preference-Applied"), Some("respond-async"));
    let ended = team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await.is(200);
    assert_eq!((&ended["status"], &ended["resource"]["type"]), (&json!("applied"), &json!("task")));
    assert_eq!(ended["result"]["key"], "WEB-1", "{ended:?}");
    assert_eq!(ended["resource"]["id"], ended["result"]["id"]);
    assert!(ended["finished_at"].as_str() >= ended["accepted_at"].as_str());
}

#[tokio::test]
async fn an_accepted_operation_is_found_before_it_is_applied() {
    let team = Team::new().await;
    paused(&team).await;
    let reply = team
        .owner
        .api
        .post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Waits"}))
        .respond_async()
        .await;
    let id = accepted(&reply);
    let found = team.owner.api.get(&format!("/operations/{id}")).await.is(200);
    assert_eq!((&found["status"], &found["resource"]["type"]), (&json!("accepted"), &json!("task")));
    assert_eq!(found["accepted_at"], reply["accepted_at"]);
    let waited = team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=1").await.is(200);
    assert_eq!(waited["status"], "accepted");
    // The task has an id that can be named at once, though it is not there yet.
    let task = found["resource"]["id"].as_str().unwrap().to_owned();
    team.owner.api.get(&team.at(&format!("/tasks/{task}"))).await.problem(404, "not-found");
    let path = team.at(&format!("/tasks/{task}/comments"));
    let comment = team.owner.api.post(&path, &json!({"body": "already talking"})).respond_async().await;
    let comment = accepted(&comment);
    resumed(&team).await;
    let ended =
        team.owner.api.get(&format!("/operations/{comment}")).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "applied", "{ended:?}");
    assert_eq!(team.owner.api.all(&path).await.len(), 1);
}

#[tokio::test]
async fn a_wait_ends_after_the_seconds_that_were_asked_for() {
    let team = Team::new().await;
    paused(&team).await;
    let create = || team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Slow"}));
    let started = tokio::time::Instant::now();
    let reply = create().header("Prefer", "wait=1").await;
    accepted(&reply);
    assert!(started.elapsed().as_millis() >= 900, "it did not wait");
    assert_eq!(reply.header("Preference-Applied"), Some("wait=1"));
    let waiting = create().header("Prefer", "foo, WAIT=30; x=y, handling=lenient");
    let (reply, ()) = tokio::join!(waiting.into_future(), resumed(&team));
    reply.is(201);
}

#[tokio::test]
async fn preferences_that_make_no_sense_are_left_out() {
    let team = Team::new().await;
    for preference in
        ["wait=-1", "wait=many", "wait", "return=minimal", "", ",,", "wait=99999999999999999999"]
    {
        let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "x"}));
        let reply = create.header("Prefer", preference).await;
        assert_eq!(reply.status, 201, "{preference}: {reply:?}");
    }
}

#[tokio::test]
async fn a_refusal_is_answered_as_its_problem_and_kept_as_the_outcome() {
    let team = Team::new().await;
    let path = team.at("/tasks/tsk_01ARZ3NDEKTSV4RRFFQ69G5FAV");
    let refused = team.owner.api.patch(&path, &json!({"title": "x"})).await.problem(404, "not-found");
    let operation = refused.header("Operation-Id").expect("a refusal has an operation").to_owned();
    let kept = team.owner.api.get(&format!("/operations/{operation}")).await.is(200);
    assert_eq!(kept["status"], "refused");
    assert_eq!(kept["problem"]["type"], refused["type"]);
    assert_eq!(kept["problem"]["status"], 404);
    assert!(team.changes_of(&operation).await.is_empty());
}

#[tokio::test]
async fn an_operation_is_seen_by_its_actor_and_by_admins() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let jae = team.member("Jae", "member").await;
    let ada = team.member("Ada", "admin").await;
    let task = mina.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Mine"})).await.is(201);
    let path = format!("/operations/{}", task.header("Operation-Id").unwrap());
    for api in [&mina.api, &ada.api, &team.owner.api] {
        assert_eq!(api.get(&path).await.is(200)["status"], "applied");
    }
    jae.api.get(&path).await.problem(404, "not-found");
    team.owner.api.stranger().get(&path).await.problem(401, "unauthenticated");
    for id in ["op_01ARZ3NDEKTSV4RRFFQ69G5FAV", "op_x", "tsk_01ARZ3NDEKTSV4RRFFQ69G5FAV"] {
        let reply = mina.api.get(&format!("/operations/{id}")).await.any_problem();
        assert!(matches!(reply.status, 400 | 404 | 422), "{reply:?}");
    }
}
