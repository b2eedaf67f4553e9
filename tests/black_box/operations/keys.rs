//! Task keys: gapless, kept for ever, never reused.

use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn a_moved_task_gets_a_new_key_and_the_old_one_still_leads_to_it() {
    let team = Team::new().await;
    let ops = team.project("OPS").await;
    let task = team.task("Wanders").await;
    let id = task.str("id");
    let path = team.at(&format!("/tasks/{id}"));
    let moved = team.owner.api.patch(&path, &json!({"project": "OPS"})).await.is(200);
    assert_eq!((&moved["key"], &moved["project"]), (&json!("OPS-1"), &json!(ops)));
    for name in ["WEB-1", "OPS-1", "web-1", &id] {
        assert_eq!(
            team.owner.api.get(&team.at(&format!("/tasks/{name}"))).await.is(200)["id"],
            id.as_str(),
            "{name}"
        );
    }
    assert_eq!(team.task("Next").await["key"], "WEB-2", "the old key is not given again");
    let back = team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"project": "WEB"})).await.is(200);
    assert_eq!(back["key"], "WEB-3");
    for name in ["WEB-1", "OPS-1", "WEB-3"] {
        assert_eq!(team.owner.api.get(&team.at(&format!("/tasks/{name}"))).await.is(200)["id"], id.as_str());
    }
    let found = team.owner.api.all(&team.at("/tasks?key=OPS-1")).await;
    assert_eq!(found[0]["id"], id.as_str());
    let kinds: Vec<_> = team.changes().await.into_iter().filter(|c| c["kind"] == "task.moved").collect();
    assert_eq!(kinds.len(), 2);
}

#[tokio::test]
async fn a_refused_create_takes_no_number() {
    let team = Team::new().await;
    let nobody = json!({"project": "WEB", "title": "x", "assignees": ["usr_01ARZ3NDEKTSV4RRFFQ69G5FAV"]});
    for _ in 0..3 {
        team.owner.api.post(&team.at("/tasks"), &nobody).await.invalid("assignees");
    }
    assert_eq!(team.task("First").await["key"], "WEB-1");
}

#[tokio::test]
async fn a_project_key_is_unique_and_of_its_form() {
    let team = Team::new().await;
    let create = |key: &str| team.owner.api.post(&team.at("/projects"), &json!({"key": key, "name": "n"}));
    create("WEB").await.problem(409, "conflict");
    for key in ["", "W", "web", "1WEB", "WEB-1", "ABCDEFGHIJK", "WÉB"] {
        create(key).await.invalid("key");
    }
    create("A1").await.is(201);
    let listed = team.owner.api.all(&team.at("/projects")).await;
    let keys: Vec<_> = listed.iter().map(|p| p["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["A1", "WEB"]);
}
