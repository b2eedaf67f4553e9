//! The lanes over HTTP, for who has the token of the settings: the same as `fairy lanes`, and not there without one.

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    harness::{Launch, wait_until},
    team::Team,
};

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

async fn team() -> (Team, Api) {
    let team = Team::launch(Launch::new().set("ADMIN__TOKEN", TOKEN)).await;
    let operator = Api::new(&team.server.url()).with_token(TOKEN);
    (team, operator)
}

async fn lane(operator: &Api, name: &str) -> Value {
    let lanes = operator.get("/admin/lanes").await.is(200);
    let lanes = lanes["items"].as_array().unwrap().clone();
    lanes.into_iter().find(|lane| lane["name"] == name).expect("the lane is listed")
}

async fn ended(team: &Team, id: &str) -> Reply {
    team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await.is(200)
}

/// Pauses the lane of operations, accepts one that makes a task of each title, and returns their ids.
async fn accepted(team: &Team, operator: &Api, titles: &[&str]) -> Vec<String> {
    operator.post("/admin/lanes/operations/pause", &json!({"by": "ada"})).await.is(204);
    let mut ids = Vec::new();
    for title in titles {
        let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": title}));
        ids.push(create.respond_async().await.is(202).str("id"));
    }
    ids
}

#[tokio::test]
async fn without_a_token_in_the_settings_there_is_nothing() {
    let team = Team::new().await;
    for api in [team.owner.api.clone(), team.owner.api.stranger(), team.owner.token(&["admin"]).await] {
        api.get("/admin/lanes").await.problem(404, "not-found");
        api.post("/admin/lanes/operations/pause", &json!({})).await.problem(404, "not-found");
    }
    let short = Launch::new().set("ADMIN__TOKEN", "short");
    let refused = short.fails().await.refused();
    assert!(refused.contains("FAIRY__ADMIN__TOKEN") && refused.contains("at least 32"), "{refused}");
}

#[tokio::test]
async fn guesses_are_refused_and_then_slowed_down() {
    let (team, operator) = team().await;
    let guess = Api::new(&team.server.url()).with_token("0123456789abcdef0123456789abcdeg");
    for api in [&guess, &operator.stranger(), &team.owner.api] {
        api.get("/admin/lanes").await.problem(401, "unauthenticated");
        api.post("/admin/lanes/operations/pause", &json!({})).await.problem(401, "unauthenticated");
    }
    team.owner.token(&["admin"]).await.get("/admin/lanes").await.problem(401, "unauthenticated");
    operator.get("/admin/lanes").await.is(200);
    operator.get("/me").await.problem(401, "unauthenticated");
    let slowed = wait_until("guesses are slowed down", || async {
        let reply = guess.get("/admin/lanes").await;
        assert!([401, 429].contains(&reply.status), "{reply:?}");
        (reply.status == 429).then_some(reply)
    });
    assert!(slowed.await.header("Retry-After").is_some());
    operator.get("/admin/lanes").await.is(200);
    team.owner.api.get("/me").await.is(200);
}

#[tokio::test]
async fn a_lane_is_paused_watched_and_resumed_and_it_is_known_by_whom() {
    let (team, operator) = team().await;
    let ids = accepted(&team, &operator, &["One", "Two"]).await;
    let paused = lane(&operator, "operations").await;
    assert_eq!((&paused["paused"], &paused["waiting"]), (&json!(true), &json!(2)), "{paused}");
    assert!(paused["oldest_seconds"].is_u64(), "{paused}");
    assert_eq!(lane(&operator, "record").await["paused"], false);
    operator.post("/admin/lanes/operations/resume", &json!({})).await.is(204);
    for id in &ids {
        assert_eq!(ended(&team, id).await["status"], "applied");
    }
    let group = json!({"group": team.id, "by": "Mina"});
    operator.post("/admin/lanes/operations/pause", &group).await.is(204);
    assert_eq!(lane(&operator, "operations").await["paused_groups"], 1);
    operator.post("/admin/lanes/operations/resume", &group).await.is(204);
    let audit = operator.get("/admin/lanes/audit?limit=4").await.is(200);
    let told =
        |entry: &Value| format!("{} {}", entry["by"].as_str().unwrap(), entry["action"].as_str().unwrap());
    let told: Vec<String> = audit["items"].as_array().unwrap().iter().map(told).collect();
    let expected =
        ["admin API, Mina resume", "admin API, Mina pause", "admin API resume", "admin API, ada pause"];
    assert_eq!(told, expected);
    assert_eq!(audit["items"][0]["subject"], team.id.as_str());
}

