//! The live stream of changes.

use serde_json::json;

use super::events::{Events, call};
use crate::team::Team;

#[tokio::test]
async fn what_happened_comes_first_and_then_what_happens() {
    let team = Team::new().await;
    let path = team.at("/changes");
    let mut events = Events::open(call(&team.owner.api, &path)).await;
    let before = events.take(2).await;
    assert_eq!(before.iter().map(|e| e.id.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    team.task("Live").await;
    let event = events.take(1).await.remove(0);
    assert_eq!((event.id.as_str(), event.name.as_str()), ("3", "task.created"));
    assert_eq!(event.data, team.changes().await[2]);
}

#[tokio::test]
async fn a_stream_resumes_where_the_client_was() {
    let team = Team::new().await;
    for number in 0..5 {
        team.task(&format!("t{number}")).await;
    }
    let path = team.at("/changes?after=2");
    let mut events = Events::open(call(&team.owner.api, &path)).await;
    assert_eq!(events.next().await.unwrap().id, "3");
    drop(events);
    let resumed = call(&team.owner.api, &path).header("Last-Event-ID", "6");
    assert_eq!(Events::open(resumed).await.next().await.unwrap().id, "7", "Last-Event-ID beats after");
    call(&team.owner.api, &path).header("Last-Event-ID", "x").await.problem(400, "malformed-request");
    let beyond = call(&team.owner.api, &path).header("Last-Event-ID", "9").await.problem(409, "conflict");
    assert!(beyond.str("detail").contains("no change 9"), "{beyond:?}");
}

#[tokio::test]
async fn a_stream_survives_more_changes_than_one_page_and_misses_none() {
    let team = Team::new().await;
    let mut events = Events::open(call(&team.owner.api, &team.at("/changes?after=2"))).await;
    let items: Vec<_> = (0..500).map(|n| json!({"project": "WEB", "title": format!("t{n}")})).collect();
    for _ in 0..2 {
        team.owner.api.post(&team.at("/tasks/batch"), &json!({"items": items})).await.is(202);
    }
    let seen = events.take(1_000).await;
    let ids: Vec<u64> = seen.iter().map(|e| e.id.parse().unwrap()).collect();
    assert_eq!(ids, (3..=1_002).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_stream_ends_with_the_session() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let mut events = Events::open(call(&mina.api, &team.at("/changes"))).await;
    events.take(2).await;
    let session = mina.api.get("/me/sessions").await["items"][0]["id"].as_str().unwrap().to_owned();
    mina.api.delete(&format!("/me/sessions/{session}")).await.is(204);
    events.ended().await;
}

#[tokio::test]
async fn a_stream_ends_with_the_membership() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let mut events = Events::open(call(&mina.api, &team.at("/changes"))).await;
    events.take(2).await;
    team.owner.api.delete(&team.at(&format!("/members/{}", mina.id))).await.is(204);
    events.ended().await;
    call(&mina.api, &team.at("/changes")).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_stream_ends_when_the_server_stops_and_does_not_hold_it() {
    let mut team = Team::new().await;
    let events = Events::open(call(&team.owner.api, &team.at("/changes"))).await;
    let (code, ()) = tokio::join!(team.server.stop(), events.ended());
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn a_quiet_stream_says_every_quarter_of_a_minute_that_it_lives() {
    let team = Team::new().await;
    let mut events = Events::open(call(&team.owner.api, &team.at("/changes"))).await;
    events.take(2).await;
    let took = events.heartbeat().await;
    assert!((5..25).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn who_accepts_neither_form_is_told() {
    let team = Team::new().await;
    let reply = team.owner.api.get(&team.at("/changes")).header("Accept", "image/png").await;
    reply.problem(406, "not-acceptable");
    team.owner
        .api
        .stranger()
        .get(&team.at("/changes"))
        .header("Accept", "text/event-stream")
        .await
        .problem(401, "unauthenticated");
}
