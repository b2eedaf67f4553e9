//! Changing and resetting passwords, and proving an address.

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    harness::Server,
    mailbox::{Letter, letter, letters},
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

/// What a browser gets that sends a form; the status and the page.
async fn post_form(server: &Server, path: &str, fields: &'static str) -> (u16, String) {
    let form = reqwest::Client::new().post(format!("{}{path}", server.url()));
    let form = form.header("Content-Type", "application/x-www-form-urlencoded").body(fields);
    let answer = form.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The mails that say that a password was changed.
fn told(server: &Server) -> Vec<Letter> {
    letters(server.data()).into_iter().filter(|l| l.subject == "Your password was changed").collect()
}

#[tokio::test]
async fn who_has_a_new_password_is_told_by_mail() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});
    person.api.post("/me/password", &change("wrong password", NEW)).await.invalid("current_password");
    person.api.post("/me/password", &change(PASSWORD, NEW)).await.is(204);
    let mail =
        letter(server.data(), "the change is told", |l| l.subject == "Your password was changed").await;
    assert_eq!(mail.to, person.email);
    for body in [&mail.text, &mail.html] {
        assert!(
            body.contains("by somebody who knew it") && body.contains("All other sessions were ended"),
            "{body}"
        );
        assert!(body.contains(&format!("{}/reset-password", server.url())), "{body}");
        assert!(
            !body.contains(NEW) && !body.contains(PASSWORD) && !body.contains("/reset-password/"),
            "{body}"
        );
    }
    // The way out that the mail names is open to who is signed in nowhere.
    let page = Api::new(&server.url()).page("/reset-password").await.is(200);
    assert!(page.text.contains("name=\"email\""), "{page:?}");
    assert_eq!(post_form(&server, "/reset-password", "email=nonsense").await.0, 422);
    let unknown = post_form(&server, "/reset-password", "email=nobody%40example.com").await;
    let known: &'static str = format!("email={}", person.email).leak();
    assert_eq!(
        post_form(&server, "/reset-password", known).await,
        unknown,
        "the page says who has an account"
    );
    assert_eq!(unknown.0, 200);
    let link = |l: &Letter| l.text.contains("/reset-password/");
    let code = letter(server.data(), "the link is there", link).await.code("reset-password");
    set_password(&server, &code, "a third one for her").await.is(204);
    set_password(&server, &code, "a third one for her").await.is(204);
    let by_link = |l: &Letter| l.text.contains("through a link that was sent by mail");
    let mail = letter(server.data(), "the reset is told", by_link).await;
    assert!(
        mail.to == person.email && mail.text.contains("All sessions and API tokens were ended"),
        "{mail:?}"
    );
    assert_eq!(told(&server).len(), 2, "each is told once");
}

#[tokio::test]
async fn changing_a_password_over_and_over_fills_no_mailbox() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let mut changes = 0;
    let refused = loop {
        let passwords = [PASSWORD, NEW];
        let (current, new) = (passwords[changes % 2], passwords[(changes + 1) % 2]);
        let body = json!({"current_password": current, "new_password": new});
        let reply = person.api.post("/me/password", &body).await;
        if reply.status != 204 {
            break reply;
        }
        changes += 1;
        assert!(changes < 20, "nobody stopped it");
    };
    refused.problem(429, "too-many-requests");
    assert!(changes >= 3, "{changes}");
    sign_in(&server.url(), &person.email, [PASSWORD, NEW][changes % 2]).await.is(200);
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
    assert_eq!(post_form(&server, &format!("/reset-password/{code}"), "password=password123").await.0, 422);
    let reply = set_password(&server, &code, NEW).await;
    assert!(matches!(reply.status, 200 | 204), "{reply:?}");
    person.api.get("/me").await.problem(401, "unauthenticated");
    sign_in(&server.url(), &person.email, NEW).await.is(200);
    // Whoever lost the answer and asks again is told that it is done; the link opens nothing any more.
    set_password(&server, &code, NEW).await.is(204);
    set_password(&server, &code, "yet another one").await.problem(410, "link-expired");
    let gone = Api::new(&server.url()).page(&format!("/reset-password/{code}")).await.is(410);
    assert!(!gone.text.contains("<form") && gone.text.contains("href=\"/reset-password\""), "{gone:?}");
    let form = post_form(&server, &format!("/reset-password/{code}"), "password=yet%20another%20one").await;
    assert!(form.0 == 410 && form.1.contains("href=\"/reset-password\""), "{form:?}");
    sign_in(&server.url(), &person.email, NEW).await.is(200);
    let mails = letters(server.data());
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
    let newer = |l: &Letter| l.text.contains("/reset-password/") && !l.text.contains(&first);
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
    let gone = person.api.page(&format!("/verify-email/{code}")).await.is(410);
    assert!(!gone.text.contains("<form") && gone.text.contains("/v1/me/verify-email"), "{gone:?}");
    let form = post_form(&server, &format!("/verify-email/{code}"), "").await;
    assert!(form.0 == 410 && form.1.contains("/v1/me/verify-email"), "{form:?}");
}
