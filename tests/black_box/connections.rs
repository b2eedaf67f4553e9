//! What a connection may take: requests at once, bytes that anybody may send, the wait for an answer.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

use crate::{harness::Server, team::Team};

/// `SETTINGS_MAX_CONCURRENT_STREAMS` (RFC 9113 §6.5.2).
const MAX_CONCURRENT_STREAMS: u16 = 3;

#[tokio::test]
async fn a_connection_of_http_2_has_a_limit_of_requests_at_once() {
    let server = Server::new().await;
    let mut stream = TcpStream::connect(server.url().replace("http://", "")).await.unwrap();
    // The preface of a client, and its own settings, which say nothing.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "the first frame of a server is its settings");
    let length = usize::from(head[1]) << 8 | usize::from(head[2]);
    let mut settings = vec![0; length];
    stream.read_exact(&mut settings).await.unwrap();
    let streams = settings.chunks(6).find(|s| u16::from_be_bytes([s[0], s[1]]) == MAX_CONCURRENT_STREAMS);
    let streams = streams.map(|s| u32::from_be_bytes([s[2], s[3], s[4], s[5]]));
    assert!(streams.is_some_and(|most| (1..=200).contains(&most)), "{streams:?}");
}

#[tokio::test]
async fn what_anybody_may_send_is_small() {
    let team = Team::new().await;
    let api = team.owner.api.stranger();
    let body = json!({"email": "a@example.com", "password": "x".repeat(20_000)});
    for path in ["/auth/sign-in", "/auth/sign-up", "/auth/password-reset"] {
        api.post(path, &body).await.problem(413, "body-too-large");
    }
    team.task_with(json!({"title": "Members may", "body": "x".repeat(18_000)})).await;
}

#[tokio::test]
async fn a_request_waits_ten_seconds_for_its_outcome_unless_it_says_otherwise() {
    let team = Team::new().await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let create =
        |title: &str| team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": title}));
    let start = Instant::now();
    let none = create("Not at all").header("Prefer", "wait=0").await.is(202);
    assert!(start.elapsed().as_secs() < 8, "{:?}", start.elapsed());
    assert_eq!(none.header("Preference-Applied"), Some("wait=0"));
    let start = Instant::now();
    let default = create("By default").await.is(202);
    assert!((9..30).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(default.header("Preference-Applied"), None);
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let long = create("For long").header("Prefer", "wait=3600").await.is(201);
    assert_eq!(long.header("Preference-Applied"), Some("wait=60"), "no request waits longer");
}

#[tokio::test]
async fn the_documentation_is_there_and_a_problem_leads_to_it() {
    let server = Server::new().await;
    let api = crate::client::Api::new(&server.url());
    let docs = api.page("/docs").await.is(200);
    assert!(docs.text.contains("create_task"));
    let policy = docs.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'") && policy.contains("script-src 'sha256-"), "{policy}");
    let problem = api.get("/me").await.problem(401, "unauthenticated");
    let (page, anchor) = problem.body["type"].as_str().and_then(|url| url.split_once('#')).unwrap();
    let page = api.page(page.strip_prefix(&server.url()).expect("it leads to this server")).await.is(200);
    assert!(page.text.contains(&format!("<h2 id=\"{anchor}\">")), "{anchor}");
    let security =
        ["content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"];
    for answer in [&docs, &page, &problem] {
        for name in security {
            assert!(answer.header(name).is_some(), "{name}: {answer:?}");
        }
    }
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
}
