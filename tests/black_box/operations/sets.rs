//! Assignees, labels and watchers one by one, for callers that must not overwrite each other's sets.

use futures::future::join_all;
use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn people_and_labels_are_added_and_taken_away_one_by_one() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    let at = |rest: &str| format!("{path}/{rest}");
    for rest in [
        format!("assignees/{}", mina.id),
        "labels/Bug".into(),
        format!("watchers/{}", mina.id),
        "watchers/me".into(),
    ] {
        let reply = team.owner.api.put(&at(&rest)).await.is(204);
        assert!(reply.header("Operation-Id").is_some());
        team.owner.api.put(&at(&rest)).await.is(204);
    }
    let task = team.owner.api.get(&path).await;
    assert_eq!(task["assignees"], json!([{"id": mina.id, "name": "Mina", "active": true}]), "{task:?}");
    assert_eq!(task["labels"], json!(["bug"]));
    assert_eq!(task["watchers"].as_array().unwrap().len(), 2);
    assert_eq!(task["version"], 5, "repeats make no version");
    for rest in [format!("assignees/{}", mina.id), "labels/BUG".into(), "watchers/me".into()] {
        team.owner.api.delete(&at(&rest)).await.is(204);
        team.owner.api.delete(&at(&rest)).await.is(204);
    }
    let task = team.owner.api.get(&path).await;
    assert_eq!((&task["assignees"], &task["labels"]), (&json!([]), &json!([])));
    assert_eq!(task["watchers"], json!([mina.id]));
}

#[tokio::test]
async fn adding_at_the_same_time_loses_nothing() {
    let team = Team::new().await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    let puts = (0..30).map(|n| team.owner.api.put(&format!("{path}/labels/l{n}")).into_future());
    for reply in join_all(puts).await {
        reply.is(204);
    }
    assert_eq!(team.owner.api.get(&path).await["labels"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn only_members_are_assigned_or_watch() {
    let team = Team::new().await;
    let stranger = crate::team::Person::sign_up(&team.server.url(), "Stranger").await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    for rest in ["assignees", "watchers"] {
        team.owner.api.put(&format!("{path}/{rest}/{}", stranger.id)).await.problem(422, "invalid");
        let reply = team.owner.api.put(&format!("{path}/{rest}/usr_nobody")).await.any_problem();
        assert!(matches!(reply.status, 400 | 404 | 422), "{reply:?}");
    }
    team.owner.api.put(&format!("{path}/labels/{}", "x".repeat(51))).await.any_problem();
    team.owner.api.put(&format!("{path}/labels/a%2Cb")).await.any_problem();
    team.owner.api.put(&format!("{path}/labels/%EC%A7%80%EB%AF%BC")).await.is(204);
    assert_eq!(team.owner.api.get(&path).await["labels"], json!(["지민"]));
}
