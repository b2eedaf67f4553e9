//! The activity log equals the feed.

use serde_json::{Value, json};

use crate::{harness::wait_until, team::Team};

/// Waits until the log has caught up with the feed; the whole log, oldest first.
async fn log(team: &Team) -> Vec<Value> {
    let seq = team.seq().await;
    wait_until("the activity log has caught up", || async {
        let newest = team.owner.api.get(&team.at("/activity?limit=1")).await.is(200);
        (newest["items"][0]["seq"] == seq).then_some(())
    })
    .await;
    let mut all = team.owner.api.all(&team.at("/activity")).await;
    all.reverse();
    all
}

#[tokio::test]
async fn the_log_tells_what_the_feed_tells() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task("One").await;
    team.task("Two").await;
    mina.api.patch(&team.at("/tasks/WEB-1"), &json!({"status": "done"})).await.is(200);
    mina.api.post(&team.at("/tasks/WEB-2/comments"), &json!({"body": "hello"})).await.is(201);
    team.owner.api.delete(&team.at("/tasks/WEB-2")).await.is(204);
    let log = log(&team).await;
    assert_eq!(log, team.changes().await);
    let about = team.owner.api.all(&team.at("/tasks/WEB-1/activity")).await;
    let kinds: Vec<_> = about.iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["task.status_changed", "task.created"], "newest first");
    let hers = team.owner.api.all(&team.at(&format!("/activity?actor={}", mina.id))).await;
    assert!(hers.len() >= 3 && hers.iter().all(|c| c["actor"]["id"] == mina.id.as_str()), "{hers:#?}");
    assert_eq!(mina.api.all(&team.at("/activity?actor=me")).await, hers);
    mina.api.get(&team.at("/activity?actor=none")).await.invalid("actor");
    let since = log[log.len() - 2]["at"].as_str().unwrap();
    let recent = team.owner.api.all(&team.at(&format!("/activity?since={since}"))).await;
    assert!((2..log.len()).contains(&recent.len()), "{recent:#?}");
}

#[tokio::test]
async fn a_kill_between_commit_and_record_leaves_no_hole() {
    let mut team = Team::new().await;
    team.server.beside(&["lanes", "pause", "record"]).await.succeeded();
    for number in 0..10 {
        team.task(&format!("t{number}")).await;
    }
    assert_ne!(team.owner.api.get(&team.at("/activity?limit=1")).await["items"][0]["seq"], team.seq().await);
    team.server.kill().await;
    // Even the hints are gone: what is not recorded is found from the rows.
    team.server.lose_lanes().await;
    team.server.start().await;
    assert_eq!(log(&team).await, team.changes().await);
}
