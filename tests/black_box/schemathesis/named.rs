//! What the checker is told: names of things that exist, and words that are right where hardly any is.
//!
//! What uses a thing up is given one of its own, so that no operation makes another blind.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    mailbox::{Letter, letter},
    team::{PASSWORD, Person, Team, workspace},
};

/// What is mostly filled in, for hardly anything else is right there: the field, and what.
const MOSTLY: [(&str, &[&str]); 6] = [
    ("body.password", &["a longer way to say it", "seven green umbrellas"]),
    ("body.time_zone", &["Asia/Seoul", "America/New_York", "UTC"]),
    ("body.project", &["WEB"]),
    ("body.key", &["OPS", "A1", "WEBSITE", "Z9"]),
    ("body.due", &["2031-03-12", "2031-03-12T09:30:00+09:00"]),
    ("header.If-Match", &["*", "\"1\""]),
];
const OFTEN: f64 = 0.9;

/// One operation, and what is filled in there.
type Named = (&'static str, Vec<(&'static str, String)>);

/// The settings of the run with a token of the workspace's owner.
pub async fn settings(team: &Team) -> String {
    let body = json!({"name": "schemathesis", "scopes": ["admin"]});
    let token = team.owner.api.post("/me/tokens", &body).await.is(201).str("token");
    let mut text = format!("[headers]\nAuthorization = \"Bearer {token}\"\n");
    let mut here = everywhere(team).await;
    for (field, words) in MOSTLY {
        here.push((field, mostly(&mut text, field, words)));
    }
    let mut named = used_up(team).await;
    named.extend(codes(team).await);
    text.push_str("[parameters]\n");
    parameters(&mut text, here);
    for (operation, here) in named {
        let _ =
            writeln!(text, "[[operations]]\ninclude-name = {}\n[operations.parameters]", json!(operation));
        parameters(&mut text, here);
    }
    text
}

/// What stands in for the simplest values of one operation's body (see `hooks.py`).
pub fn simplest(team: &Team) -> Value {
    json!({
        "POST /auth/sign-in": {"email": {"0@0.com": team.owner.email}, "password": {"0": PASSWORD}},
        "POST /me/password": {
            "current_password": {"0": PASSWORD}, "new_password": {"00000000": "seven green umbrellas"},
        },
    })
}

fn parameters(text: &mut String, parameters: Vec<(&str, String)>) {
    for (name, value) in parameters {
        let _ = writeln!(text, "\"{name}\" = {value}");
    }
}

/// This and nothing else.
fn always(value: impl AsRef<str>) -> String {
    json!(value.as_ref()).to_string()
}

/// One of these more often than what is made up.
fn mostly(text: &mut String, field: &str, words: &[&str]) -> String {
    let name = field.replace('.', "-");
    let _ = writeln!(text, "[dictionaries.{name}]\nvalues = {}", json!(words));
    format!("{{ dictionary = \"{name}\", probability = {OFTEN} }}")
}

/// What exists and stays.
async fn everywhere(team: &Team) -> Vec<(&'static str, String)> {
    let mina = team.member("Mina", "member").await;
    let task = team.task_with(json!({"title": "One", "labels": ["bug"], "due": "2031-01-01"})).await;
    vec![
        ("path.ws", always(&team.id)),
        ("path.task", always("WEB-1")),
        ("path.user", always(mina.id)),
        ("path.watcher", always("me")),
        ("path.label", always("bug")),
        ("path.comment", always(comment(team).await)),
        ("path.operation", always(task.header("Operation-Id").expect("an id"))),
    ]
}

async fn comment(team: &Team) -> String {
    let path = team.at("/tasks/WEB-1/comments");
    team.owner.api.post(&path, &json!({"body": "hello"})).await.is(201).str("id")
}

/// What is deleted, and a workspace that may get another owner.
async fn used_up(team: &Team) -> Vec<Named> {
    let jae = team.member("Jae", "member").await;
    team.task("Two").await;
    let body = json!({"email": "withdrawn@example.com", "role": "member"});
    let invitation = team.owner.api.post(&team.at("/invitations"), &body).await.is(201).str("id");
    let (other, _) = workspace(&team.owner, "Handed over").await;
    let invite = json!({"email": jae.email, "role": "member"});
    team.owner.api.post(&format!("/workspaces/{other}/invitations"), &invite).await.is(201);
    let letter =
        team.letter("the invitation is there", |l| l.to == jae.email && l.text.contains("Handed over"));
    let accept = format!("/invitations/{}/accept", letter.await.code("invitations"));
    jae.api.post(&accept, &json!({})).await.is(200);
    let one = |operation, name, value: &str| (operation, vec![(name, always(value))]);
    vec![
        one("DELETE /workspaces/{ws}/tasks/{task}", "path.task", "WEB-2"),
        one("DELETE /workspaces/{ws}/tasks/{task}/comments/{comment}", "path.comment", &comment(team).await),
        one("DELETE /workspaces/{ws}/members/{user}", "path.user", &jae.id),
        one("DELETE /workspaces/{ws}/invitations/{invitation}", "path.invitation", &invitation),
        (
            "PATCH /workspaces/{ws}/members/{user}",
            vec![("path.ws", always(other)), ("path.user", always(jae.id))],
        ),
    ]
}

/// The code in the mail to this address with a link of this kind.
async fn code(team: &Team, kind: &str, email: &str) -> String {
    let link = format!("/{kind}/");
    let wanted = |l: &Letter| l.to == email && l.text.contains(&link);
    letter(team.server.data(), "the mail with the link is there", wanted).await.code(kind)
}

/// The codes out of mails.
async fn codes(team: &Team) -> Vec<Named> {
    let url = team.server.url();
    let (host, forgetful) = (Person::sign_up(&url, "Hana").await, Person::sign_up(&url, "Rita").await);
    let (elsewhere, _) = workspace(&host, "Elsewhere").await;
    let invite = json!({"email": team.owner.email, "role": "member"});
    host.api.post(&format!("/workspaces/{elsewhere}/invitations"), &invite).await.is(201);
    host.api.post("/auth/password-reset", &json!({"email": forgetful.email})).await.is(202);
    let one = |operation, code: String| (operation, vec![("path.code", always(code))]);
    vec![
        one("GET /invitations/{code}", team.invite("shown@example.com", "viewer").await),
        one("POST /invitations/{code}/accept", code(team, "invitations", &team.owner.email).await),
        one("POST /auth/password-reset/{code}", code(team, "reset-password", &forgetful.email).await),
        one("POST /auth/verify-email/{code}", code(team, "verify-email", &host.email).await),
    ]
}
