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
