//! One client: makes up requests, repeats them until it has an answer, and keeps the account.

use std::{
    cell::Cell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fairy_jobs::operation::keyed_id;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    account::{Account, Intent, Known, Sent},
    world::Site,
};
use crate::{
    client::{Call, Reply},
    harness::{eventually, pass},
};

/// What all clients share.
#[derive(Default)]
pub struct Shared {
    /// What was sent.
    pub account: Mutex<Account>,
    /// How many answers came.
    pub answers: AtomicUsize,
    /// Set when the clients are to end.
    pub stop: AtomicBool,
    /// How long a client rests between two requests.
    pub rest: Duration,
    /// Whether the database may be away: then nobody can say of a repeat more than that it is accepted.
    pub may_be_away: bool,
}

/// A request that was made up.
struct Request {
    method: Method,
    path: String,
    body: Option<Value>,
    header: Option<(&'static str, String)>,
    intent: Intent,
}

/// A client.
pub struct Client<'a> {
    site: &'a Site,
    number: (usize, usize, usize),
    shared: Arc<Shared>,
    random: StdRng,
    count: usize,
    /// Where the system answers; each request goes to the next.
    doors: Vec<String>,
    knocks: Cell<usize>,
}

impl<'a> Client<'a> {
    /// The client of a number, for the workspace and person of these numbers.
    pub fn new(site: &'a Site, number: (usize, usize, usize), shared: Arc<Shared>, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed ^ (number.2 as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        Self { site, number, shared, random, count: 0, doors: Vec::new(), knocks: Cell::new(number.2) }
    }

    /// One that goes to these doors in turn, as a load balancer lets it.
    pub fn by(self, doors: &[String]) -> Self {
        Self { doors: doors.to_vec(), ..self }
    }

