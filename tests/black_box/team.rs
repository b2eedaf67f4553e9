//! People and their workspace, made through the API as they would make them themselves.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::{
    client::{Api, Reply},
    harness::{Launch, Server, wait_until},
    mailbox::{self, Letter},
};

/// A password that the rules accept.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody with an account, signed in.
#[derive(Clone)]
pub struct Person {
    /// Their browser.
    pub api: Api,
    /// `usr_…`.
    pub id: String,
    /// Their address.
    pub email: String,
    /// What they are called.
    pub name: String,
}

impl Person {
    /// Signs up at the server with an address made of the name.
    pub async fn sign_up(url: &str, name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let local: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let email = format!("{local}.{}@example.com", NEXT.fetch_add(1, Ordering::Relaxed));
        Self::sign_up_as(url, name, &email).await
    }

    /// Signs up with this address.
    pub async fn sign_up_as(url: &str, name: &str, email: &str) -> Self {
        let api = Api::new(url);
        let body = json!({"email": email, "password": PASSWORD, "name": name});
        let reply = api.post("/auth/sign-up", &body).await.is(201);
        let csrf = reply.str("csrf_token");
        Self {
            api: api.with_csrf(&csrf),
            id: reply["user"]["id"].as_str().expect("a user has an id").to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
        }
    }

    /// A token with these scopes that does not expire.
    pub async fn token(&self, scopes: &[&str]) -> Api {
        let reply = self.api.post("/me/tokens", &json!({"name": "test", "scopes": scopes})).await.is(201);
        self.api.with_token(&reply.str("token"))
    }
}

/// A server with a workspace that has one project, `WEB`.
pub struct Team {
    /// The server.
    pub server: Server,
    /// Who made the workspace.
    pub owner: Person,
    /// `wsp_…`.
    pub id: String,
    /// Its name in URLs.
    pub slug: String,
}

impl Team {
    /// On a server of its own.
    pub async fn new() -> Self {
        Self::on(Server::new().await).await
    }

    /// On a server started so.
    pub async fn launch(launch: Launch) -> Self {
        Self::on(launch.start().await).await
    }

    /// On this server.
    pub async fn on(server: Server) -> Self {
        let owner = Person::sign_up(&server.url(), "Olga Owner").await;
        let (id, slug) = workspace(&owner, "Acme").await;
        let team = Self { server, owner, id, slug };
        team.project("WEB").await;
        team
    }

    /// A path in the workspace.
    pub fn at(&self, path: &str) -> String {
        format!("/workspaces/{}{path}", self.id)
    }

    /// Makes another project; its id.
    pub async fn project(&self, key: &str) -> String {
        let body = json!({"key": key, "name": format!("Project {key}")});
        self.owner.api.post(&self.at("/projects"), &body).await.is(201).str("id")
    }

    /// Signs somebody up, invites them by mail and lets them accept.
    pub async fn member(&self, name: &str, role: &str) -> Person {
        let person = Person::sign_up(&self.server.url(), name).await;
        self.admit(&person, role).await;
        person
    }

    /// Invites somebody who has an account, and lets them accept.
    pub async fn admit(&self, person: &Person, role: &str) {
        let code = self.invite(&person.email, role).await;
        let answer = person.api.post(&format!("/invitations/{code}/accept"), &json!({})).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
    }

    /// Invites an address and reads the code out of the mail.
    pub async fn invite(&self, email: &str, role: &str) -> String {
        let before = self.invitations_to(email).len();
        let body = json!({"email": email, "role": role});
        self.owner.api.post(&self.at("/invitations"), &body).await.is(201);
        let letter = wait_until("the invitation's mail is there", || async {
            let mut letters = self.invitations_to(email);
            if letters.len() > before { letters.pop() } else { None }
        });
        letter.await.code("invitations")
    }

    fn invitations_to(&self, email: &str) -> Vec<Letter> {
        let invites = |l: &Letter| l.to == email && l.text.contains("/invitations/");
        self.letters().into_iter().filter(invites).collect()
    }

    /// Makes a task in `WEB` as the owner, waiting for it.
    pub async fn task(&self, title: &str) -> Reply {
        self.task_with(json!({"title": title})).await
    }

    /// Makes a task in `WEB` with these fields as the owner, waiting for it.
    pub async fn task_with(&self, mut fields: Value) -> Reply {
        let given = fields.as_object_mut().expect("fields");
        given.entry("project").or_insert_with(|| json!("WEB"));
        self.owner.api.post(&self.at("/tasks"), &fields).await.is(201)
    }

    /// All changes of the workspace, oldest first.
    pub async fn changes(&self) -> Vec<Value> {
        changes(&self.owner.api, &self.id).await
    }

    /// The number of the workspace's last change.
    pub async fn seq(&self) -> u64 {
        self.changes().await.last().and_then(|c| c["seq"].as_u64()).unwrap_or(0)
    }

    /// The changes that this operation made.
    pub async fn changes_of(&self, operation: &str) -> Vec<Value> {
        let mut changes = self.changes().await;
        changes.retain(|change| change["operation"] == operation);
        changes
    }

    /// The mails so far.
    pub fn letters(&self) -> Vec<Letter> {
        mailbox::letters(self.server.data())
    }

    /// Waits for a mail.
    pub async fn letter(&self, what: &str, wanted: impl Fn(&Letter) -> bool) -> Letter {
        mailbox::letter(self.server.data(), what, wanted).await
    }

    /// Waits until all that happened so far was told to everybody concerned.
    pub async fn told(&self) {
        told(&self.owner.api, &self.id).await;
    }
}

/// Makes a workspace; its id and slug.
pub async fn workspace(owner: &Person, name: &str) -> (String, String) {
    let reply = owner.api.post("/workspaces", &json!({"name": name})).await.is(201);
    (reply.str("id"), reply.str("slug"))
}

/// All changes of a workspace, oldest first.
pub async fn changes(api: &Api, workspace: &str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().and_then(|c| c["seq"].as_u64()).unwrap_or(0);
        let path = format!("/workspaces/{workspace}/changes?after={after}&limit=200");
        let mut page = api.get(&path).await.is(200).body;
        let items = page["items"].as_array_mut().expect("a list has items");
        if items.is_empty() {
            return all;
        }
        all.append(items);
    }
}

/// Waits until every task's receipts say of everybody that they were told, or why not.
///
/// A sink follows the feed in order, so once the receipts know the last change of a task, they know all before it;
/// watching oneself concerns nobody and may never be in a receipt.
pub async fn told(api: &Api, workspace: &str) {
    let mut last: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    for change in changes(api, workspace).await {
        let quiet = change["kind"] == "task.watchers_changed";
        if let (Some(task), false) = (change["task"]["id"].as_str(), quiet) {
            last.insert(task.to_owned(), change["seq"].as_u64().expect("a number"));
        }
    }
    for (task, seq) in last {
        wait_until("everybody concerned was told", || async {
            let receipts = api.all(&format!("/workspaces/{workspace}/tasks/{task}/receipts")).await;
            let known = receipts.iter().any(|r| numbers(&r["changes"]).contains(&seq));
            (known && receipts.iter().all(ended)).then_some(())
        })
        .await;
    }
}

/// The numbers in a JSON list.
pub fn numbers(list: &Value) -> Vec<u64> {
    list.as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

fn ended(receipt: &Value) -> bool {
    let deliveries = receipt["deliveries"].as_array();
    deliveries.into_iter().flatten().all(|d| !matches!(d["state"].as_str(), Some("pending" | "sending")))
}
