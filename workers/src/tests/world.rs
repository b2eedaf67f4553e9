//! A small team whose operations are decided by the domain itself, so that the changes in these tests are real ones.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use fairy_jobs::{
    account::{Digest, Locale, TimeZone, User},
    change::Change,
    clock::Clock,
    email::EmailAddress,
    id::{CommentId, IdSource, OperationId, ProjectId, TaskId, UserId, WorkspaceId},
    operation::{End, Operation},
    state::State,
    team::{Member, Project, ProjectKey, Role, Workspace},
    text::{Name, Slug},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use ulid::Ulid;

pub(super) const WORKSPACE: WorkspaceId = WorkspaceId::from_bytes([9; 16]);
pub(super) const MINA: UserId = UserId::from_bytes([1; 16]);
pub(super) const JAE: UserId = UserId::from_bytes([2; 16]);
pub(super) const SORA: UserId = UserId::from_bytes([3; 16]);
pub(super) const TASK: TaskId = TaskId::from_bytes([5; 16]);
pub(super) const COMMENT: CommentId = CommentId::from_bytes([6; 16]);
const NAMES: [(UserId, &str); 3] = [(MINA, "Mina Kim"), (JAE, "Jae Park"), (SORA, "정소라")];

pub(super) fn start() -> Timestamp {
    "2026-11-22T08:23:00Z".parse().unwrap()
}

pub(super) fn names() -> Vec<(UserId, Name)> {
    NAMES.iter().map(|(id, name)| (*id, Name::parse(name).unwrap())).collect()
}

pub(super) fn email(id: UserId) -> EmailAddress {
    let place = NAMES.iter().position(|(known, _)| *known == id).unwrap();
    EmailAddress::parse(["mina@example.com", "jae@example.com", "sora@example.com"][place]).unwrap()
}

pub(super) fn user(id: UserId) -> User {
    let name = names().into_iter().find(|(known, _)| *known == id).unwrap().1;
    User {
        id,
        email: email(id),
        email_verified: true,
        name,
        time_zone: TimeZone::parse("Asia/Seoul").unwrap(),
        locale: Locale::English,
        digest: Digest::default(),
        created_at: start(),
    }
}

pub(super) fn workspace() -> Workspace {
    let (slug, name) = (Slug::parse("acme").unwrap(), Name::parse("Acme & Söhne").unwrap());
    Workspace { id: WORKSPACE, slug, name, seq: 0, created_at: start() }
}

/// The team, and everything it did.
pub(super) struct World {
    state: State,
    operations: u8,
}

impl World {
    pub(super) fn new() -> Self {
        let mut state = State::default();
        for (user, name) in names() {
            let member =
                Member { user, name, email: email(user), role: Some(Role::Member), joined_at: start() };
            state.members.insert(user, member);
        }
        for (byte, key) in [(7, "WEB"), (8, "OPS")] {
            let id = ProjectId::from_bytes([byte; 16]);
            let (key, name) = (ProjectKey::parse(key).unwrap(), Name::parse(key).unwrap());
            let created_at = start();
            let project = Project { id, workspace: WORKSPACE, key, name, last_number: 11, created_at };
            state.projects.insert(id, project);
        }
        Self { state, operations: 0 }
    }

    /// An operation with this command, by this person.
    pub(super) fn operation(&mut self, actor: UserId, command: &Value) -> Operation {
        self.operations += 1;
        let value = json!({
            "id": OperationId::from_bytes([self.operations; 16]),
            "workspace": WORKSPACE,
            "actor": actor,
            "source": "web",
            "command": command,
            "accepted_at": start(),
            "fingerprint": "ab".repeat(32),
        });
        serde_json::from_value(value).unwrap()
    }

    /// Does it, and returns what it changed.
    pub(super) fn does(&mut self, actor: UserId, command: &Value) -> Vec<Change> {
        let operation = self.operation(actor, command);
        let before = self.state.written.changes.len();
        let outcomes = self.state.run(&[operation], start());
        assert!(matches!(outcomes[0].end, End::Applied(_)), "{:?}", outcomes[0].end);
        self.state.written.changes[before..].to_vec()
    }

    /// Creates the task, assigned to nobody.
    pub(super) fn creates(&mut self, actor: UserId) -> Vec<Change> {
        self.does(actor, &json!({"create_task": {"task": TASK, "project": "WEB", "title": "Fix <login>"}}))
    }

    /// Changes fields of the task.
    pub(super) fn patches(&mut self, actor: UserId, mut fields: Value) -> Vec<Change> {
        fields["task"] = json!(TASK);
        self.does(actor, &json!({ "patch_task": fields }))
    }

    /// Comments on the task.
    pub(super) fn comments(&mut self, actor: UserId, body: &str) -> Vec<Change> {
        self.does(actor, &json!({"add_comment": {"task": TASK, "comment": COMMENT, "body": body}}))
    }
}

/// A clock that stands until it is moved.
pub(super) struct StoppedClock(Mutex<Timestamp>);

impl StoppedClock {
    pub(super) fn new() -> Self {
        Self(Mutex::new(start()))
    }

    pub(super) fn advance(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }

    pub(super) fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap() = at;
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Ids that count.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl IdSource for Counter {
    fn ulid(&self, at: Timestamp) -> Ulid {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap(), u128::from(number))
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}
