//! Signing up, in and out.

use std::future::IntoFuture as _;

use serde_json::json;

use crate::{
    client::Api,
    harness::{Launch, Server},
    team::{PASSWORD, Person, Team},
};

#[tokio::test]
async fn somebody_signs_up_and_is_signed_in() {
    let server = Server::new().await;
    let api = Api::new(&server.url());
    let body = json!({"email": " Mina@Example.com ", "password": PASSWORD, "name": "Mina Park", "time_zone": "Asia/Seoul", "locale": "ko-KR"});
    let reply = api.post("/auth/sign-up", &body).await.is(201);
    let cookie = reply.header("set-cookie").expect("a session cookie").to_owned();
    for part in ["fairy_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "a browser would not send it back over http: {cookie}");
    assert!(reply["user"]["id"].as_str().is_some_and(|id| id.starts_with("usr_")), "{reply:?}");
    assert_eq!(reply["user"]["email"], "mina@example.com");
    let me = api.get("/me").await.is(200);
    assert_eq!(me["user"]["time_zone"], "Asia/Seoul");
    assert_eq!(me["user"]["locale"], "ko");
    assert_eq!(me["csrf_token"], reply["csrf_token"]);
    assert!(!me.text.contains("argon2"), "{me:?}");
}

#[tokio::test]
async fn a_cookie_for_https_is_secure_and_bound_to_its_host() {
    let server = Launch::new().set("HTTP__PUBLIC_URL", "https://fairy.example.com").start().await;
    let body = json!({"email": "mina@example.com", "password": PASSWORD, "name": "Mina"});
    let reply = Api::new(&server.url()).post("/auth/sign-up", &body).await.is(201);
    let cookie = reply.header("set-cookie").expect("a session cookie");
    assert!(cookie.starts_with("__Host-fairy_session=") && cookie.contains("Secure"), "{cookie}");
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test]
async fn an_address_has_one_account() {
    let server = Server::new().await;
    Person::sign_up_as(&server.url(), "Mina", "mina@example.com").await;
    let body = json!({"email": "MINA@example.com", "password": PASSWORD, "name": "Other"});
    Api::new(&server.url()).post("/auth/sign-up", &body).await.problem(409, "email-taken");
}

#[tokio::test]
async fn weak_passwords_and_malformed_fields_are_named_together() {
    let server = Server::new().await;
    let api = Api::new(&server.url());
    let body = json!({"email": "mina", "password": "", "name": " ", "time_zone": "Mars/Base"});
    let reply = api.post("/auth/sign-up", &body).await.invalid("email");
    for field in ["password", "name", "time_zone"] {
        assert!(reply["errors"].as_array().unwrap().iter().any(|e| e["field"] == field), "{reply:?}");
    }
    for password in ["", "aaaaaaaaaaaaaa", "password123", "mina@example.com", &"x".repeat(201)] {
        let body = json!({"email": "mina@example.com", "password": password, "name": "Mina"});
        let reply = api.post("/auth/sign-up", &body).await.invalid("password");
        assert!(
            password.is_empty() || !reply.text.contains(password),
            "the answer repeats the password: {reply:?}"
        );
    }
}

#[tokio::test]
async fn signing_in_needs_the_right_password_and_does_not_say_who_exists() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let api = Api::new(&server.url());
    let wrong = json!({"email": person.email, "password": "not the password"});
    let nobody = json!({"email": "nobody@example.com", "password": PASSWORD});
    let first = api.post("/auth/sign-in", &wrong).await.problem(401, "invalid-credentials");
    let second = api.post("/auth/sign-in", &nobody).await.problem(401, "invalid-credentials");
    assert_eq!(first["detail"], second["detail"]);
    api.get("/me").await.problem(401, "unauthenticated");
    let right = json!({"email": person.email.to_uppercase(), "password": PASSWORD});
    let reply = api.post("/auth/sign-in", &right).await.is(200);
    assert_eq!(reply["user"]["id"], person.id.as_str());
    api.get("/me").await.is(200);
}

