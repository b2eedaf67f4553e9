//! schemathesis makes up requests from the API description and compares the answers with it.
//!
//! It runs with a token of a workspace's owner and is told the names of things that exist, so that its requests
//! get past the front door; what it looks for is a 5xx and an answer (status, type, header or shape) that the
//! description does not promise.

use std::{fmt::Write as _, process::Stdio, time::Duration};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::{
    harness::{schemathesis, seed, without},
    team::Team,
};

const EXAMPLES: &str = "20";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Makes things to be named, and says their names; what deletes is given things of its own.
async fn settings(team: &Team) -> String {
    let (mina, jae) = (team.member("Mina", "member").await, team.member("Jae", "member").await);
    let task = team.task_with(json!({"title": "One", "labels": ["bug"], "due": "2031-01-01"})).await;
    team.task("Two").await;
    let mut comments = Vec::new();
    for _ in 0..2 {
        let path = team.at("/tasks/WEB-1/comments");
        comments.push(team.owner.api.post(&path, &json!({"body": "hello"})).await.is(201).str("id"));
    }
    let mut text = String::from("[parameters]\n");
    for (name, value) in [
        ("ws", team.id.as_str()),
        ("task", "WEB-1"),
        ("user", &mina.id),
        ("watcher", "me"),
        ("label", "bug"),
        ("comment", &comments[0]),
        ("operation", task.header("Operation-Id").expect("an id")),
    ] {
        let _ = writeln!(text, "\"path.{name}\" = \"{value}\"");
    }
    for (route, name, value) in [
        ("/workspaces/{ws}/tasks/{task}", "task", "WEB-2"),
        ("/workspaces/{ws}/tasks/{task}/comments/{comment}", "comment", comments[1].as_str()),
        ("/workspaces/{ws}/members/{user}", "user", &jae.id),
    ] {
        let _ = writeln!(text, "[[operations]]\ninclude-name = \"DELETE {route}\"");
        let _ = writeln!(text, "parameters = {{ \"path.{name}\" = \"{value}\" }}");
    }
    text
}

#[tokio::test]
async fn no_made_up_request_gets_an_answer_that_is_not_described() {
    if without("schemathesis") {
        return;
    }
    let team = Team::new().await;
    let home = team.server.launch().home().path();
    std::fs::write(home.join("schemathesis.toml"), settings(&team).await).unwrap();
    let body = json!({"name": "schemathesis", "scopes": ["admin"]});
    let token = team.owner.api.post("/me/tokens", &body).await.is(201).str("token");
    let report = Command::new(schemathesis())
        .arg("run")
        .arg(format!("{}/openapi.json", team.server.url()))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--workers", "1", "--continue-on-failure"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--seed", &seed().to_string(), "--no-color", "--request-timeout", "30"])
        // A stream never ends by itself.
        .args(["--exclude-path-regex", "/changes$"])
        .current_dir(home)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let report =
        timeout(Duration::from_secs(540), report).await.expect("it ends in time").expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&report.stdout), String::from_utf8_lossy(&report.stderr));
    assert!(report.status.success(), "{out}{err}");
    println!("{out}");
    team.task("The server is well").await;
}
