//! `fairy worker --lanes`: processes that work a part of the lanes each.

use serde_json::json;

use crate::{
    harness::{Launch, cluster_only, wait_until},
    team::Team,
};

const APPLIES: usize = 1;
const TELLS: usize = 2;

#[tokio::test]
async fn workers_can_divide_the_lanes_among_them() {
    if cluster_only() {
        return;
    }
    let parts = &["api", "worker --lanes operations", "worker --lanes record,publish,notify,deliver"];
    let mut team = Team::launch(Launch::new().made_of(parts)).await;
    let mina = team.member("Mina", "member").await;
    team.server.process(TELLS).suspend().await;
    let fields = json!({"title": "Hers", "assignees": [mina.id]});
    team.task_with(fields).await;
    let untold = |team: &Team| !team.letters().iter().any(|l| l.to == mina.email && l.notice.is_some());
    assert!(untold(&team), "nobody is there who would tell her");
    team.server.process(TELLS).resume();
    team.letter("she is told", |l| l.to == mina.email && l.notice.is_some()).await;

    team.server.process(APPLIES).suspend().await;
    let body = json!({"project": "WEB", "title": "Waits"});
    let waits = team.owner.api.post(&team.at("/tasks"), &body).header("Prefer", "wait=1").await.is(202);
    team.server.process(APPLIES).resume();
    let path = format!("/operations/{}", waits.str("id"));
    wait_until("it is applied", || async {
        let reply = team.owner.api.get(&path).header("Prefer", "wait=30").await;
        (reply["status"] == "applied").then_some(())
    })
    .await;
    assert_eq!(team.server.stop().await, Some(0));
}
