//! Changing and resetting passwords, and proving an address.

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    harness::Server,
    mailbox::letter,
    team::{PASSWORD, Person},
};

const NEW: &str = "a longer way to say it";

async fn sign_in(url: &str, email: &str, password: &str) -> Reply {
    Api::new(url).post("/auth/sign-in", &json!({"email": email, "password": password})).await
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let other = Api::new(&server.url());
    other.post("/auth/sign-in", &json!({"email": person.email, "password": PASSWORD})).await.is(200);
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    let reply = person.api.post("/me/password", &change("wrong password", NEW)).await.any_problem();
    assert!(matches!(reply.status, 401 | 403 | 422), "{reply:?}");
    person.api.post("/me/password", &change(PASSWORD, "short")).await.invalid("new_password");
    other.get("/me").await.is(200);
    let reply = person.api.post("/me/password", &change(PASSWORD, NEW)).await;
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    person.api.get("/me").await.is(200);
    other.get("/me").await.problem(401, "unauthenticated");
    sign_in(&server.url(), &person.email, PASSWORD).await.problem(401, "invalid-credentials");
    sign_in(&server.url(), &person.email, NEW).await.is(200);
}

async fn ask_reset(server: &Server, email: &str) -> Reply {
    Api::new(&server.url()).post("/auth/password-reset", &json!({"email": email})).await
}

async fn set_password(server: &Server, code: &str, password: &str) -> Reply {
    let body = json!({"password": password});
    Api::new(&server.url()).post(&format!("/auth/password-reset/{code}"), &body).await
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_through_the_mail_once() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina Park").await;
    let known = ask_reset(&server, &person.email).await.is(202);
    let unknown = ask_reset(&server, "nobody@example.com").await.is(202);
    assert_eq!(known.text, unknown.text, "the answer says who has an account");
    let mail =
        letter(server.data(), "the reset mail is there", |l| l.text.contains("/reset-password/")).await;
    assert_eq!(mail.to, person.email);
    let code = mail.code("reset-password");
    let page = Api::new(&server.url()).page(&format!("/reset-password/{code}")).await.is(200);
    assert!(page.header("content-type").is_some_and(|t| t.starts_with("text/html")));
    // What is refused leaves the link as it was, also what is weak only for this person.
    set_password(&server, &code, "short").await.invalid("password");
    set_password(&server, &code, &person.email).await.invalid("password");
    set_password(&server, &code, "Mina Park").await.invalid("password");
    let form = reqwest::Client::new().post(format!("{}/reset-password/{code}", server.url()));
    let form = form.header("Content-Type", "application/x-www-form-urlencoded").body("password=password123");
    assert_eq!(form.send().await.unwrap().status().as_u16(), 422);
    let reply = set_password(&server, &code, NEW).await;
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    person.api.get("/me").await.problem(401, "unauthenticated");
    sign_in(&server.url(), &person.email, NEW).await.is(200);
    // Whoever lost the answer and asks again is told that it is done; the link opens nothing any more.
    set_password(&server, &code, NEW).await.is(204);
    set_password(&server, &code, "yet another one").await.problem(410, "link-expired");
    sign_in(&server.url(), &person.email, NEW).await.is(200);
    let mails = crate::mailbox::letters(server.data());
    assert!(mails.iter().all(|l| l.to != "nobody@example.com"), "{mails:?}");
}

#[tokio::test]
async fn a_code_opens_only_what_it_was_made_for() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    ask_reset(&server, &person.email).await.is(202);
    let mail =
        letter(server.data(), "the reset mail is there", |l| l.text.contains("/reset-password/")).await;
    let first = mail.code("reset-password");
    let api = Api::new(&server.url());
    let reply = api.post(&format!("/auth/verify-email/{first}"), &json!({})).await.any_problem();
    assert!(matches!(reply.status, 404 | 410), "{reply:?}");
    for code in ["x", &"A".repeat(64), &format!("B{}", &first[1..])] {
        let reply = set_password(&server, code, NEW).await.any_problem();
        assert!(matches!(reply.status, 404 | 410), "{code}: {reply:?}");
    }
    // A newer link replaces the older one.
    ask_reset(&server, &person.email).await.is(202);
    let newer = |l: &crate::mailbox::Letter| l.text.contains("/reset-password/") && !l.text.contains(&first);
    let second = letter(server.data(), "the second reset mail is there", newer).await.code("reset-password");
    set_password(&server, &first, NEW).await.problem(410, "link-expired");
    let reply = set_password(&server, &second, NEW).await;
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
}

#[tokio::test]
async fn an_address_is_proved_by_following_the_link() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let verified = |me: &Reply| me["user"]["email_verified"].clone();
    assert_eq!(verified(&person.api.get("/me").await), Value::Bool(false));
    let mail = letter(server.data(), "the mail to prove the address is there", |l| {
        l.text.contains("/verify-email/")
    })
    .await;
    assert_eq!(mail.to, person.email);
    let code = mail.code("verify-email");
    let page = person.api.page(&format!("/verify-email/{code}")).await.is(200);
    assert!(page.text.contains("<form"), "{page:?}");
    assert_eq!(verified(&person.api.get("/me").await), Value::Bool(false), "a GET changed something");
    let reply = person.api.stranger().post(&format!("/auth/verify-email/{code}"), &json!({})).await;
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    assert_eq!(verified(&person.api.get("/me").await), Value::Bool(true));
}
