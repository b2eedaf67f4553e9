//! What applying costs, beside the floor of the machine taken in the same run: the same rows, of the same size, written
//! by plain multi-row statements, one transaction for as many operations as a batch has.
//!
//! On SQLite, and on a MariaDB of its own, both on the disk of the working directory. `cargo bench -p fairy-store`; with
//! `-- sqlite` or `-- mariadb` only there. Only the ratios mean anything on another machine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails loudly and prints")]

mod floor;
mod server_floor;
#[expect(dead_code, reason = "the suite starts MySQL, too")]
#[path = "../../src/testing/servers.rs"]
mod servers;

use std::{
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use fairy_jobs::{
    account::{Digest, Locale, TimeZone, User},
    clock::Clock,
    command::{Command, CreateTask, PatchTask, ProjectName},
    email::EmailAddress,
    id::{DeliveryId, IdSource, OperationId, ProjectId, TaskId, UserId, WorkspaceId},
    lane::Sink,
    operation::{Fingerprint, Operation, Source},
    page::PageRequest,
    ports::{Accounts as _, Ledger as _, TaskFilter, TaskQuery, TaskSort, Tasks as _, Teams as _},
    rights::Scope,
    task::{Percent, Priority, Status},
    team::ProjectKey,
    team_command::{Ask, TeamCommand},
    text::{Body, Label, Name, Slug, Title},
};
use fairy_store::{Database, Options, Server, Store};
use jiff::Timestamp;
use ulid::Ulid;

const BATCH: usize = 256;
const BATCHES: usize = 40;

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_750_000_000).unwrap()
    }
}

#[derive(Default)]
struct Ids(AtomicU64);

impl IdSource for Ids {
    fn ulid(&self, at: Timestamp) -> Ulid {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap() + n / 100, n.into())
    }

    fn fill(&self, bytes: &mut [u8]) {
        let n = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(n.iter().cycle()).for_each(|(byte, value)| *byte = *value);
    }
}

struct Bench {
    store: Store,
    ids: Arc<Ids>,
    user: User,
    teams: Vec<(WorkspaceId, ProjectId)>,
}

impl Bench {
    async fn new(database: Database, teams: usize) -> Self {
        let ids = Arc::new(Ids::default());
        let (clock, sinks) = (Arc::new(Still), vec![Sink::Record, Sink::Notify]);
        let options = Options { database, clock, ids: ids.clone(), sinks };
        let store = Store::open(options).await.unwrap();
        store.migrate().await.unwrap();
        let at = Still.now();
        let user = User {
            id: UserId::generate(&*ids, at),
            email: EmailAddress::parse("mina@example.com").unwrap(),
            email_verified: true,
            name: Name::parse("Mina").unwrap(),
            time_zone: TimeZone::utc(),
            locale: Locale::English,
            digest: Digest::default(),
            created_at: at,
        };
        store.create_user(&user, "hash").await.unwrap();
        let mut bench = Self { store, ids, user, teams: Vec::new() };
        for _ in 0..teams {
            let team = bench.team(at).await;
            bench.teams.push(team);
        }
        bench
    }

    async fn team(&self, at: Timestamp) -> (WorkspaceId, ProjectId) {
        let workspace = WorkspaceId::generate(&*self.ids, at);
        let ask = Ask { workspace, actor: self.user.id, scope: Scope::Admin, source: Source::web(), at };
        let name = Name::parse("Team").unwrap();
        self.store.create_workspace(&ask, &name, &Slug::from_name(&name), false).await.unwrap();
        let project = ProjectId::generate(&*self.ids, at);
        let command =
            TeamCommand::CreateProject { id: project, key: ProjectKey::parse("WEB").unwrap(), name };
        self.store.execute(&ask, &command, DeliveryId::generate(&*self.ids, at)).await.unwrap();
        (workspace, project)
    }

    fn operation(&self, workspace: WorkspaceId, command: Command) -> Operation {
        let at = Still.now();
        let id = OperationId::generate(&*self.ids, at);
        let fingerprint = Fingerprint::of(&[&id.to_bytes()]);
        let (actor, source) = (self.user.id, Source::api());
        Operation {
            id,
            workspace,
            actor,
            source,
            command,
            if_match: None,
            accepted_at: at,
            fingerprint,
            retry_of: None,
            reply_to: None,
            trace: None,
        }
    }

    fn creates(&self, (workspace, project): (WorkspaceId, ProjectId)) -> Vec<Operation> {
        let create = |n: usize| {
            Command::CreateTask(CreateTask {
                task: TaskId::generate(&*self.ids, Still.now()),
                project: ProjectName::Id(project),
                title: Title::parse(&format!("Mend the fence by the orchard, part {n}")).unwrap(),
                body: Body::parse(&"Some words about it. ".repeat(10)).unwrap(),
                assignees: [self.user.id].into(),
                due: None,
                priority: Priority::Normal,
                labels: [Label::parse(["garden", "house"][n % 2]).unwrap()].into(),
                progress: None,
                status: None,
            })
        };
        (0..BATCH).map(create).map(|command| self.operation(workspace, command)).collect()
    }

    fn patches(&self, batch: &[Operation], round: u8) -> Vec<Operation> {
        let patch = |operation: &Operation| {
            let mut patch = PatchTask::of(operation.command.task());
            if round == 0 {
                patch.status = Some(Status::InProgress);
            }
            patch.progress = Some(Percent::new(i64::from(round) + 10).unwrap());
            self.operation(operation.workspace, Command::PatchTask(patch))
        };
        batch.iter().map(patch).collect()
    }

