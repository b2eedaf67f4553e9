//! Many operations in one call: all accepted or none.

use serde_json::{Value, json};

use crate::{client::Reply, team::Team};

fn post(team: &Team, items: &[Value]) -> crate::client::Call {
    team.owner.api.post(&team.at("/tasks/batch"), &json!({ "items": items }))
}

async fn ends(team: &Team, reply: &Reply) -> Vec<Value> {
    let mut ends = Vec::new();
    for operation in reply["operations"].as_array().expect("operations") {
        let path = format!("/operations/{}", operation["id"].as_str().unwrap());
        ends.push(team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200).body);
    }
    ends
}

#[tokio::test]
async fn creates_and_patches_are_accepted_together_and_applied_in_order() {
    let team = Team::new().await;
    let first = team.task("Zero").await;
    let mut items: Vec<_> = (1..=200).map(|n| json!({"project": "WEB", "title": format!("t{n}")})).collect();
    items.push(json!({"task": first.str("id"), "title": "Patched"}));
    items.push(json!({"task": "WEB-201", "status": "done"}));
    let reply = post(&team, &items).await.is(202);
    let ends = ends(&team, &reply).await;
    assert_eq!(ends.len(), 202);
    for (index, end) in ends.iter().enumerate().take(200) {
        assert_eq!(end["status"], "applied", "{end}");
        assert_eq!(end["result"]["key"], format!("WEB-{}", index + 2));
        assert_eq!(end["resource"], reply["operations"][index]["resource"]);
    }
    assert_eq!(ends[200]["result"]["title"], "Patched");
    assert_eq!(ends[201]["result"]["status"], "done");
}

#[tokio::test]
async fn one_item_that_cannot_be_accepted_stops_them_all() {
    let team = Team::new().await;
    let items = vec![
        json!({"project": "WEB", "title": "good"}),
        json!({"project": "WEB", "title": ""}),
        json!({"title": "x"}),
    ];
    let reply = post(&team, &items).await.problem(422, "invalid");
    assert!(reply.text.contains("items.1") || reply.text.contains("items.2"), "{reply:?}");
    assert!(team.owner.api.all(&team.at("/tasks")).await.is_empty());
    let many: Vec<_> = (0..501).map(|_| json!({"project": "WEB", "title": "x"})).collect();
    post(&team, &many).await.invalid("items");
    post(&team, &[]).await.invalid("items");
    assert_eq!(team.seq().await, 2);
}

#[tokio::test]
async fn one_refusal_leaves_its_neighbours_alone() {
    let team = Team::new().await;
    let items = vec![
        json!({"project": "WEB", "title": "a"}),
        json!({"project": "NONE", "title": "b"}),
        json!({"project": "WEB", "title": "c"}),
    ];
    let reply = post(&team, &items).await.is(202);
    let ends = ends(&team, &reply).await;
    let statuses: Vec<_> = ends.iter().map(|e| e["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["applied", "refused", "applied"]);
    assert_eq!(ends[2]["result"]["key"], "WEB-2");
}

#[tokio::test]
async fn a_batch_repeated_with_its_key_is_the_same_operations() {
    let team = Team::new().await;
    let items = || vec![json!({"project": "WEB", "title": "a"}), json!({"project": "WEB", "title": "b"})];
    let first = post(&team, &items()).key("batch").await.is(202);
    ends(&team, &first).await;
    let second = post(&team, &items()).key("batch").await.is(202);
    assert_eq!(second["operations"], first["operations"]);
    assert_eq!(second.header("Idempotency-Replayed"), Some("true"));
    let mut other = items();
    other[1]["title"] = json!("different");
    post(&team, &other).key("batch").await.problem(422, "idempotency-key-reused");
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 2);
}
