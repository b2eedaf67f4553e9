//! Roles, and what is left of somebody who has left.

use reqwest::Method;
use serde_json::{Value, json};

use crate::team::{Person, Team};

/// Who may do what, least role first; everybody above may too.
fn matrix(task: &str, target: &str) -> Vec<(&'static str, Method, String, Value)> {
    let task = |rest: &str| format!("/tasks/{task}{rest}");
    vec![
        ("viewer", Method::GET, "/tasks".into(), Value::Null),
        ("viewer", Method::GET, task("/comments"), Value::Null),
        ("viewer", Method::GET, "/changes".into(), Value::Null),
        ("viewer", Method::PUT, task("/watchers/me"), Value::Null),
        ("member", Method::POST, "/tasks".into(), json!({"project": "WEB", "title": "x"})),
        ("member", Method::PATCH, task(""), json!({"priority": "high"})),
        ("member", Method::POST, task("/comments"), json!({"body": "hello"})),
        ("member", Method::PUT, task("/labels/bug"), Value::Null),
        ("member", Method::PUT, task(&format!("/assignees/{target}")), Value::Null),
        (
            "admin",
            Method::POST,
            "/invitations".into(),
            json!({"email": "someone@example.com", "role": "viewer"}),
        ),
        ("admin", Method::PATCH, format!("/members/{target}"), json!({"role": "viewer"})),
    ]
}

#[tokio::test]
async fn each_role_may_what_it_may_and_no_more() {
    let team = Team::new().await;
    let task = team.task("Roles").await.str("id");
    let target = team.member("Target", "viewer").await;
    let ranks = ["viewer", "member", "admin"];
    for (rank, role) in ranks.iter().enumerate() {
        let person = team.member(&format!("The {role}"), role).await;
        for (least, method, path, body) in matrix(&task, &target.id) {
            let mut call = person.api.call(&method, &team.at(&path));
            if !body.is_null() {
                call = call.json(&body);
            }
            let reply = call.await;
            let allowed = ranks.iter().position(|r| *r == least).unwrap() <= rank;
            if allowed {
                assert!(reply.status < 300, "{role}: {reply:?}");
            } else {
                reply.problem(403, "forbidden");
            }
        }
    }
}

#[tokio::test]
async fn the_workspace_always_has_exactly_one_owner() {
    let team = Team::new().await;
    let admin = team.member("Ada", "admin").await;
    let member = |person: &Person| team.at(&format!("/members/{}", person.id));
    team.owner.api.delete(&member(&team.owner)).await.problem(409, "conflict");
    team.owner.api.patch(&member(&team.owner), &json!({"role": "viewer"})).await.problem(409, "conflict");
    admin.api.patch(&member(&admin), &json!({"role": "owner"})).await.problem(403, "forbidden");
    admin.api.delete(&member(&team.owner)).await.problem(409, "conflict");
    team.owner.api.patch(&member(&admin), &json!({"role": "owner"})).await.is(200);
    let members = admin.api.all(&team.at("/members")).await;
    let role = |id: &str| members.iter().find(|m| m["id"] == id).unwrap()["role"].clone();
    assert_eq!((role(&admin.id), role(&team.owner.id)), (json!("owner"), json!("admin")));
}

#[tokio::test]
async fn who_was_removed_sees_nothing_at_once_and_stays_shown_on_their_tasks() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let token = mina.token(&["write"]).await;
    let task = team.task_with(json!({"title": "Hers", "assignees": [mina.id]})).await;
    assert_eq!(task["assignees"][0]["name"], "Mina");
    let operation = mina.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "y"})).await.is(201);
    let operation = operation.header("Operation-Id").unwrap().to_owned();
    token.get(&team.at("/tasks")).await.is(200);
    team.owner.api.delete(&team.at(&format!("/members/{}", mina.id))).await.is(204);
    for api in [&mina.api, &token] {
        api.get(&team.at("/tasks")).await.problem(404, "not-found");
        api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "x"}))
            .await
            .problem(404, "not-found");
        api.get(&team.at("/changes")).await.problem(404, "not-found");
        // What one did oneself can still be asked after, as it was then.
        api.get(&format!("/operations/{operation}")).await.is(200);
    }
    let path = team.at(&format!("/tasks/{}", task.str("id")));
    let shown = team.owner.api.get(&path).await.is(200);
    assert_eq!(shown["assignees"][0]["id"], mina.id.as_str());
    assert_eq!(shown["assignees"][0]["name"], "Mina");
    assert_eq!(shown["assignees"][0]["active"], false, "{shown:?}");
    // Who was assigned may stay while other things change; assigning them anew is refused.
    let assignee = |rest: &str| format!("{path}/assignees/{rest}");
    team.owner.api.patch(&path, &json!({"assignees": [mina.id, team.owner.id]})).await.is(200);
    team.owner.api.delete(&assignee(&mina.id)).await.is(204);
    team.owner.api.put(&assignee(&mina.id)).await.problem(422, "invalid");
}

#[tokio::test]
async fn everybody_but_the_owner_may_leave_and_come_back() {
    let team = Team::new().await;
    let vera = team.member("Vera", "viewer").await;
    vera.api.delete(&team.at(&format!("/members/{}", team.owner.id))).await.problem(403, "forbidden");
    vera.api.delete(&team.at(&format!("/members/{}", vera.id))).await.is(204);
    vera.api.get(&team.at("/tasks")).await.problem(404, "not-found");
    team.admit(&vera, "member").await;
    vera.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "back"})).await.is(201);
    let kinds: Vec<_> = team.changes().await.into_iter().map(|c| c["kind"].clone()).collect();
    assert_eq!(kinds.iter().filter(|k| **k == "member.left").count(), 1);
    assert_eq!(kinds.iter().filter(|k| **k == "member.joined").count(), 2);
}

#[tokio::test]
async fn a_role_counts_at_the_moment_an_operation_is_applied() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let paused = team.server.beside(&["lanes", "pause", "operations"]).await;
    paused.succeeded();
    let call =
        mina.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "too late"})).respond_async();
    let operation = call.await.is(202).str("id");
    let path = team.at(&format!("/members/{}", mina.id));
    team.owner.api.patch(&path, &json!({"role": "viewer"})).await.is(200);
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let ended = mina.api.get(&format!("/operations/{operation}")).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "refused", "{ended:?}");
    assert_eq!(ended["problem"]["status"], 403, "{ended:?}");
}
