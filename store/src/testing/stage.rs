//! A store on a database of its own, a clock that stands, ids that count, and people to work with.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use std::time::Duration;

use fairy_jobs::{
    account::{Digest, Locale, TimeZone, User},
    clock::Clock,
    command::{Command, CreateTask, ProjectName, TaskName},
    email::EmailAddress,
    id::{DeliveryId, IdSource, InvitationId, OperationId, ProjectId, TaskId, UserId, WorkspaceId},
    lane::Sink,
    notice::{Beginning, Delivery},
    operation::{Fingerprint, Operation, Outcome, Source},
    ports::{Accounts as _, Deliveries as _, Ledger as _, PortError, PortResult, Tasks as _, Teams as _},
    problem::ProblemKind,
    rights::Scope,
    task::{Priority, Task},
    team::{ProjectKey, Role},
    team_command::{Ask, TeamCommand},
    text::{Body, Name, Slug, Title},
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use ulid::Ulid;

use super::servers::{self, On};
use crate::{Database, Options, Server, Store};

/// How long a delivery that was begun is in hand.
pub const LEASE: Duration = Duration::from_secs(60);
/// When every test begins.
pub const START: i64 = 1_750_000_000_000;

pub struct Watch(AtomicI64);

impl Watch {
    pub fn advance(&self, by: SignedDuration) {
        let by = i64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// Ids that count up, so that tests replay.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl IdSource for Counter {
    fn ulid(&self, at: Timestamp) -> Ulid {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap(), n.into())
    }

    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, value) in bytes.iter_mut().zip(n.iter().cycle()) {
            *byte = *value;
        }
    }
}

pub struct Stage {
    pub store: Store,
    pub clock: Arc<Watch>,
    pub ids: Arc<Counter>,
    pub directory: TempDir,
    pub database: Database,
    engine: On,
}

impl Stage {
    pub async fn new() -> Self {
        Self::on(On::Sqlite).await.unwrap()
    }

    /// On this engine; `None` if it is one that may be missing and is.
    pub async fn on(engine: On) -> Option<Self> {
        Self::with(engine, &Sink::ALL).await
    }

    /// On the same engine, with these sinks in use.
    pub async fn beside(&self, sinks: &[Sink]) -> Self {
        Self::with(self.engine, sinks).await.unwrap()
    }

    async fn with(engine: On, sinks: &[Sink]) -> Option<Self> {
        let directory = TempDir::new().unwrap();
        let database = match engine {
            On::Sqlite => Database::File(directory.path().join("fairy.db")),
            On::MariaDb | On::MySql => Database::Server(Server::at(servers::database(engine).await?)),
        };
        let (clock, ids) = (Arc::new(Watch(AtomicI64::new(START))), Arc::new(Counter::default()));
        let options = Options {
            database: database.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            sinks: sinks.to_vec(),
        };
        let store = Store::open(options).await.unwrap();
        store.migrate().await.unwrap();
        Some(Self { store, clock, ids, directory, database, engine })
    }

    /// An empty database beside this stage's.
    pub async fn fresh(&self) -> Database {
        match self.engine {
            On::Sqlite => Database::File(self.directory.path().join("fresh.db")),
            server => Database::Server(Server::at(servers::database(server).await.unwrap())),
        }
    }

    /// How this stage's database is opened, or another one.
    pub fn options(&self, database: Database, sinks: &[Sink]) -> Options {
        Options { database, clock: self.clock.clone(), ids: self.ids.clone(), sinks: sinks.to_vec() }
    }

