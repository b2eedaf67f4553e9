//! Stopping: in-flight work ends, what was accepted is kept, the exit code is 0.

use futures::future::join_all;
use rustix::process::Signal;
use serde_json::json;

use crate::{
    harness::{Server, wait_until},
    team::Team,
};

#[tokio::test]
async fn a_server_that_is_told_to_stop_stops_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::new().await;
        server.signal(signal);
        assert_eq!(server.ended().await, Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn waited_creates_in_flight_are_answered_and_nothing_is_lost() {
    let mut team = Team::new().await;
    let api = team.owner.api.clone();
    let path = team.at("/tasks");
    let create = |n: u32| {
        let body = json!({"project": "WEB", "title": format!("t{n}")});
        api.post(&path, &body).key(&format!("k{n}"))
    };
    let load = join_all((0..200).map(|n| create(n).attempt()));
    let (replies, code) = tokio::join!(load, async {
        wait_until("work is under way", || async {
            let first = api.get(&path).await;
            first["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
        })
        .await;
        team.server.stop().await
    });
    assert_eq!(code, Some(0));
    let mut accepted = Vec::new();
    for reply in replies.iter().flatten() {
        match reply.status {
            201 | 202 => accepted.push(reply.header("Operation-Id").expect("an id").to_owned()),
            503 => {}
            _ => panic!("{reply:?}"),
        }
    }
    assert!(!accepted.is_empty());
    team.server.start().await;
    for operation in accepted {
        let ended = api.get(&format!("/operations/{operation}")).header("Prefer", "wait=30").await.is(200);
        assert_eq!(ended["status"], "applied", "{ended:?}");
    }
    for n in 0..200 {
        create(n).await.is(201);
    }
    let tasks = api.all(&path).await;
    assert_eq!(tasks.len(), 200);
}

#[tokio::test]
async fn what_waits_in_a_paused_lane_does_not_hold_the_stop() {
    let mut team = Team::new().await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Waits"}));
    let (reply, ()) = tokio::join!(create.header("Prefer", "wait=60").attempt(), async {
        wait_until("the operation is in the lane", || async {
            let lanes = team.server.beside(&["lanes", "list"]).await.succeeded();
            let line = lanes.lines().find(|l| l.contains("operations")).unwrap_or_default().to_owned();
            line.split_whitespace().any(|word| word == "1").then_some(())
        })
        .await;
        team.server.signal(Signal::TERM);
    });
    assert_eq!(team.server.ended().await, Some(0));
    let reply = reply.expect("a request in flight is answered").is(202);
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let path = format!("/operations/{}", reply.str("id"));
    let ended = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "applied");
}

#[tokio::test]
async fn readiness_ends_before_the_server_does() {
    let team = Team::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let answer = http.get(format!("{}{path}", team.server.admin_url())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let metrics =
        http.get(format!("{}/metrics", team.server.admin_url())).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("lane=\"operations\""), "{metrics}");
    for path in ["/", "/v1/me", "/docs"] {
        let answer = http.get(format!("{}{path}", team.server.admin_url())).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    let answer = team.owner.api.page("/metrics").await;
    assert_eq!(answer.status, 404, "the public address shows the metrics");
}
