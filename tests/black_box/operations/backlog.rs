//! The cap on a backlog, and that a flood in one workspace delays no other.

use serde_json::json;

use crate::{
    harness::wait_until,
    team::{Team, workspace},
};

#[tokio::test]
async fn a_backlog_has_a_cap_and_nothing_of_it_is_lost() {
    let team = Team::new().await;
    let (second, _) = workspace(&team.owner, "Second").await;
    let project = json!({"key": "WEB", "name": "Web"});
    team.owner.api.post(&format!("/workspaces/{second}/projects"), &project).await.is(201);
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let items: Vec<_> = (0..500).map(|n| json!({"project": "WEB", "title": format!("t{n}")})).collect();
    let mut last = String::new();
    for _ in 0..20 {
        let reply = team.owner.api.post(&team.at("/tasks/batch"), &json!({"items": items})).await.is(202);
        last = reply["operations"][499]["id"].as_str().expect("500 operations").to_owned();
    }
    let one = json!({"project": "WEB", "title": "one too many"});
    let full =
        team.owner.api.post(&team.at("/tasks"), &one).respond_async().await.problem(429, "backlog-full");
    assert!(full.header("Retry-After").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0)), "{full:?}");
    // Another workspace has a backlog of its own, and its turn comes before the first has had all of its own.
    let reply =
        team.owner.api.post(&format!("/workspaces/{second}/tasks"), &one).respond_async().await.is(202);
    let operation = reply.str("id");
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let ended = async |id: &str| {
        wait_until("the operation has ended", || async {
            let operation =
                team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=60").await.is(200);
            (operation["status"] != "accepted").then_some(operation)
        })
        .await
    };
    let (other, flood) = (ended(&operation).await, ended(&last).await);
    assert_eq!((&other["status"], &flood["status"]), (&json!("applied"), &json!("applied")));
    assert!(
        other.str("finished_at") < flood.str("finished_at"),
        "the other workspace waited for all of the flood"
    );
    assert_eq!(flood["result"]["key"], "WEB-10000");
}
