//! A rolling upgrade, both ways round: payloads of a newer version meet older workers, and of an older one newer workers.

use std::collections::BTreeSet;

use serde_json::json;

use super::lanes;
use crate::{
    harness::{Version, cluster_only, wait_until},
    team::Team,
};

const API: usize = 0;
const WORKERS: [usize; 2] = [1, 2];

#[tokio::test]
async fn what_needs_a_newer_worker_waits_for_one_without_an_attempt() {
    if cluster_only() {
        return;
    }
    let mut team = Team::new().await;
    team.server.replace(API, Version::Next).await;
    team.server.ready().await;
    let mut waiting = Vec::new();
    for title in ["First", "Second"] {
        let body = json!({"project": "WEB", "title": title});
        let reply = team.owner.api.post(&team.at("/tasks"), &body).respond_async().await.is(202);
        waiting.push(reply.str("id"));
    }
    let mut times = BTreeSet::new();
    let mut mark = String::new();
    while times.len() < 3 {
        let (until, said) = wait_until("it is handed back", || async {
            let (until, mark) = team.server.handed_back(&waiting[0], &team.id).await;
            (!until.is_empty() && !times.contains(&until)).then_some((until, mark))
        })
        .await;
        times.insert(until);
        mark = said;
    }
    assert_eq!(mark, "", "a hand-back leaves no mark: no attempt, no failure");
    for id in &waiting {
        let reply = team.owner.api.get(&format!("/operations/{id}")).await.is(200);
        assert_eq!(reply["status"], "accepted", "no worker knows this version: {reply:?}");
    }

    team.server.replace(WORKERS[0], Version::Next).await;
    for (id, key) in waiting.iter().zip(["WEB-1", "WEB-2"]) {
        let applied = wait_until("the newer worker has done it", || async {
            let reply = team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await;
            (reply["status"] == "applied").then_some(reply)
        });
        assert_eq!(applied.await["result"]["key"], key, "in the order of acceptance");
    }

    // Back again: an older API before workers of both versions, then before newer ones only.
    team.server.replace(API, Version::This).await;
    team.server.ready().await;
    team.task("Third").await;
    team.server.replace(WORKERS[1], Version::Next).await;
    team.server.ready().await;
    let fourth = team.task("Fourth").await;
    assert_eq!(fourth["key"], "WEB-4");
    lanes::are_empty(&mut team.server).await;
    assert_eq!(team.server.stop().await, Some(0));
}
