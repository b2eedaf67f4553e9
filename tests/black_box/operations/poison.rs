//! An operation that cannot be applied at all: it is given up alone, its outcome says so, and its neighbours go on.

use serde_json::json;
use sqlx::Connection as _;

use crate::{client::Reply, team::Team};

async fn ended(team: &Team, id: &str) -> Reply {
    team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await.is(200)
}

#[tokio::test]
async fn what_cannot_be_read_is_buried_with_an_outcome_and_holds_nobody_up() {
    let mut team = Team::new().await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let mut ids = Vec::new();
    for title in ["before", "poison", "after"] {
        let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": title}));
        ids.push(create.key(title).respond_async().await.is(202).str("id"));
    }
    team.server.kill().await;
    // No client can make such a job; a disk or a newer version that was rolled back can.
    let url = format!("sqlite://{}", team.server.data().join("queue.db").display());
    let mut jobs = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let text = "UPDATE jobs SET payload = x'7b2278' WHERE unique_key LIKE '%' || ?";
    let broken = sqlx::query(text).bind(ids[1].trim_start_matches("op_")).execute(&mut jobs).await.unwrap();
    assert_eq!(broken.rows_affected(), 1);
    jobs.close().await.unwrap();
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    for (id, status) in ids.iter().zip(["applied", "failed", "applied"]) {
        assert_eq!(ended(&team, id).await["status"], status);
    }
    let failed = ended(&team, &ids[1]).await;
    assert!(
        failed["problem"]["type"].as_str().is_some_and(|t| t.ends_with("#operation-failed")),
        "{failed:?}"
    );
    assert_eq!(ended(&team, &ids[2]).await["result"]["key"], "WEB-2", "what failed took no number");
    assert!(team.changes_of(&ids[1]).await.is_empty());
    let letters = team.server.beside(&["lanes", "dead", "operations"]).await.succeeded();
    assert!(letters.contains(&team.id) && letters.lines().count() == 2, "{letters}");
    // `failed` is final: a repeat is told so, and putting the job back changes nothing.
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "poison"}));
    create.key("poison").await.problem(500, "operation-failed");
    team.server.beside(&["lanes", "retry", "operations", "--all"]).await.succeeded();
    assert_eq!(ended(&team, &ids[1]).await["status"], "failed");
    team.task("Goes on").await;
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 3);
}
