//! Bodies that are no JSON, of the wrong type, too large, or name what is not there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::team::Team;

/// The server still works, and nothing was made.
async fn unharmed(team: &Team) {
    assert!(team.owner.api.all(&team.at("/tasks")).await.is_empty());
    team.task("Still here").await;
}

#[tokio::test]
async fn what_is_no_json_is_malformed() {
    let team = Team::new().await;
    let deep = "[".repeat(100_000);
    for body in
        ["", "{", "{\"title\": }", "[1,2", "nonsense", "{\"title\":\"\u{1}\"}", "\u{feff}{}", &deep, "{} {}"]
    {
        let call =
            team.owner.api.call(&Method::POST, &team.at("/tasks")).raw("application/json", body.to_owned());
        let reply = call.await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{body:.40}: {reply:?}");
    }
    let call = team.owner.api.call(&Method::POST, &team.at("/tasks"));
    call.raw("application/json", vec![b'{', b'"', 0xff, 0xfe, b'"', b'}'])
        .await
        .problem(400, "malformed-request");
    unharmed(&team).await;
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let team = Team::new().await;
    let body = r#"{"project":"WEB","title":"x"}"#;
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"]
    {
        let call = team.owner.api.call(&Method::POST, &team.at("/tasks")).raw(kind, body);
        call.await.problem(415, "unsupported-media-type");
    }
    unharmed(&team).await;
    let call = team.owner.api.call(&Method::POST, &team.at("/tasks"));
    call.raw("Application/JSON; charset=utf-8", body).await.is(201);
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_and_named() {
    let team = Team::new().await;
    let values = [
        json!(7),
        json!(true),
        json!([]),
        json!({}),
        json!(1.5),
        json!("nonsense"),
        json!([7]),
        json!([null]),
    ];
    for field in ["project", "title", "body", "assignees", "due", "priority", "labels", "progress", "status"]
    {
        for value in &values {
            let fits = match field {
                "title" | "body" => value.is_string(),
                "assignees" | "labels" => *value == json!([]),
                "progress" => *value == json!(7),
                _ => false,
            };
            if fits || (field == "labels" && *value == json!("nonsense")) {
                continue;
            }
            let mut body = json!({"project": "WEB", "title": "x"});
            body[field] = value.clone();
            let reply = team.owner.api.post(&team.at("/tasks"), &body).await.any_problem();
            assert!(matches!(reply.status, 400 | 422), "{body}: {reply:?}");
            assert!(reply.text.contains(field), "{body}: does not name the field: {reply:?}");
        }
    }
    for body in [json!(null), json!([]), json!("x"), json!(7)] {
        let reply = team.owner.api.post(&team.at("/tasks"), &body).await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{body}: {reply:?}");
    }
    unharmed(&team).await;
}

#[tokio::test]
async fn fields_that_are_not_known_are_refused() {
    let team = Team::new().await;
    let body = json!({"project": "WEB", "title": "x", "assignes": []});
    let reply = team.owner.api.post(&team.at("/tasks"), &body).await.any_problem();
    assert!(matches!(reply.status, 400 | 422) && reply.text.contains("assignes"), "{reply:?}");
    unharmed(&team).await;
}

#[tokio::test]
async fn projects_and_members_that_are_not_there_are_named() {
    let team = Team::new().await;
    let stranger = crate::team::Person::sign_up(&team.server.url(), "Stranger").await;
    let create = |body: Value| team.owner.api.post(&team.at("/tasks"), &body);
    create(json!({"project": "NONE", "title": "x"})).await.invalid("project");
    create(json!({"project": "prj_01ARZ3NDEKTSV4RRFFQ69G5FAV", "title": "x"})).await.invalid("project");
    create(json!({"project": "WEB", "title": "x", "assignees": [stranger.id]})).await.invalid("assignees");
    let reply = create(json!({"project": "WEB", "title": "x", "assignees": ["usr_x"]})).await.any_problem();
    assert!(reply.text.contains("assignees"), "{reply:?}");
    let many: Vec<_> = (0..51).map(|n| format!("l{n}")).collect();
    create(json!({"project": "WEB", "title": "x", "labels": many})).await.invalid("labels");
    let huge: Vec<_> = (0..20_000).map(|n| format!("l{n}")).collect();
    let reply = create(json!({"project": "WEB", "title": "x", "labels": huge})).await.any_problem();
    assert!(matches!(reply.status, 400 | 413 | 422), "{reply:?}");
    unharmed(&team).await;
}

#[tokio::test]
async fn a_title_of_ten_megabytes_is_too_large_and_is_not_read_to_its_end() {
    let team = Team::new().await;
    let body = format!(r#"{{"project":"WEB","title":"{}"}}"#, "x".repeat(10 << 20));
    let call = team.owner.api.call(&Method::POST, &team.at("/tasks")).raw("application/json", body);
    // A server that answers and closes while we still send may cut us off before we have read the answer.
    match call.attempt().await {
        Ok(reply) => drop(reply.problem(413, "body-too-large")),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error:?}"),
    }
    let body = json!({"project": "WEB", "title": "x".repeat(500_000)});
    team.owner.api.post(&team.at("/tasks"), &body).await.invalid("title");
    unharmed(&team).await;
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_problems_too() {
    let team = Team::new().await;
    let api = &team.owner.api;
    api.get("/nothing").await.problem(404, "not-found");
    api.page("/nothing").await.is(404);
    api.call(&Method::PUT, &team.at("/tasks")).await.problem(405, "method-not-allowed");
    for ws in ["wsp_x", "..", "%00", "%F0%9F%A6%8A", "wsp_01ARZ3NDEKTSV4RRFFQ69G5FAV", &"w".repeat(5_000)] {
        let reply = api.get(&format!("/workspaces/{ws}/tasks")).await.any_problem();
        assert!(matches!(reply.status, 400 | 404 | 414 | 422), "{ws:.40}: {reply:?}");
    }
    for task in ["WEB-0", "WEB-", "WEB-01", "WEB-99999999999999999999", "tsk_x", "%2e%2e", "a%0ab"] {
        let reply = api.get(&team.at(&format!("/tasks/{task}"))).await.any_problem();
        assert!(matches!(reply.status, 400 | 404 | 422), "{task}: {reply:?}");
    }
    unharmed(&team).await;
}
