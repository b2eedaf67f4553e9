//! The list of changes.

use serde_json::{Value, json};

use crate::team::Team;

#[tokio::test]
async fn a_change_says_who_did_what_from_where_and_what_is_different() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let made = team.task_with(json!({"title": "One", "priority": "high"})).await;
    let token = mina.token(&["write"]).await;
    let path = team.at("/tasks/WEB-1");
    let patched = token.patch(&path, &json!({"title": "Two", "due": "2031-05-01"})).await.is(200);
    let operation = patched.header("Operation-Id").unwrap();
    let changes = team.changes_of(operation).await;
    assert_eq!(changes.len(), 1);
    let change = &changes[0];
    assert_eq!(change["actor"], json!({"id": mina.id, "name": "Mina"}));
    assert_eq!(change["source"], "api");
    assert_eq!(change["kind"], "task.updated");
    assert_eq!(change["task"], json!({"id": made.str("id"), "key": "WEB-1", "title": "Two"}));
    let fields = change["fields"].as_array().unwrap();
    assert!(fields.contains(&json!({"name": "title", "from": "One", "to": "Two"})), "{change}");
    assert!(fields.contains(&json!({"name": "due", "from": null, "to": "2031-05-01"})), "{change}");
    assert!(change.get("audience").is_none(), "who is told is not the readers' business: {change}");
    let created = team.changes_of(made.header("Operation-Id").unwrap()).await;
    assert_eq!((&created[0]["kind"], &created[0]["source"]), (&json!("task.created"), &json!("web")));
}

#[tokio::test]
async fn the_list_begins_after_a_number_and_keeps_its_limit() {
    let team = Team::new().await;
    for number in 0..8 {
        team.task(&format!("t{number}")).await;
    }
    let all = team.changes().await;
    assert_eq!(all.len(), 10, "the workspace, its project, and eight tasks");
    assert_eq!((&all[0]["kind"], &all[1]["kind"]), (&json!("workspace.created"), &json!("project.created")));
    assert_eq!(all[0]["operation"], Value::Null);
    let page = team.owner.api.get(&team.at("/changes?after=3&limit=4")).await.is(200);
    assert_eq!(page["items"].as_array().unwrap(), &all[3..7]);
    let empty = team.owner.api.get(&team.at("/changes?after=10")).await.is(200);
    assert_eq!(empty["items"], json!([]));
    let beyond = team.owner.api.get(&team.at("/changes?after=9007199254740991")).await;
    beyond.problem(409, "conflict");
}
