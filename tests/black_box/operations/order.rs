//! One workspace's operations apply in the order in which they were accepted.

use serde_json::json;

use crate::{
    harness::wait_until,
    team::{Team, numbers},
};

#[tokio::test]
async fn what_one_client_sends_in_order_is_applied_in_order() {
    let team = Team::new().await;
    team.task("Counter").await;
    let path = team.at("/tasks/WEB-1");
    let mut last = String::new();
    for number in 1..=60 {
        let patch = team.owner.api.patch(&path, &json!({"title": format!("Counter {number}")}));
        last = patch.respond_async().await.is(202).str("id");
    }
    let ended = team.owner.api.get(&format!("/operations/{last}")).header("Prefer", "wait=30").await.is(200);
    assert_eq!((&ended["status"], &ended["result"]["title"]), (&json!("applied"), &json!("Counter 60")));
    let changes = team.changes().await;
    let titles: Vec<_> = changes
        .iter()
        .filter(|c| c["kind"] == "task.updated")
        .map(|c| c["fields"][0]["to"].clone())
        .collect();
    let expected: Vec<_> = (1..=60).map(|n| json!(format!("Counter {n}"))).collect();
    assert_eq!(titles, expected);
}

#[tokio::test]
async fn the_feed_is_numbered_without_gaps_whatever_happens_at_the_same_time() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let work = |api: crate::client::Api, name: &'static str| {
        let path = team.at("/tasks");
        async move {
            for number in 0..25 {
                api.post(&path, &json!({"project": "WEB", "title": format!("{name} {number}")}))
                    .await
                    .is(201);
            }
        }
    };
    let projects = async {
        for number in 0..10 {
            team.project(&format!("P{number}")).await;
        }
    };
    tokio::join!(
        work(team.owner.api.clone(), "a"),
        work(mina.api.clone(), "b"),
        work(mina.api.clone(), "c"),
        projects
    );
    let changes = team.changes().await;
    let seqs: Vec<_> = changes.iter().filter_map(|c| c["seq"].as_u64()).collect();
    assert_eq!(seqs, (1..=changes.len() as u64).collect::<Vec<_>>());
    let mut keys: Vec<u64> = numbers(&json!(
        changes
            .iter()
            .filter(|c| c["kind"] == "task.created")
            .map(|c| c["task"]["key"].as_str().unwrap()[4..].parse::<u64>().unwrap())
            .collect::<Vec<_>>()
    ));
    assert_eq!(keys, (1..=75).collect::<Vec<_>>(), "tasks are numbered in the order in which they were made");
    keys.dedup();
    assert_eq!(keys.len(), 75);
}

#[tokio::test]
async fn a_reader_can_wait_for_its_own_write() {
    let team = Team::new().await;
    team.task("One").await;
    let seq = team.seq().await;
    let list = team.owner.api.get(&team.at(&format!("/tasks?min_seq={seq}"))).await.is(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    // A read waits five seconds, which a create on a busy machine may take too: then it is asked again.
    let waiting = wait_until("the write is visible", || async {
        let start = tokio::time::Instant::now();
        let reply = team.owner.api.get(&team.at(&format!("/tasks?min_seq={}", seq + 1))).await;
        if reply.status != 200 {
            reply.problem(409, "conflict");
            assert!(start.elapsed().as_millis() >= 4_500, "it did not wait");
            return None;
        }
        Some(reply)
    });
    let (list, _) = tokio::join!(waiting, team.task("Two"));
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}