    async fn apply(&self, batches: &[Vec<Operation>]) -> f64 {
        let start = Instant::now();
        for batch in batches {
            self.store.apply(batch[0].workspace, batch, Still.now()).await.unwrap();
        }
        rate(batches.iter().map(Vec::len).sum(), start)
    }

    async fn apply_at_once(&self, batches: Vec<Vec<Operation>>) -> f64 {
        let start = Instant::now();
        let total = batches.iter().map(Vec::len).sum();
        let running = batches.into_iter().map(|batch| {
            let store = self.store.clone();
            tokio::spawn(async move {
                store.apply(batch[0].workspace, &batch, Still.now()).await.unwrap();
            })
        });
        for task in running.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        rate(total, start)
    }
}

fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}

async fn lists(bench: &Bench) {
    let workspace = bench.teams[0].0;
    let filters = [
        ("all", TaskFilter::default()),
        ("status", TaskFilter { status: Some(Status::Done), ..TaskFilter::default() }),
        ("label", TaskFilter { label: Some(Label::parse("garden").unwrap()), ..TaskFilter::default() }),
        ("text", TaskFilter { text: Some("part 77".to_owned()), ..TaskFilter::default() }),
    ];
    for (name, filter) in filters {
        for sort in [TaskSort::Newest, TaskSort::Updated, TaskSort::Due, TaskSort::Priority] {
            let query = TaskQuery { workspace, filter: filter.clone(), sort, time_zone: TimeZone::utc() };
            let start = Instant::now();
            let mut page = PageRequest::default();
            let mut found = 0;
            for _ in 0..20 {
                let answer = bench.store.tasks(&query, page.clone()).await.unwrap();
                found += answer.items.len();
                page.cursor = answer.next;
            }
            let each = start.elapsed() / 20;
            println!("list {name:>8} by {sort:?}: {each:?} a page, {found} found");
        }
    }
}

/// How often a second this disk takes a page for good: what everything here rests on.
fn flushes(directory: &Path) -> f64 {
    let mut file = std::fs::File::create(directory.join("flushes")).unwrap();
    let start = Instant::now();
    for _ in 0..200 {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    rate(200, start)
}

async fn applying(bench: &Bench) {
    let creates: Vec<_> = (0..BATCHES).map(|_| bench.creates(bench.teams[0])).collect();
    println!("create, one workspace, batches of {BATCH}: {:>8.0}/s", bench.apply(&creates).await);
    for round in 0..3 {
        let patches: Vec<_> = creates.iter().map(|batch| bench.patches(batch, round)).collect();
        println!("patch {round}, one workspace:               {:>8.0}/s", bench.apply(&patches).await);
    }
    println!("the same once more (repeats):           {:>8.0}/s", bench.apply(&creates).await);
}

async fn beside_each_other(bench: &Bench) {
    let spread: Vec<_> = (0..BATCHES).map(|n| bench.creates(bench.teams[1 + n % 64])).collect();
    println!("create, 64 workspaces at once:          {:>8.0}/s", bench.apply_at_once(spread).await);
    let singles: Vec<_> = bench.creates(bench.teams[0]).into_iter().map(|o| vec![o]).collect();
    println!("create, one at a time:                  {:>8.0}/s", bench.apply(&singles).await);
    let small: Vec<_> = (0..8).flat_map(|_| bench.creates(bench.teams[0])).collect();
    let small: Vec<_> = small.chunks(16).map(<[Operation]>::to_vec).collect();
    println!("create, 16 at a time:                   {:>8.0}/s", bench.apply(&small).await);
    lists(bench).await;
}

async fn on_sqlite(directory: &Path) {
    let bench = Bench::new(Database::File(directory.join("fairy.db")), 65).await;
    println!("\nSQLite; {:.0} flushes/s", flushes(directory));
    applying(&bench).await;
    let floor_rate = floor::floor(directory, BATCH, BATCH * BATCHES).await;
    println!("floor, {BATCH} a transaction:             {floor_rate:>8.0}/s");
    println!("floor, 1 a transaction:               {:>8.0}/s", floor::floor(directory, 1, 500).await);
    beside_each_other(&bench).await;
    bench.store.close().await;
}

async fn on_mariadb(directory: &Path) {
    let servers = async || servers::database(servers::On::MariaDb).await;
    let Some(url) = servers().await else { return };
    let bench = Bench::new(Database::Server(Server::at(url.clone())), 65).await;
    println!("\nMariaDB; {:.0} flushes/s", flushes(directory));
    applying(&bench).await;
    for (batch, limit) in [(BATCH, BATCH * BATCHES), (1, 500)] {
        let empty = Server::at(servers().await.unwrap());
        let url_of_floor = empty.url.clone();
        Bench::new(Database::Server(empty), 0).await.store.close().await;
        let rate = server_floor::floor(&url, &url_of_floor, batch, 1, limit).await;
        println!("floor, {batch} a transaction: {rate:>8.0}/s");
    }
    beside_each_other(&bench).await;
    bench.store.close().await;
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir_in(".").unwrap();
    let only = |engine: &str| {
        let named: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
        named.is_empty() || named.iter().any(|name| name == engine)
    };
    if only("sqlite") {
        on_sqlite(directory.path()).await;
    }
    if only("mariadb") {
        on_mariadb(directory.path()).await;
    }
}