    /// Writes until it is told to end.
    pub async fn run(mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            self.count += 1;
            if !self.shared.rest.is_zero() {
                pass(self.shared.rest).await;
            }
            if self.random.random_ratio(1, 20) {
                self.batch().await;
            } else {
                self.one().await;
            }
        }
    }

    fn key(&self) -> String {
        format!("{}-{}", self.number.2, self.count)
    }

    fn call(&self, request: &Request) -> Call {
        let door = &self.doors[self.knocks.replace(self.knocks.get() + 1) % self.doors.len()];
        let api = self.site.people[self.number.1].api.at(door);
        let call = api.call(&request.method, &request.path).key(&self.key());
        let call = match &request.body {
            Some(body) => call.json(body),
            None => call,
        };
        match &request.header {
            Some((name, value)) => call.header(name, value),
            None => call,
        }
    }

    async fn one(&mut self) {
        let request = self.make_up();
        let person = &self.site.people[self.number.1];
        let id = keyed_id(person.id.parse().unwrap(), self.site.id.parse().unwrap(), &self.key()).to_string();
        let patience = !self.random.random_ratio(1, 4);
        let reply = self.answer(&request, patience).await;
        let known = match &reply {
            None => Known::Nothing,
            Some(reply) => {
                assert_eq!(reply.header("Operation-Id"), Some(id.as_str()), "{reply:?}");
                if reply.status == 202 {
                    Known::Accepted
                } else {
                    Known::Ended(reply.status, reply.body.clone())
                }
            }
        };
        if let (Intent::Create(_), Some(reply)) = (&request.intent, &reply) {
            let task = if reply.status == 202 { &reply["resource"]["id"] } else { &reply["id"] };
            let id = task.as_str().unwrap_or_else(|| panic!("a task has an id: {reply:?}"));
            self.site.tasks.lock().unwrap().push(id.to_owned());
        }
        if let Known::Ended(status, body) = &known
            && self.random.random_ratio(1, 10)
            && let Some(again) = self.answer(&request, false).await
            && (again.status != 202 || !self.shared.may_be_away)
        {
            assert_eq!(again.header("Idempotency-Replayed"), Some("true"), "{again:?}");
            assert_eq!((again.status, &again.body), (*status, body), "a replay is another answer");
            self.shared.account.lock().unwrap().replayed += 1;
        }
        self.keep(id, request.intent, known);
    }

    fn keep(&self, id: String, intent: Intent, known: Known) {
        let sent = Sent { site: self.number.0, actor: self.number.1, intent, known };
        self.shared.account.lock().unwrap().keep(id, sent);
    }

    async fn batch(&mut self) {
        let mut items = Vec::new();
        let mut intents = Vec::new();
        for index in 0..self.random.random_range(2..9) {
            let title = format!("{} item {index}", self.mark());
            let mut item = json!({"title": title});
            match self.task().filter(|_| self.random.random_ratio(1, 2)) {
                Some(task) => {
                    item["task"] = json!(task);
                    intents.push(Intent::Retitle(title));
                }
                None => {
                    item["project"] = json!("OPS");
                    intents.push(Intent::Create(title));
                }
            }
            items.push(item);
        }
        let path = self.site.at("/tasks/batch");
        let body = Some(json!({ "items": items }));
        let request = Request { method: Method::POST, path, body, header: None, intent: Intent::Other };
        // Whoever gives up on a batch could not name its operations afterwards.
        let reply = self.answer(&request, true).await.expect("it is asked for until it is answered");
        let operations = reply.is(202).body["operations"].as_array().expect("operations").clone();
        assert_eq!(operations.len(), intents.len());
        for (operation, intent) in operations.iter().zip(intents) {
            let id = operation["id"].as_str().expect("an id").to_owned();
            if matches!(intent, Intent::Create(_)) {
                let task = operation["resource"]["id"].as_str().expect("a task").to_owned();
                self.site.tasks.lock().unwrap().push(task);
            }
            self.keep(id, intent, Known::Accepted);
        }
    }

    /// The answer: the first that says something, or none if the connection broke and there is no patience.
    async fn answer(&self, request: &Request, patience: bool) -> Option<Reply> {
        let broke = Cell::new(false);
        let answered = eventually(Duration::from_secs(120), || async {
            let Ok(reply) = self.call(request).attempt().await else {
                if !broke.replace(true) {
                    self.shared.account.lock().unwrap().broken += 1;
                }
                return (!patience).then_some(None);
            };
            match reply.status {
                // Certainly not accepted, or not known yet: the same again.
                429 | 503 | 504 => None,
                200..=204 | 403 | 404 | 409 | 412 | 422 => Some(Some(reply)),
                _ => panic!("{reply:?}"),
            }
        });
        let Some(answer) = answered.await else {
            panic!("{} {} had no answer in two minutes", request.method, request.path);
        };
        self.shared.answers.fetch_add(1, Ordering::Relaxed);
        answer
    }

    fn mark(&self) -> String {
        format!("mark {} end", self.key())
    }

    fn task(&mut self) -> Option<String> {
        let tasks = self.site.tasks.lock().unwrap();
        tasks.choose(&mut self.random).cloned()
    }

    fn person(&mut self) -> usize {
        self.random.random_range(0..self.site.people.len())
    }

    fn make_up(&mut self) -> Request {
        let Some(task) = self.task() else { return self.create() };
        let path = self.site.at(&format!("/tasks/{task}"));
        let other = self.person();
        let other = self.site.people[other].id.clone();
        let either = if self.random.random_ratio(2, 3) { Method::PUT } else { Method::DELETE };
        let bare = |method: Method, path: String| Request {
            method,
            path,
            body: None,
            header: None,
            intent: Intent::Other,
        };
        let mut request = match self.random.random_range(0..100) {
            0..25 => self.create(),
            25..55 => self.patch(path),
            55..75 => self.comment(&path),
            75..85 => bare(either, format!("{path}/assignees/{other}")),
            85..90 => bare(either, format!("{path}/watchers/{other}")),
            90..95 => bare(either, format!("{path}/labels/l{}", self.count % 5)),
            95..97 => bare(Method::DELETE, path),
            _ => Request { body: Some(json!({})), ..bare(Method::POST, format!("{path}/restore")) },
        };
        if request.header.is_none() && self.random.random_ratio(1, 3) {
            request.header = Some(("Prefer", "respond-async".to_owned()));
        }
        request
    }

    fn create(&mut self) -> Request {
        let title = self.mark();
        let project = if self.random.random_ratio(1, 3) { "OPS" } else { "WEB" };
        let mut body = json!({"project": project, "title": title});
        if self.random.random_ratio(1, 3) {
            let person = self.person();
            body["assignees"] = json!([self.site.people[person].id]);
        }
        let intent = Intent::Create(title);
        Request { method: Method::POST, path: self.site.at("/tasks"), body: Some(body), header: None, intent }
    }

    fn patch(&mut self, path: String) -> Request {
        let title = self.mark();
        let mut body = json!({"title": title});
        match self.random.random_range(0..6) {
            0 => body["status"] = json!("done"),
            1 => body["progress"] = json!(self.random.random_range(0..100)),
            2 => body["project"] = json!(if self.random.random_ratio(1, 2) { "OPS" } else { "WEB" }),
            3 => {
                let person = self.person();
                body["assignees"] = json!([self.site.people[person].id]);
            }
            _ => {}
        }
        let guess = self.random.random_range(1..4);
        let header = self.random.random_ratio(1, 10).then(|| ("If-Match", format!("\"{guess}\"")));
        Request { method: Method::PATCH, path, body: Some(body), header, intent: Intent::Retitle(title) }
    }

    fn comment(&mut self, path: &str) -> Request {
        let mut text = self.mark();
        if self.random.random_ratio(1, 3) {
            let person = self.person();
            text = format!("@{} {text}", self.site.people[person].name);
        }
        let body = Some(json!({ "body": text }));
        let path = format!("{path}/comments");
        Request { method: Method::POST, path, body, header: None, intent: Intent::Comment(text) }
    }
}
