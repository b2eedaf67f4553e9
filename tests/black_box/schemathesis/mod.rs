//! schemathesis makes up requests from the API description and compares the answers with it.
//!
//! It is told the names of things that exist and who calls, so that its requests get past the front door; what it looks
//! for is a 5xx and an answer (status, type, header or shape) that the description does not promise. A run that is
//! turned away everywhere would find nothing either: so each operation must have done at least once what it is for, or
//! stand in a list with the reason why it cannot.

mod callers;
mod named;
mod reached;

use std::{process::Stdio, time::Duration};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use self::reached::Reached;
use crate::{
    harness::{Launch, schemathesis, seed, without},
    team::Team,
};

const EXAMPLES: &str = "12";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
/// Where it writes what it asked and was answered.
const RECORD: &str = "record.ndjson";
const SETTINGS: &str = "schemathesis.toml";
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/black_box/schemathesis/hooks.py");

/// Lets it make up requests for these operations; which of them did what.
async fn run(team: &Team, operations: &[&str], settings: &str) -> Reached {
    let home = team.server.launch().home().path();
    std::fs::write(home.join(SETTINGS), format!("hooks = {}\n{settings}", json!(HOOKS))).unwrap();
    let report = Command::new(schemathesis())
        .args(["--config-file", SETTINGS, "run"])
        .arg(format!("{}/openapi.json", team.server.url()))
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--workers", "1", "--continue-on-failure"])
        .args(["--seed", &seed().to_string(), "--no-color", "--request-timeout", "30"])
        .args(["--report", "ndjson", "--report-ndjson-path", RECORD])
        .args(operations.iter().flat_map(|name| ["--include-name", name]))
        .env("STAND_IN", named::simplest(team).to_string())
        .current_dir(home)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let report =
        timeout(Duration::from_secs(540), report).await.expect("it ends in time").expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&report.stdout), String::from_utf8_lossy(&report.stderr));
    assert!(report.status.success(), "{out}{err}");
    println!("{out}");
    Reached::read(&std::fs::read_to_string(home.join(RECORD)).unwrap())
}

#[tokio::test]
async fn no_made_up_request_gets_an_answer_that_is_not_described() {
    if without("schemathesis") {
        return;
    }
    let token = "0123456789abcdef0123456789abcdef";
    // Operators are let ask a few times a minute only.
    let launch = Launch::new().set("ADMIN__TOKEN", token).set("LIMITS__FACTOR", "100");
    let team = Team::launch(launch).await;
    let document = team.owner.api.page("/openapi.json").await.is(200).body;
    let all = reached::operations(&document);
    let (operators, others): (Vec<&str>, Vec<&str>) =
        all.iter().map(String::as_str).partition(|name| callers::for_operators(&document, name));
    let (alone, others): (Vec<&str>, Vec<&str>) =
        others.into_iter().partition(|name| callers::session_only(&document, name));
    let mut reached = run(&team, &others, &named::settings(&team).await).await;
    reached.add(run(&team, &alone, &callers::settings(&team, &alone).await).await);
    reached.add(run(&team, &operators, &callers::operators(token)).await);
    reached.judge(&all);
    team.task("The server is well").await;
}
