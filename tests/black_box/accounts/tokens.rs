//! API tokens: scopes, expiry, revocation, and that they are shown once.

use jiff::ToSpan as _;
use serde_json::json;

use crate::{
    harness::{now, wait_until},
    team::{Person, Team},
};

#[tokio::test]
async fn a_token_is_shown_once_and_kept_nowhere_in_clear() {
    let team = Team::new().await;
    let body = json!({"name": "ci", "scopes": ["write", "read"]});
    let made = team.owner.api.post("/me/tokens", &body).await.is(201);
    let text = made.str("token");
    assert!(text.starts_with("fry_") && text.len() >= 40, "{text}");
    let listed = team.owner.api.get("/me/tokens").await.is(200);
    assert_eq!(listed["items"][0]["name"], "ci");
    assert!(!listed.text.contains(&text), "{listed:?}");
    assert_eq!(team.server.keeps(&text).await, Vec::<String>::new());
    assert!(!team.server.keeps(&team.owner.email).await.is_empty(), "what is kept is found");
    assert!(!team.server.log().contains(&text), "the log holds the token");
}

#[tokio::test]
async fn a_token_does_no_more_than_its_scopes() {
    let team = Team::new().await;
    let read = team.owner.token(&["read"]).await;
    let write = team.owner.token(&["write"]).await;
    let admin = team.owner.token(&["admin"]).await;
    let task = json!({"project": "WEB", "title": "x"});
    let project = |key: &str| json!({"key": key, "name": "n"});
    read.get(&team.at("/tasks")).await.is(200);
    read.post(&team.at("/tasks"), &task).await.problem(403, "forbidden");
    write.get(&team.at("/tasks")).await.is(200);
    write.post(&team.at("/tasks"), &task).await.is(201);
    write.post(&team.at("/projects"), &project("AA")).await.problem(403, "forbidden");
    admin.post(&team.at("/projects"), &project("BB")).await.is(201);
    for api in [&read, &write, &admin] {
        api.post("/me/tokens", &json!({"name": "n", "scopes": ["admin"]})).await.problem(403, "forbidden");
        let passwords = json!({"current_password": "x", "new_password": "y"});
        api.post("/me/password", &passwords).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn a_token_does_no_more_than_its_member() {
    let team = Team::new().await;
    let viewer = team.member("Vera", "viewer").await;
    let token = viewer.token(&["admin"]).await;
    token.get(&team.at("/tasks")).await.is(200);
    token.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "x"})).await.problem(403, "forbidden");
}

#[tokio::test]
async fn a_token_ends_when_it_expires() {
    let team = Team::new().await;
    let body = json!({"name": "brief", "scopes": ["read"], "expires_at": (now() + 1.hour()).to_string()});
    let made = team.owner.api.post("/me/tokens", &body).await.is(201);
    let token = team.owner.api.with_token(&made.str("token"));
    token.get("/me").await.is(200);
    assert_eq!(team.server.change_rows("UPDATE tokens SET expires_at = 1000").await, 1);
    wait_until("the token has expired", || async { (token.get("/me").await.status == 401).then_some(()) })
        .await;
    token.get(&team.at("/tasks")).await.problem(401, "unauthenticated");
    let past = json!({"name": "late", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"});
    team.owner.api.post("/me/tokens", &past).await.invalid("expires_at");
}

#[tokio::test]
async fn a_revoked_token_ends_at_once_and_only_its_owner_revokes_it() {
    let team = Team::new().await;
    let made = team.owner.api.post("/me/tokens", &json!({"name": "n", "scopes": ["read"]})).await.is(201);
    let token = team.owner.api.with_token(&made.str("token"));
    let path = format!("/me/tokens/{}", made.str("id"));
    token.get("/me").await.is(200);
    let other = Person::sign_up(&team.server.url(), "Other").await;
    other.api.delete(&path).await.problem(404, "not-found");
    token.get("/me").await.is(200);
    team.owner.api.delete(&path).await.is(204);
    token.get("/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn what_is_no_token_opens_nothing() {
    let team = Team::new().await;
    let nobody = team.owner.api.stranger();
    for header in [
        "Bearer fry_0000000000000000000000000000000000000000000",
        "Bearer ",
        "Bearer x",
        "Basic eDp5",
        "fry_x",
    ] {
        let reply = nobody.get("/me").header("Authorization", header).await.any_problem();
        assert!(matches!(reply.status, 400 | 401), "{header}: {reply:?}");
        // A bad token beside a good cookie must not fall back to the cookie unnoticed on a write without CSRF token.
        let bare = team.owner.api.without_csrf();
        let task = json!({"project": "WEB", "title": "x"});
        let reply = bare.post(&team.at("/tasks"), &task).header("Authorization", header).await.any_problem();
        assert!(matches!(reply.status, 400 | 401 | 403), "{header}: {reply:?}");
    }
    for scopes in [json!([]), json!(["root"]), json!("read")] {
        let reply =
            team.owner.api.post("/me/tokens", &json!({"name": "n", "scopes": scopes})).await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{scopes}: {reply:?}");
    }
}
