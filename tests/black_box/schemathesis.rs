//! schemathesis makes up requests from the API description and compares the answers with it.
//!
//! It runs with a token of a workspace's owner, so that its requests get past the front door; what it looks for is a
//! 5xx and an answer (status, type or shape) that the description does not promise.

use std::{process::Stdio, time::Duration};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::{
    harness::{schemathesis, seed, without},
    team::Team,
};

const EXAMPLES: &str = "25";

#[tokio::test]
async fn no_made_up_request_gets_an_answer_that_is_not_described() {
    if without("schemathesis") {
        return;
    }
    let team = Team::new().await;
    team.task_with(json!({"title": "One", "labels": ["bug"], "due": "2031-01-01"})).await;
    team.owner.api.post(&team.at("/tasks/WEB-1/comments"), &json!({"body": "hello"})).await.is(201);
    let body = json!({"name": "schemathesis", "scopes": ["admin"]});
    let token = team.owner.api.post("/me/tokens", &body).await.is(201).str("token");
    let settings = format!("[parameters]\n\"path.ws\" = \"{}\"\n\"path.task\" = \"WEB-1\"\n", team.id);
    std::fs::write(team.server.launch().home().path().join("schemathesis.toml"), settings).unwrap();
    let report = Command::new(schemathesis())
        .arg("run")
        .arg(format!("{}/openapi.json", team.server.url()))
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--workers", "2", "--continue-on-failure"])
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--seed", &seed().to_string(), "--no-color", "--request-timeout", "30"])
        // A stream never ends by itself.
        .args(["--exclude-path-regex", "/changes$"])
        .current_dir(team.server.launch().home().path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let report = timeout(Duration::from_secs(540), report)
        .await
        .expect("it ends within nine minutes")
        .expect("it starts");
    let text =
        format!("{}{}", String::from_utf8_lossy(&report.stdout), String::from_utf8_lossy(&report.stderr));
    assert!(report.status.success(), "{text}");
    println!("{text}");
    team.task("The server is well").await;
}
