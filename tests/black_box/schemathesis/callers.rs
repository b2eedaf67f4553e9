//! What takes a session, and whose.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    team::{PASSWORD, Person, Team},
};

/// Whether the description says of an operation that it is not for tokens.
pub fn session_only(document: &Value, operation: &str) -> bool {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    document["paths"][path][method.to_lowercase()]["security"] == json!([{"session": []}])
}

/// Whether it says that it is for operators.
pub fn for_operators(document: &Value, operation: &str) -> bool {
    let (method, path) = operation.split_once(' ').expect("a method and a path");
    document["paths"][path][method.to_lowercase()]["security"] == json!([{"operator": []}])
}

/// The settings of the run with the token of operators. The lanes that it stops are not those that other runs need.
pub fn operators(token: &str) -> String {
    let token = json!(format!("Bearer {token}"));
    format!("[headers]\nAuthorization = {token}\n[parameters]\n\"path.lane\" = \"publish\"\n")
}

async fn sign_in(team: &Team, person: &Person) -> Reply {
    let body = json!({"email": person.email, "password": PASSWORD});
    Api::new(&team.server.url()).post("/auth/sign-in", &body).await.is(200)
}

/// The settings of the run with sessions: one of an account of its own for each operation, for some of them end theirs or
/// the others of their account.
pub async fn settings(team: &Team, operations: &[&str]) -> String {
    // Made-up cookies would take the place of the true ones.
    let mut text = String::from("[generation]\nwith-security-parameters = false\n");
    for name in operations {
        let person = Person::sign_up(&team.server.url(), "Sam").await;
        let session = sign_in(team, &person).await;
        let cookie = session.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let _ = writeln!(text, "[[operations]]\ninclude-name = {}", json!(name));
        let _ = writeln!(
            text,
            "headers = {{ Cookie = {}, X-CSRF-Token = {} }}",
            json!(cookie.expect("a cookie")),
            session["csrf_token"]
        );
        let parameters = used_up(team, &person, name).await;
        let _ = writeln!(text, "[operations.parameters]");
        for (name, value) in parameters {
            let _ = writeln!(text, "{} = {}", json!(name), json!(value));
        }
    }
    text
}

/// What the operation ends, made for this account.
async fn used_up(team: &Team, person: &Person, operation: &str) -> Vec<(&'static str, String)> {
    match operation {
        "DELETE /me/sessions/{session}" => {
            sign_in(team, person).await;
            let sessions = person.api.all("/me/sessions").await;
            let newest = sessions[0]["id"].as_str().expect("an id");
            vec![("path.session", newest.to_owned())]
        }
        "DELETE /me/tokens/{token}" => {
            let body = json!({"name": "to be deleted", "scopes": ["read"]});
            vec![("path.token", person.api.post("/me/tokens", &body).await.is(201).str("id"))]
        }
        _ => Vec::new(),
    }
}
