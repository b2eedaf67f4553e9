//! Every operation of the API description refuses a stranger, and another workspace's member.
//!
//! The description is walked, so a new route is tested the day it is written. Routes that strangers or outsiders may
//! call stand in the golden lists below; a list that names too much or too little fails the test, and so does a route
//! that takes a body for which there is no sample.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Api, Call},
    harness::Launch,
    team::{Person, Team},
};

/// What somebody without an account may call.
const OPEN_TO_STRANGERS: &[&str] = &[
    "GET /v1/invitations/{code}",
    "POST /v1/auth/password-reset",
    "POST /v1/auth/password-reset/{code}",
    "POST /v1/auth/sign-in",
    "POST /v1/auth/sign-up",
    "POST /v1/auth/verify-email/{code}",
];

/// What anybody with an account may call, because it is about themselves or makes something of their own.
const ABOUT_ONESELF: &[&str] = &[
    "GET /v1/me",
    "GET /v1/me/sessions",
    "GET /v1/me/tokens",
    "GET /v1/workspaces",
    "PATCH /v1/me",
    "POST /v1/auth/sign-out",
    "POST /v1/invitations/{code}/accept",
    "POST /v1/me/password",
    "POST /v1/me/tokens",
    "POST /v1/me/verify-email",
    "POST /v1/workspaces",
];

/// A body that is accepted, for each route that takes one.
fn sample(route: &str) -> Option<Value> {
    Some(match route.split_once(' ')?.1 {
        "/v1/admin/lanes/{lane}/dead/retry" | "/v1/admin/lanes/{lane}/dead/discard" => json!({"oldest": 1}),
        "/v1/admin/lanes/{lane}/pause" | "/v1/admin/lanes/{lane}/resume" => json!({"by": "x"}),
        "/v1/workspaces/{ws}/invitations" => json!({"email": "new@example.com", "role": "viewer"}),
        "/v1/workspaces/{ws}/members/{user}" => json!({"role": "viewer"}),
        "/v1/workspaces/{ws}/projects" => json!({"key": "NEW", "name": "New"}),
        "/v1/workspaces/{ws}/tasks" => json!({"project": "WEB", "title": "x"}),
        "/v1/workspaces/{ws}/tasks/batch" => json!({"items": [{"project": "WEB", "title": "x"}]}),
        "/v1/workspaces/{ws}/tasks/{task}" => json!({"title": "x"}),
        "/v1/workspaces/{ws}/tasks/{task}/comments" => json!({"body": "x"}),
        "/v1/workspaces/{ws}/tasks/{task}/comments/{comment}" => json!({"body": "x"}),
        _ => return None,
    })
}

/// A workspace with one of everything that a path can name.
async fn things(team: &Team) -> BTreeMap<&'static str, String> {
    let task = team.task("One").await;
    let comment = team.owner.api.post(&team.at("/tasks/WEB-1/comments"), &json!({"body": "x"})).await.is(201);
    let projects = team.owner.api.all(&team.at("/projects")).await;
    let invitation = json!({"email": "guest@example.com", "role": "member"});
    let invitation = team.owner.api.post(&team.at("/invitations"), &invitation).await.is(201);
    let token = team.owner.api.post("/me/tokens", &json!({"name": "n", "scopes": ["read"]})).await.is(201);
    let session = team.owner.api.get("/me/sessions").await["items"][0]["id"].clone();
    BTreeMap::from([
        ("ws", team.id.clone()),
        ("task", task.str("id")),
        ("operation", task.header("Operation-Id").unwrap().to_owned()),
        ("comment", comment.str("id")),
        ("project", projects[0]["id"].as_str().unwrap().to_owned()),
        ("invitation", invitation.str("id")),
        ("token", token.str("id")),
        ("session", session.as_str().unwrap().to_owned()),
        ("user", team.owner.id.clone()),
        ("watcher", team.owner.id.clone()),
        ("label", "label".to_owned()),
        ("lane", "operations".to_owned()),
        ("code", "A".repeat(64)),
    ])
}

