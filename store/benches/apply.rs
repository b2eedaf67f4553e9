//! What applying costs, beside the floor of the machine taken in the same run: the same rows, of the same size, written
//! by plain multi-row statements, one transaction for as many operations as a batch has.
//!
//! `cargo bench -p fairy-store`. Only the ratios mean anything on another machine.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark fails loudly and prints")]

use std::{
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
    command::{Command, CreateTask, PatchTask, ProjectName, TaskName},
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
use fairy_store::{Options, Store};
use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous},
};
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
    async fn new(directory: &Path, teams: usize) -> Self {
        let ids = Arc::new(Ids::default());
        let (clock, sinks) = (Arc::new(Still), vec![Sink::Record, Sink::Notify]);
        let options = Options { path: directory.join("fairy.db"), clock, ids: ids.clone(), sinks };
        let store = Store::open_sqlite(options).await.unwrap();
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

/// The rows of the created tasks, read from the finished database and written into an empty one.
async fn floor(directory: &Path, batch: usize, limit: usize) -> f64 {
    const TABLES: [&str; 6] =
        ["tasks", "task_keys", "task_assignees", "task_labels", "operations", "changes"];
    let options = |name: &str| {
        SqliteConnectOptions::new()
            .filename(directory.join(name))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4000")
            .foreign_keys(false)
            .statement_cache_capacity(512)
    };
    let mut from = SqliteConnection::connect_with(&options("fairy.db")).await.unwrap();
    let name = format!("floor{batch}.db");
    let mut to = SqliteConnection::connect_with(&options(&name)).await.unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL";
    let schema: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut from).await.unwrap();
    for (sql,) in schema.into_iter().filter(|(sql,)| !sql.contains("sqlite_")) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut to).await.unwrap();
    }
    let mut tables = Vec::new();
    for table in TABLES {
        let order = if table == "changes" { " WHERE operation IS NOT NULL" } else { "" };
        let sql = format!("SELECT * FROM {table}{order} LIMIT {limit}");
        tables.push((table, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut from).await.unwrap()));
    }
    let start = Instant::now();
    let mut at = 0;
    while at < limit {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut to).await.unwrap();
        for (table, rows) in &tables {
            for rows in rows[at.min(rows.len())..(at + batch).min(rows.len())].chunks(64) {
                write(&mut to, table, rows).await;
            }
        }
        sqlx::query("COMMIT").execute(&mut to).await.unwrap();
        at += batch;
    }
    rate(limit, start)
}

async fn write(to: &mut SqliteConnection, table: &str, rows: &[sqlx::sqlite::SqliteRow]) {
    use sqlx::{Arguments as _, Row as _, TypeInfo as _, ValueRef as _};
    let width = rows[0].len();
    let row = format!("({})", vec!["?"; width].join(", "));
    let sql = format!("INSERT INTO {table} VALUES {}", vec![row; rows.len()].join(", "));
    let mut args = sqlx::sqlite::SqliteArguments::default();
    for row in rows {
        for at in 0..width {
            let value = row.try_get_raw(at).unwrap();
            let kind = value.type_info().name().to_owned();
            match kind.as_str() {
                _ if value.is_null() => args.add(None::<i64>).unwrap(),
                "INTEGER" => args.add(row.get_unchecked::<i64, _>(at)).unwrap(),
                "TEXT" => args.add(row.get_unchecked::<String, _>(at)).unwrap(),
                _ => args.add(row.get_unchecked::<Vec<u8>, _>(at)).unwrap(),
            }
        }
    }
    sqlx::query_with(AssertSqlSafe(sql), args).execute(to).await.unwrap();
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

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir_in(".").unwrap();
    let bench = Bench::new(directory.path(), 65).await;
    let creates: Vec<_> = (0..BATCHES).map(|_| bench.creates(bench.teams[0])).collect();
    println!("create, one workspace, batches of {BATCH}: {:>8.0}/s", bench.apply(&creates).await);
    for round in 0..3 {
        let patches: Vec<_> = creates.iter().map(|batch| bench.patches(batch, round)).collect();
        println!("patch {round}, one workspace:               {:>8.0}/s", bench.apply(&patches).await);
    }
    println!("the same once more (repeats):           {:>8.0}/s", bench.apply(&creates).await);
    let floor_rate = floor(directory.path(), BATCH, BATCH * BATCHES).await;
    println!("floor, {BATCH} a transaction:             {floor_rate:>8.0}/s");
    println!("floor, 1 a transaction:               {:>8.0}/s", floor(directory.path(), 1, 500).await);
    let spread: Vec<_> = (0..BATCHES).map(|n| bench.creates(bench.teams[1 + n % 64])).collect();
    println!("create, 64 workspaces at once:          {:>8.0}/s", bench.apply_at_once(spread).await);
    let singles: Vec<_> = bench.creates(bench.teams[0]).into_iter().map(|o| vec![o]).collect();
    println!("create, one at a time:                  {:>8.0}/s", bench.apply(&singles).await);
    let small: Vec<_> = (0..8).flat_map(|_| bench.creates(bench.teams[0])).collect();
    let small: Vec<_> = small.chunks(16).map(<[Operation]>::to_vec).collect();
    println!("create, 16 at a time:                   {:>8.0}/s", bench.apply(&small).await);
    lists(&bench).await;
    let first = TaskName::Id(match creates[0][0].command.task() {
        TaskName::Id(id) => id,
        TaskName::Key(_) => return,
    });
    println!("{:?}", bench.store.task(bench.teams[0].0, &first).await.unwrap().map(|t| t.version));
    bench.store.close().await;
}
