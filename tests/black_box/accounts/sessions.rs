//! Listing and ending sessions.

use serde_json::json;

use crate::{
    client::Api,
    harness::Server,
    team::{PASSWORD, Person},
};

async fn another_browser(person: &Person, url: &str) -> Api {
    let api = Api::new(url);
    let reply =
        api.post("/auth/sign-in", &json!({"email": person.email, "password": PASSWORD})).await.is(200);
    api.with_csrf(&reply.str("csrf_token"))
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let phone = another_browser(&person, &server.url()).await;
    let listed = person.api.get("/me/sessions").await.is(200);
    let sessions = listed["items"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{listed:?}");
    let current: Vec<_> = sessions.iter().filter(|s| s["current"] == true).collect();
    assert_eq!(current.len(), 1, "{listed:?}");
    let other = sessions.iter().find(|s| s["current"] != true).unwrap()["id"].as_str().unwrap();
    phone.get("/me").await.is(200);
    person.api.delete(&format!("/me/sessions/{other}")).await.is(204);
    phone.get("/me").await.problem(401, "unauthenticated");
    person.api.get("/me").await.is(200);
    person.api.delete(&format!("/me/sessions/{other}")).await.problem(404, "not-found");
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let server = Server::new().await;
    let mina = Person::sign_up(&server.url(), "Mina").await;
    let jae = Person::sign_up(&server.url(), "Jae").await;
    let session = mina.api.get("/me/sessions").await["items"][0]["id"].as_str().unwrap().to_owned();
    jae.api.delete(&format!("/me/sessions/{session}")).await.problem(404, "not-found");
    mina.api.get("/me").await.is(200);
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_a_token_cannot_see_it() {
    let mut server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let token = person.token(&["read", "write", "admin"]).await;
    server.kill().await;
    server.start().await;
    person.api.get("/me").await.is(200);
    token.get("/me").await.is(200);
    token.get("/me/sessions").await.problem(403, "forbidden");
}