#[tokio::test]
async fn dead_letters_are_listed_tried_again_and_discarded() {
    let (mut team, operator) = team().await;
    let ids = accepted(&team, &operator, &["spoilt", "doomed", "well"]).await;
    team.server.kill().await;
    team.server.spoil_job(&ids[0]).await;
    team.server.doom_job(&ids[1]).await;
    team.server.start().await;
    operator.post("/admin/lanes/operations/resume", &json!({})).await.is(204);
    for (id, status) in ids.iter().zip(["failed", "failed", "applied"]) {
        assert_eq!(ended(&team, id).await["status"], status);
    }
    wait_until("both are buried", || async {
        (lane(&operator, "operations").await["dead"] == 2).then_some(())
    })
    .await;
    let first = operator.get("/admin/lanes/operations/dead?limit=1").await.is(200);
    assert_eq!((&first["items"][0]["key"], &first["items"][0]["payload"]), (&json!(ids[0]), &Value::Null));
    let next = first["next"].as_str().expect("there is more");
    let path = format!("/admin/lanes/operations/dead?limit=1&payload=true&cursor={next}");
    let second = operator.get(&path).await.is(200);
    assert_eq!((&second["items"][0]["key"], &second["next"]), (&json!(ids[1]), &Value::Null));
    assert!(second["items"][0]["payload"].as_str().is_some_and(|text| text.contains("doomed")), "{second:?}");

    // A retry of a failed operation is another operation, and what cannot be read cannot be tried again.
    let retry = operator.post("/admin/lanes/operations/dead/retry", &json!({"oldest": 500})).await.is(200);
    let unread =
        json!([{"job": first["items"][0]["job"], "reason": "its payload cannot be read as an operation"}]);
    assert_eq!(retry["left"], unread);
    let again = retry["done"][0]["operation"].as_str().expect("a new operation");
    assert_eq!((&retry["done"][0]["job"], again == ids[1]), (&second["items"][0]["job"], false));
    assert_eq!(ended(&team, again).await["status"], "applied");
    assert_eq!(ended(&team, &ids[1]).await["status"], "failed", "that was told");

    let jobs = json!({"jobs": [first["items"][0]["job"], "17"], "by": "Mina"});
    let gone = operator.post("/admin/lanes/operations/dead/discard", &jobs).await.is(200);
    assert_eq!(gone["done"], json!([{"job": first["items"][0]["job"], "operation": null}]));
    assert_eq!(gone["left"][0]["job"], "17");
    assert_eq!(lane(&operator, "operations").await["dead"], 0);
    let audit = operator.get("/admin/lanes/audit?limit=2").await.is(200);
    assert_eq!(audit["items"][0]["by"], "admin API, Mina");
    assert_eq!(audit["items"][1]["by"], format!("admin API, for {again}"));
}

#[tokio::test]
async fn what_makes_no_sense_is_said() {
    let (_team, operator) = team().await;
    operator.get("/admin/lanes/nowhere/dead").await.problem(404, "not-found");
    operator.post("/admin/lanes/nowhere/pause", &json!({})).await.problem(404, "not-found");
    operator.get("/admin/lanes/record/dead?payload=perhaps").await.invalid("payload");
    let discard = |body: Value| {
        let operator = operator.clone();
        async move { operator.post("/admin/lanes/record/dead/discard", &body).await }
    };
    discard(json!({})).await.invalid("jobs");
    discard(json!({"jobs": []})).await.invalid("jobs");
    discard(json!({"jobs": ["1"], "oldest": 1})).await.invalid("oldest");
    discard(json!({"oldest": 501})).await.invalid("oldest");
    discard(json!({"oldest": 1, "by": "\u{202e}"})).await.invalid("by");
    let nothing = discard(json!({"oldest": 1})).await.is(200);
    assert_eq!((&nothing["done"], &nothing["left"]), (&json!([]), &json!([])));
}