#[tokio::test]
async fn signing_out_ends_the_session_for_good() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let reply = person.api.post("/auth/sign-out", &json!({})).await.is(204);
    assert!(
        reply.header("set-cookie").is_some_and(|c| c.contains("fairy_session=;") || c.contains("Max-Age=0"))
    );
    person.api.get("/me").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_write_with_a_cookie_needs_its_csrf_token() {
    let team = Team::new().await;
    let bare = team.owner.api.without_csrf();
    let other = Person::sign_up(&team.server.url(), "Other").await;
    let theirs = other.api.get("/me").await.str("csrf_token");
    for api in [&bare, &bare.with_csrf("forged"), &bare.with_csrf(&theirs)] {
        api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "x"}))
            .await
            .problem(403, "csrf-token-invalid");
        api.delete("/me/sessions/ses_01ARZ3NDEKTSV4RRFFQ69G5FAV").await.problem(403, "csrf-token-invalid");
    }
    bare.get(&team.at("/tasks")).await.is(200);
}

#[tokio::test]
async fn people_change_what_is_shown_of_them() {
    let team = Team::new().await;
    let digest = json!({"enabled": true, "times": ["18:30", "09:00"], "weekdays": ["fri", "mon"]});
    let body = json!({"name": "Olga O.", "time_zone": "Europe/Riga", "digest": digest});
    let me = team.owner.api.patch("/me", &body).await.is(200);
    assert_eq!(me["user"]["name"], "Olga O.");
    assert_eq!(me["user"]["digest"]["times"], json!(["09:00", "18:30"]));
    let members = team.owner.api.all(&team.at("/members")).await;
    assert_eq!(members[0]["name"], "Olga O.");
    // Two windows that change different things at once both get their way.
    for n in 0..10 {
        let name = json!({"name": format!("Olga {n}")});
        let digest = json!({"digest": {"times": [format!("{:02}:00", n)]}});
        let (one, two) = tokio::join!(
            team.owner.api.patch("/me", &name).into_future(),
            team.owner.api.patch("/me", &digest).into_future()
        );
        one.is(200);
        two.is(200);
        let me = team.owner.api.get("/me").await.is(200);
        assert_eq!(me["user"]["name"], name["name"], "{me:?}");
        assert_eq!(me["user"]["digest"]["times"], digest["digest"]["times"], "{me:?}");
        assert_eq!(me["user"]["digest"]["weekdays"], json!(["mon", "fri"]), "{me:?}");
    }
    for bad in [
        json!({"name": ""}),
        json!({"time_zone": "nowhere"}),
        json!({"digest": {"enabled": true, "times": ["25:00"], "weekdays": ["mon"]}}),
        json!({"digest": {"enabled": true, "times": [], "weekdays": []}}),
    ] {
        let reply = team.owner.api.patch("/me", &bad).await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{bad}: {reply:?}");
    }
    assert_eq!(team.owner.api.get("/me").await["user"]["time_zone"], "Europe/Riga");
}

#[tokio::test]
async fn where_sign_up_is_by_invitation_nobody_else_can() {
    let mut team = Team::new().await;
    let code = team.invite("guest@example.com", "member").await;
    let data = team.server.data().to_owned();
    team.server.kill().await;
    let launch = Launch::at(team.server.launch().home(), "var").set("AUTH__SIGN_UP", "invite");
    let server = launch.start().await;
    assert_eq!(server.data(), data);
    let api = Api::new(&server.url());
    let body = |email: &str| json!({"email": email, "password": PASSWORD, "name": "Guest"});
    api.post("/auth/sign-up", &body("guest@example.com")).await.problem(403, "forbidden");
    let mut wrong = body("guest@example.com");
    let last = if code.ends_with('A') { 'B' } else { 'A' };
    wrong["invitation"] = json!(format!("{}{last}", &code[..63]));
    let reply = api.post("/auth/sign-up", &wrong).await.any_problem();
    assert!(matches!(reply.status, 403 | 404 | 410 | 422), "{reply:?}");
    let mut other = body("other@example.com");
    other["invitation"] = json!(code);
    let reply = api.post("/auth/sign-up", &other).await.any_problem();
    assert!(matches!(reply.status, 403 | 422), "{reply:?}");
    let mut right = body("guest@example.com");
    right["invitation"] = json!(code);
    let reply = api.post("/auth/sign-up", &right).await.is(201);
    let api = api.with_csrf(&reply.str("csrf_token"));
    let workspaces = api.all("/workspaces").await;
    if workspaces.is_empty() {
        api.post(&format!("/invitations/{code}/accept"), &json!({})).await;
    }
    assert_eq!(api.all("/workspaces").await.len(), 1);
}
