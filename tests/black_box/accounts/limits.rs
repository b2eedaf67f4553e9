//! How often one may try, and that nobody uses up what is another's.

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    harness::{Launch, Server},
    team::{PASSWORD, Person, Team, workspace},
};

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

/// Guesses at an account until somebody says stop; how often that went well, and what was said.
async fn guess(api: &Api, email: &str) -> (usize, Reply) {
    let wrong = credentials(email, "not the password");
    for guesses in 0..200 {
        let reply = api.post("/auth/sign-in", &wrong).await;
        assert!(reply.header("set-cookie").is_none(), "a guess makes a browser known: {reply:?}");
        if reply.status != 401 {
            return (guesses, reply.problem(429, "too-many-requests"));
        }
    }
    panic!("nobody stopped us");
}

fn seconds(reply: &Reply) -> u32 {
    reply.header("Retry-After").and_then(|seconds| seconds.parse().ok()).expect("a number of seconds")
}

/// The detail without its number, which depends on the moment.
fn words(reply: &Reply) -> String {
    reply.str("detail").chars().filter(|c| !c.is_ascii_digit()).collect()
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let server = Server::new().await;
    let person = Person::sign_up(&server.url(), "Mina").await;
    let stranger = person.api.stranger();
    let (guesses, refused) = guess(&stranger, &person.email).await;
    assert!(guesses > 5 && seconds(&refused) > 0, "{guesses}: {refused:?}");
    // Whether there is such an account does not show.
    let (nobodys, same) = guess(&stranger, "nobody@example.com").await;
    assert!(guesses.abs_diff(nobodys) <= 3, "{guesses} and {nobodys}");
    assert_eq!(words(&same), words(&refused));
    // Who is signed in already is not locked out by whoever guesses.
    person.api.get("/me").await.is(200);
}

#[tokio::test]
async fn strangers_guesses_keep_nobody_out_of_their_own_browser() {
    let server = Server::new().await;
    let mina = Person::sign_up(&server.url(), "Mina").await;
    let jae = Person::sign_up(&server.url(), "Jae").await;
    let known = mina.api.post("/auth/sign-in", &credentials(&mina.email, PASSWORD)).await.is(200);
    let cookies: Vec<_> = known.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
    let device = cookies.iter().find(|cookie| cookie.starts_with("fairy_device=")).expect("it is remembered");
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=34560000"] {
        assert!(device.contains(part), "{device}");
    }
    guess(&mina.api.stranger(), &mina.email).await;
    let right = credentials(&mina.email, PASSWORD);
    mina.api.stranger().post("/auth/sign-in", &right).await.problem(429, "too-many-requests");
    // A browser that is known to somebody else is a stranger here, and so is one that makes up its cookie.
    jae.api.post("/auth/sign-in", &right).await.problem(429, "too-many-requests");
    let made_up = format!("fairy_device={}", "A".repeat(86));
    let forged = mina.api.stranger().post("/auth/sign-in", &right).header("Cookie", &made_up);
    forged.await.problem(429, "too-many-requests");
    // Her own is known, also after she signed out.
    let csrf = known.str("csrf_token");
    mina.api.with_csrf(&csrf).post("/auth/sign-out", &json!({})).await.is(204);
    let reply = mina.api.post("/auth/sign-in", &right).await.is(200);
    // And what she may do once she is in does not hang on strangers either.
    let api = mina.api.with_csrf(&reply.str("csrf_token"));
    let change = json!({"current_password": PASSWORD, "new_password": "a longer way to say it"});
    api.post("/me/password", &change).await.is(204);
    // It is slowed down by itself, and others by their own buckets.
    guess(&mina.api, &mina.email).await;
    let theirs = credentials(&jae.email, PASSWORD);
    jae.api.post("/auth/sign-in", &theirs).await.is(200);
}

#[tokio::test]
async fn a_network_counts_as_one() {
    let server = Launch::new().set("HTTP__PROXIES", "1").start().await;
    let api = Api::new(&server.url());
    let from = |address: String| api.get("/invitations/nonsense").header("X-Forwarded-For", &address);
    let mut refused = None;
    for n in 0..900 {
        let reply = from(format!("2001:db8:0:1::{n:x}")).await;
        if reply.status == 429 {
            refused = Some(n);
            break;
        }
    }
    assert!(refused.is_some(), "each address of the /64 had a bucket of its own");
    assert_eq!(from("2001:db8:0:2::1".to_owned()).await.status, 410);
    assert_eq!(from("192.0.2.1".to_owned()).await.status, 410);
}

#[tokio::test]
async fn nobody_fills_a_mailbox_with_invitations() {
    let team = Team::new().await;
    let other = Person::sign_up(&team.server.url(), "Other").await;
    let (second, _) = workspace(&other, "Second").await;
    let mine = |email: &str| {
        team.owner.api.post(&team.at("/invitations"), &json!({"email": email, "role": "member"}))
    };
    let theirs = |email: &str| {
        let path = format!("/workspaces/{second}/invitations");
        other.api.post(&path, &json!({"email": email, "role": "member"}))
    };
    mine("jae@example.com").await.is(201);
    theirs("jae@example.com").await.is(201);
    mine("JAE@example.com").await.is(201);
    for refused in [mine("jae@example.com").await, theirs("jae@example.com").await] {
        let refused = refused.problem(429, "too-many-requests");
        assert!(
            refused.str("detail").starts_with("This address was sent several invitations"),
            "{refused:?}"
        );
        assert!(seconds(&refused) > 60, "{refused:?}");
    }
    // What is not acceptable costs nothing, and others are not concerned.
    mine("not an address").await.invalid("email");
    mine("mina@example.com").await.is(201);
    theirs("mina@example.com").await.is(201);
}

/// Invites one after another until somebody says stop; how many went well, and what was said.
async fn invite_all(person: &Person, path: &str) -> (usize, Reply) {
    for n in 0..300 {
        let body = json!({"email": format!("{}.{n}@example.org", person.id), "role": "viewer"});
        let reply = person.api.post(path, &body).await;
        if reply.status != 201 {
            return (n, reply.problem(429, "too-many-requests"));
        }
    }
    panic!("nobody stopped us");
}

#[tokio::test]
async fn a_team_is_invited_at_once_and_a_town_is_not() {
    let team = Team::new().await;
    let (ada, eve) = (team.member("Ada", "admin").await, team.member("Eve", "admin").await);
    let path = team.at("/invitations");
    let (count, refused) = invite_all(&team.owner, &path).await;
    assert!((50..150).contains(&count), "{count}");
    assert!(refused.str("detail").starts_with("You have sent many invitations."), "{refused:?}");
    // In another workspace it is the same person.
    let (second, _) = workspace(&team.owner, "Second").await;
    let (count, _) = invite_all(&team.owner, &format!("/workspaces/{second}/invitations")).await;
    assert!(count < 10, "{count}");
    let (ada, eve) = (invite_all(&ada, &path).await, invite_all(&eve, &path).await);
    let others = [ada, eve];
    assert!(others.iter().map(|(count, _)| count).sum::<usize>() < 150, "{others:?}");
    let last = &others[1].1;
    assert!(last.str("detail").starts_with("Many invitations were sent for this workspace."), "{last:?}");
}