    /// Another store on the same database.
    pub async fn again(&self, sinks: &[Sink]) -> Store {
        Store::open(self.options(self.database.clone(), sinks)).await.unwrap()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn user_named(&self, id: UserId, name: &str, email: &str) -> User {
        User {
            id,
            email: EmailAddress::parse(email).unwrap(),
            email_verified: false,
            name: Name::parse(name).unwrap(),
            time_zone: TimeZone::parse("Asia/Seoul").unwrap(),
            locale: Locale::Korean,
            digest: Digest::default(),
            created_at: self.now(),
        }
    }

    /// Signs somebody up.
    pub async fn person(&self, name: &str) -> User {
        let id = UserId::generate(&*self.ids, self.now());
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let user = self.user_named(id, name, &email);
        self.store.create_user(&user, "hash").await.unwrap();
        user
    }

    pub fn ask(&self, workspace: WorkspaceId, actor: UserId) -> Ask {
        Ask { workspace, actor, scope: Scope::Admin, source: Source::web(), at: self.now() }
    }

    /// A workspace with an owner and a project `WEB`.
    pub async fn team(&self, owner: &User) -> Team {
        let workspace = WorkspaceId::generate(&*self.ids, self.now());
        self.team_with(workspace, ProjectId::generate(&*self.ids, self.now()), owner).await
    }

    /// A workspace of this id with an owner and a project `WEB` of that id.
    pub async fn team_with(&self, workspace: WorkspaceId, project: ProjectId, owner: &User) -> Team {
        let name = Name::parse("The Team").unwrap();
        let ask = self.ask(workspace, owner.id);
        self.store.create_workspace(&ask, &name, &Slug::from_name(&name), false).await.unwrap();
        let team = Team { workspace, owner: owner.id, project };
        self.project(&team, project, "WEB").await;
        team
    }

    pub async fn project(&self, team: &Team, id: ProjectId, key: &str) {
        let (key, name) = (ProjectKey::parse(key).unwrap(), Name::parse(key).unwrap());
        self.command(team, team.owner, &TeamCommand::CreateProject { id, key, name }).await;
    }

    pub fn delivery(&self) -> DeliveryId {
        DeliveryId::generate(&*self.ids, self.now())
    }

    /// What tells somebody something now.
    pub fn tell(&self) -> (DeliveryId, Timestamp) {
        (self.delivery(), self.now())
    }

    /// Begins deliveries as one that is alone is begun.
    pub async fn begin(&self, ids: &[DeliveryId]) -> Vec<Delivery> {
        self.store.begin(ids, Beginning::Alone, LEASE, self.now()).await.unwrap().deliveries
    }

    pub async fn command(&self, team: &Team, actor: UserId, command: &TeamCommand) {
        let ask = self.ask(team.workspace, actor);
        self.store.execute(&ask, command, self.delivery()).await.unwrap();
    }

    /// Invites somebody, who accepts.
    pub async fn join(&self, team: &Team, user: &User, role: Role) {
        let id = InvitationId::generate(&*self.ids, self.now());
        let expires_at = self.now() + SignedDuration::from_hours(72);
        let invite = TeamCommand::Invite { id, email: user.email.clone(), role, expires_at };
        self.command(team, team.owner, &invite).await;
        self.command(team, user.id, &TeamCommand::Accept { id }).await;
    }

    pub async fn remove(&self, team: &Team, user: UserId) {
        self.command(team, team.owner, &TeamCommand::Remove { user }).await;
    }

    pub fn operation(&self, team: &Team, actor: UserId, command: Command) -> Operation {
        let id = OperationId::generate(&*self.ids, self.now());
        Operation {
            id,
            workspace: team.workspace,
            actor,
            source: Source::web(),
            command,
            if_match: None,
            accepted_at: self.now(),
            fingerprint: Fingerprint::of(&[&id.to_bytes()]),
            retry_of: None,
            reply_to: None,
            trace: None,
        }
    }

    pub fn new_task(&self, team: &Team, title: &str) -> CreateTask {
        CreateTask {
            task: TaskId::generate(&*self.ids, self.now()),
            project: ProjectName::Id(team.project),
            title: Title::parse(title).unwrap(),
            body: Body::default(),
            assignees: [].into(),
            due: None,
            priority: Priority::Normal,
            labels: [].into(),
            progress: None,
            status: None,
        }
    }

    /// Applies commands of one person.
    pub async fn apply(&self, team: &Team, actor: UserId, commands: Vec<Command>) -> Vec<Outcome> {
        let operations: Vec<_> = commands.into_iter().map(|c| self.operation(team, actor, c)).collect();
        self.store.apply(team.workspace, &operations, self.now()).await.unwrap().outcomes
    }

    /// Creates a task of the owner and reads it again.
    pub async fn task(&self, team: &Team, create: CreateTask) -> Task {
        let id = create.task;
        self.apply(team, team.owner, vec![Command::CreateTask(create)]).await;
        self.store.task(team.workspace, &TaskName::Id(id)).await.unwrap().unwrap()
    }
}

/// The kind of the problem with which the domain refused.
pub fn refusal<T: std::fmt::Debug>(result: PortResult<T>) -> ProblemKind {
    match result {
        Err(PortError::Refused(problem)) => problem.kind,
        other => panic!("not refused: {other:?}"),
    }
}

pub struct Team {
    pub workspace: WorkspaceId,
    pub owner: UserId,
    pub project: ProjectId,
}