struct Route {
    name: String,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// All routes of the description, with the things of the workspace in their paths.
fn routes(spec: &Value, things: &BTreeMap<&'static str, String>) -> Vec<Route> {
    let mut routes = Vec::new();
    let base = spec["servers"][0]["url"].as_str().unwrap_or_default();
    let base = if base.ends_with("/v1") { "/v1" } else { "" };
    for (path, methods) in spec["paths"].as_object().expect("paths") {
        let path = format!("{base}{path}");
        for (method, operation) in methods.as_object().expect("methods") {
            let name = format!("{} {path}", method.to_uppercase());
            let known = OPEN_TO_STRANGERS.contains(&name.as_str()) || ABOUT_ONESELF.contains(&name.as_str());
            let takes_body = operation["requestBody"].is_object();
            let body = sample(&name).filter(|_| takes_body);
            assert!(!takes_body || known || body.is_some(), "{name} is new: give it a sample body");
            let filled = fill(&path, things);
            let method = method.to_uppercase().parse().expect("a method");
            routes.push(Route { name, method, path: filled, body });
        }
    }
    assert!(routes.len() >= 40, "the description lost its routes: {}", routes.len());
    routes
}

fn fill(path: &str, things: &BTreeMap<&'static str, String>) -> String {
    let mut filled = path.to_owned();
    while let Some((before, rest)) = filled.split_once('{') {
        let (name, after) = rest.split_once('}').expect("a closing brace");
        let thing = things
            .get(name)
            .unwrap_or_else(|| panic!("{path} names {{{name}}}, which this test does not know"));
        filled = format!("{before}{thing}{after}");
    }
    filled
}

fn call(api: &Api, route: &Route) -> Call {
    let path = route.path.strip_prefix("/v1").unwrap_or_else(|| panic!("{} is not under /v1", route.name));
    let call = api.call(&route.method, path);
    match &route.body {
        Some(body) => call.json(body),
        None => call,
    }
}

async fn walk(team: &Team) -> Vec<Route> {
    let spec = team.owner.api.page("/openapi.json").await.is(200).body;
    routes(&spec, &things(team).await)
}

fn golden(lists: &[&[&'static str]]) -> BTreeSet<&'static str> {
    lists.iter().flat_map(|list| list.iter().copied()).collect()
}

#[tokio::test]
async fn every_operation_refuses_a_stranger() {
    // Without the setting there is nothing for operators to find, for anybody; see `lanes_api`.
    let token = "0123456789abcdef0123456789abcdef";
    let team = Team::launch(Launch::new().set("ADMIN__TOKEN", token)).await;
    let mut open = BTreeSet::new();
    let routes = walk(&team).await;
    for route in &routes {
        let reply = call(&team.owner.api.stranger(), route).await;
        if reply.status == 401 && reply.body["type"].as_str().is_some_and(|t| t.ends_with("#unauthenticated"))
        {
            continue;
        }
        open.insert(route.name.as_str());
        assert!(reply.status < 500, "{}: {reply:?}", route.name);
    }
    assert_eq!(open, golden(&[OPEN_TO_STRANGERS]));
}

#[tokio::test]
async fn every_operation_hides_a_workspace_from_a_member_of_another() {
    let team = Team::new().await;
    let outsider = Person::sign_up(&team.server.url(), "Outsider").await;
    crate::team::workspace(&outsider, "Elsewhere").await;
    let routes = walk(&team).await;
    let before = team.changes().await;
    // Once as the browser and once as a program: rights are those of the person in both.
    for api in [outsider.api.clone(), outsider.token(&["admin"]).await] {
        let mut open = BTreeSet::new();
        for route in &routes {
            if golden(&[OPEN_TO_STRANGERS, ABOUT_ONESELF]).contains(route.name.as_str()) {
                continue;
            }
            let reply = call(&api, route).await;
            // Sessions, tokens and passwords are for browsers; a program is told so before anything is looked up.
            let for_browsers = route.name.contains("/v1/me/") && reply.status == 403;
            if reply.status != 404 && !for_browsers {
                open.insert(format!("{} answered {}", route.name, reply.status));
            }
        }
        assert!(open.is_empty(), "{open:#?}");
    }
    assert_eq!(team.changes().await, before);
}

#[tokio::test]
async fn what_is_about_oneself_answers_each_their_own() {
    let team = Team::new().await;
    let outsider = Person::sign_up(&team.server.url(), "Outsider").await;
    let routes = walk(&team).await;
    let names: BTreeSet<_> = routes.iter().map(|r| r.name.as_str()).collect();
    for name in golden(&[OPEN_TO_STRANGERS, ABOUT_ONESELF]) {
        assert!(names.contains(name), "{name} is in a golden list, but there is no such route");
    }
    assert_eq!(outsider.api.get("/me").await.is(200)["user"]["id"], outsider.id.as_str());
    assert!(outsider.api.all("/workspaces").await.is_empty());
    assert!(outsider.api.all("/me/tokens").await.is_empty());
    let sessions = outsider.api.get("/me/sessions").await.is(200);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
}
