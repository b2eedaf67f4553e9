//! The whole stack in this process, under a clock and ids of the test's own.

use std::{
    ffi::OsString,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fairy_jobs::{clock::Clock, id::IdSource, notice::Beginning, operation::VERSION};
use jiff::Timestamp;
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use ulid::Ulid;

use super::{Parts, Role, Stack};
use crate::{
    config::{self, Config, Source},
    lanes,
};

/// 2026-11-02, a Monday.
const BEGIN: i64 = 1_793_600_000_000;

struct ManualClock(AtomicI64);

impl ManualClock {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

struct SeededIds(Mutex<StdRng>);

impl IdSource for SeededIds {
    fn ulid(&self, at: Timestamp) -> Ulid {
        let random: u128 = self.0.lock().unwrap().random();
        Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap(), random >> 48)
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill_bytes(bytes);
    }
}

fn parts() -> (Arc<ManualClock>, Parts) {
    let clock = Arc::new(ManualClock(AtomicI64::new(BEGIN)));
    let ids = Arc::new(SeededIds(Mutex::new(StdRng::seed_from_u64(7))));
    (clock.clone(), Parts { clock, ids, name: "test".to_owned(), version: VERSION })
}

fn config(directory: &Path) -> Config {
    let variable = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
    let variables = vec![
        variable("FAIRY__DATA_DIR", directory.to_str().unwrap()),
        variable("FAIRY__HTTP__ADDRESS", "127.0.0.1:0"),
        variable("FAIRY__HTTP__ADMIN_ADDRESS", "127.0.0.1:0"),
    ];
    config::load(Source { file: None, variables }).unwrap().0
}

/// A signed-in person.
struct Person {
    client: Client,
    base: String,
    csrf: String,
}

impl Person {
    async fn sign_up(stack: &Stack, name: &str) -> Self {
        let client = Client::builder().cookie_store(true).build().unwrap();
        let base = format!("http://{}/v1", stack.address().unwrap());
        let mut person = Self { client, base, csrf: String::new() };
        let account = json!({
            "email": format!("{}@example.com", name.to_lowercase()),
            "password": "four small green frogs",
            "name": name,
        });
        let answer = person.post("/auth/sign-up", account, StatusCode::CREATED).await;
        person.csrf = answer["csrf_token"].as_str().unwrap().to_owned();
        person
    }

    async fn post(&self, path: &str, body: Value, expected: StatusCode) -> Value {
        let url = format!("{}{path}", self.base);
        let request = self.client.post(url).header("X-CSRF-Token", &self.csrf).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, expected, "POST {path}: {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.client.get(format!("{}{path}", self.base)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "GET {path}");
        answer.json().await.unwrap()
    }
}

/// The subjects of the mails in the directory, sorted.
fn subjects(directory: &Path) -> Vec<String> {
    let mails = std::fs::read_dir(directory.join("mail")).unwrap();
    let mut subjects: Vec<_> = mails
        .map(|mail| std::fs::read_to_string(mail.unwrap().path()).unwrap())
        .map(|text| text.lines().find_map(|line| line.strip_prefix("Subject: ").map(str::to_owned)).unwrap())
        .collect();
    subjects.sort();
    subjects
}

/// A task that Mina makes for Joon, whom she invited.
async fn a_task_for_joon(stack: &Stack, directory: &Path) -> (Person, Person, Value) {
    let mina = Person::sign_up(stack, "Mina").await;
    let joon = Person::sign_up(stack, "Joon").await;
    mina.post("/workspaces", json!({ "name": "Acme" }), StatusCode::CREATED).await;
    mina.post("/workspaces/acme/projects", json!({ "key": "WEB", "name": "Web" }), StatusCode::CREATED).await;
    let invitation = json!({ "email": "joon@example.com", "role": "member" });
    mina.post("/workspaces/acme/invitations", invitation, StatusCode::CREATED).await;
    stack.drain().await.unwrap();
    let code = invitation_code(directory);
    joon.post(&format!("/invitations/{code}/accept"), json!({}), StatusCode::OK).await;
    let joon_id = joon.get("/me").await["user"]["id"].clone();
    let task = json!({ "project": "WEB", "title": "Fix the login", "assignees": [joon_id] });
    let task = mina.post("/workspaces/acme/tasks", task, StatusCode::CREATED).await;
    (mina, joon, task)
}

/// The code in the link of the one invitation that was mailed.
fn invitation_code(directory: &Path) -> String {
    let mails = std::fs::read_dir(directory.join("mail")).unwrap();
    let codes = mails.filter_map(|mail| {
        // Quoted-printable breaks lines with a trailing `=`.
        let text = std::fs::read_to_string(mail.unwrap().path()).unwrap().replace("=\r\n", "");
        let (_, rest) = text.split_once("/invitations/")?;
        Some(rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect())
    });
    codes.last().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_is_applied_and_told_once_and_nothing_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let (clock, parts) = parts();
    let stack = Stack::start(&config(directory.path()), parts, &Role::Up).await.unwrap();
    let (_mina, joon, task) = a_task_for_joon(&stack, directory.path()).await;
    assert_eq!(task["key"], "WEB-1");

    let drained = stack.drain().await.unwrap();
    assert!(drained.dead.is_empty(), "{:?}", drained.dead);
    assert_eq!(drained.later, 0);
    let told = subjects(directory.path());
    assert_eq!(told.iter().filter(|subject| subject.starts_with("WEB-1")).count(), 1, "{told:?}");
    let changes = joon.get("/workspaces/acme/changes").await;
    let activity = joon.get("/workspaces/acme/activity").await;
    assert_eq!(changes["items"].as_array().unwrap().len(), activity["items"].as_array().unwrap().len());

    let admin = |path: &str| reqwest::get(format!("http://{}{path}", stack.admin_address));
    assert_eq!(admin("/health/ready").await.unwrap().status(), StatusCode::OK);
    assert_eq!(admin("/v1/me").await.unwrap().status(), StatusCode::NOT_FOUND);
    let figures = admin("/metrics").await.unwrap().text().await.unwrap();
    assert!(figures.contains("\nfairy_lane_jobs{lane=\"operations\",state=\"waiting\"} 0\n"), "{figures}");

    // What was done stays done, whatever the time.
    clock.advance(Duration::from_secs(24 * 60 * 60));
    stack.drain().await.unwrap();
    assert_eq!(subjects(directory.path()), told);
    stack.stop().await.unwrap();
}

/// What `/metrics` says, once it says this.
async fn figures(stack: &Stack, wanted: &str) -> String {
    let mut look = tokio::time::interval(Duration::from_millis(20));
    let until = tokio::time::Instant::now() + Duration::from_secs(30);
    loop {
        look.tick().await;
        let page = reqwest::get(format!("http://{}/metrics", stack.admin_address)).await.unwrap();
        let text = page.text().await.unwrap();
        if text.contains(&format!("\n{wanted}\n")) {
            return text;
        }
        assert!(tokio::time::Instant::now() < until, "{wanted} was never said:\n{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted_and_what_is_lost_too() {
    let directory = tempfile::tempdir().unwrap();
    let (clock, parts) = parts();
    let stack = Stack::start(&config(directory.path()), parts, &Role::Up).await.unwrap();
    let (mina, ..) = a_task_for_joon(&stack, directory.path()).await;
    stack.drain().await.unwrap();
    let text = figures(&stack, "fairy_unconfirmed_operations 0").await;
    for line in [
        "fairy_accepted_operations_total 1",
        "fairy_accept_seconds_count 1",
        "fairy_applied_operations_total 1",
        "fairy_apply_seconds_count 1",
        "fairy_lane_attempts_total{lane=\"operations\"} 1",
        "fairy_lane_ends_total{end=\"done\",lane=\"operations\"} 1",
        "fairy_lane_pushed_jobs_total{lane=\"operations\"} 1",
        "fairy_lane_wait_seconds_count{lane=\"operations\"} 1",
        "fairy_lane_work_seconds_count{lane=\"operations\"} 1",
        "fairy_sink_seconds_count{sink=\"mail\"} 4",
        "fairy_unaccounted_operations 0",
        "fairy_streams 0",
    ] {
        assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
    }
    assert!(text.contains("fairy_sink_seconds_count{sink=\"activity_log\"}"), "{text}");

    // Somebody takes an accepted operation out of the file.
    stack.opened.queue.pause(&lanes::OPERATIONS, None, "test").await.unwrap();
    let address = format!("{}/workspaces/acme/tasks", mina.base);
    let lost = mina.client.post(address).header("X-CSRF-Token", &mina.csrf).header("Prefer", "respond-async");
    let lost = lost.json(&json!({ "project": "WEB", "title": "Lost" })).send().await.unwrap();
    assert_eq!(lost.status(), StatusCode::ACCEPTED);
    let url = format!("sqlite://{}", directory.path().join("queue.db").display());
    let mut file = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let gone = "DELETE FROM jobs WHERE unique_key LIKE 'op_%'";
    assert_eq!(sqlx::query(gone).execute(&mut file).await.unwrap().rows_affected(), 1);
    figures(&stack, "fairy_unconfirmed_operations 1").await;
    clock.advance(Duration::from_secs(60));
    figures(&stack, "fairy_unaccounted_operations 1").await;
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_finds_everything_and_a_second_start_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let stack = Stack::start(&config, parts().1, &Role::Up).await.unwrap();
    let (_, joon, task) = a_task_for_joon(&stack, directory.path()).await;
    let before = joon.get("/workspaces/acme/tasks").await;
    let refusal = Stack::start(&config, parts().1, &Role::Up).await.err().unwrap().to_string();
    assert!(refusal.starts_with("another `fairy up` runs on the data directory /"), "{refusal}");
    stack.stop().await.unwrap();

    let stack = Stack::start(&config, parts().1, &Role::Up).await.unwrap();
    let joon = Person { base: format!("http://{}/v1", stack.address().unwrap()), ..joon };
    let after = joon.get("/workspaces/acme/tasks").await;
    assert_eq!((&after, &after["items"][0]["id"]), (&before, &task["id"]));
    stack.drain().await.unwrap();
    assert_eq!(subjects(directory.path()).iter().filter(|subject| subject.starts_with("WEB-1")).count(), 1);
    stack.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_being_sent_at_a_kill_is_sent_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    let config = config(directory.path());
    let (clock, parts) = parts();
    let stack = Stack::start(&config, parts.clone(), &Role::Up).await.unwrap();
    let mina = Person::sign_up(&stack, "Mina").await;
    stack.drain().await.unwrap();
    assert_eq!(subjects(directory.path()).len(), 1);
    // While no worker sends, a mail is begun as a worker begins it, and nothing follows.
    stack.opened.queue.pause(&lanes::DELIVER, None, "test").await.unwrap();
    mina.post("/workspaces", json!({ "name": "Acme" }), StatusCode::CREATED).await;
    let invitation = json!({ "email": "joon@example.com", "role": "member" });
    mina.post("/workspaces/acme/invitations", invitation, StatusCode::CREATED).await;
    let due = stack
        .crew
        .as_ref()
        .unwrap()
        .services
        .deliveries
        .due(clock.now() + Duration::from_millis(1), 10)
        .await
        .unwrap();
    let lease = Duration::from_secs(75);
    let begun = stack
        .crew
        .as_ref()
        .unwrap()
        .services
        .deliveries
        .begin(&due, Beginning::Together, lease, clock.now())
        .await
        .unwrap();
    assert_eq!(begun.deliveries.len(), 1);
    stack.stop().await.unwrap();
    assert_eq!(subjects(directory.path()).len(), 1);

    let stack = Stack::start(&config, parts, &Role::Up).await.unwrap();
    stack.opened.queue.resume(&lanes::DELIVER, None, "test").await.unwrap();
    stack.drain().await.unwrap();
    assert_eq!(subjects(directory.path()).len(), 2);
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn a_busy_port_says_which_setting_to_change() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(directory.path());
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    config.http.address = taken.local_addr().unwrap();
    let refusal = Stack::start(&config, parts().1, &Role::Up).await.err().unwrap().to_string();
    assert!(refusal.ends_with("or set FAIRY__HTTP__ADDRESS to another address"), "{refusal}");
}
