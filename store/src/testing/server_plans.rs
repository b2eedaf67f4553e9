//! On a server, too, no list walks over a table that grows, and none sorts more than a page.
//!
//! What a server will do depends on what it guesses of the rows, so plans are not read but held to what they do: each
//! statement runs over tables that are filled, and the server itself counts how many rows it read and sorted. Where that
//! is more than a few pages, the test prints the plan.

use fairy_jobs::{
    account::TimeZone,
    command::{AddComment, Command, CreateTask, ProjectName, TaskName},
    id::{CommentId, ProjectId},
    lane::Sink,
    page::{Limit, PageRequest},
    ports::{
        About, Accounts as _, ActivityLog as _, ActivityQuery, AssigneeFilter, Deliveries as _, Feed as _,
        Notices as _, Sinks as _, TaskFilter, TaskQuery, TaskSort, Tasks as _, Teams as _, Upkeep as _,
    },
    task::{Due, Priority, Status, Task},
    team::ProjectKey,
    text::{Body, Label},
};

use super::stage::{Stage, Team};
use crate::{
    driver::{Connection, Dialect, recorded},
    store::Engine,
};

super::on_servers! {
    no_list_walks_over_what_grows,
}

/// The most rows that a page may cost: those that it shows, their neighbours in other tables, and what the windows of the
/// suite let it look at.
const MOST: u64 = 700;

/// Tasks in a workspace, unless more are asked for (`FAIRY_TEST_PLAN_TASKS`, as `make plans` does): each that was made, and
/// 30 times again.
const TASKS: usize = 801 * 31;

/// Each task again, `{times}` times, `{apart}` in number.
const AGAIN: [&str; 3] = [
    "INSERT INTO tasks SELECT UNHEX(LEFT(SHA2(CONCAT(id, x.n), 256), 32)), workspace, project, project_key, number + x.n * {apart}, title,
        body, status, progress, priority, due_date, due_at, due_offset, assignees, watchers, labels, version, created_by,
        created_at + x.n, updated_at + x.n * 3, completed_at, deleted_at FROM tasks, x WHERE x.n <= {times}",
    "INSERT INTO task_assignees SELECT UNHEX(LEFT(SHA2(CONCAT(task, x.n), 256), 32)), user, workspace, created_at + x.n, priority, due_date,
        due_at FROM task_assignees, x WHERE x.n <= {times}",
    "INSERT INTO task_labels SELECT UNHEX(LEFT(SHA2(CONCAT(task, x.n), 256), 32)), label, workspace, created_at + x.n, priority, due_date,
        due_at FROM task_labels, x WHERE x.n <= {times}",
];

/// What other tables are filled with, by those that there are, to a size that no page may notice. `n` counts.
const FILL: [&str; 7] = [
    "INSERT INTO comments SELECT UNHEX(LEFT(SHA2(CONCAT(id, x.n), 256), 32)), task, author, body, version, created_at + x.n, updated_at,
        deleted_at FROM comments, x",
    "INSERT INTO users SELECT UNHEX(LEFT(SHA2(CONCAT(id, x.n), 256), 32)), CONCAT(x.n, email), 0, name, time_zone, locale, digest,
        password_hash, created_at FROM users, x WHERE email LIKE 'owner%'",
    "INSERT INTO workspaces SELECT UNHEX(LEFT(SHA2(CONCAT(id, x.n), 256), 32)), CONCAT(slug, x.n), name, seq, changed_at, created_at
        FROM workspaces, x",
    "INSERT INTO members SELECT w.id, u.id, 'member', 1, u.created_at, w.name FROM workspaces w JOIN users u
        WHERE w.slug = 'the-team' AND u.email <> 'owner@example.com' OR w.slug <> 'the-team' AND u.email = 'owner@example.com'",
    "INSERT INTO member_handles SELECT w.id, CONCAT('name', HEX(u.id)), u.id, 1 FROM workspaces w JOIN users u
        WHERE w.slug = 'the-team'",
    "INSERT INTO sinks SELECT w.id, 'record', 9, 1, x.n FROM workspaces w, x WHERE w.slug <> 'the-team' AND x.n <= 1",
    "INSERT INTO activity SELECT workspace, seq + x.n * 10000, at + x.n, actor, task, entry FROM activity, x WHERE x.n <= 40",
];

/// Rows of other kinds, each from nothing.
const MORE: [&str; 6] = [
    "INSERT INTO notices SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), t.workspace, t.created_by, t.id, NULL, 'assigned', '[3]', x.n, x.n, NULL
        FROM tasks t, x WHERE t.project_key = 'WEB' AND t.number = 641",
    "INSERT INTO deliveries SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), 'notice', UNHEX(LEFT(SHA2(x.n, 256), 32)), 'mail', 'a@example.com', NULL, NULL, 'pending', 0,
        x.n, 1, NULL, NULL, NULL, 0, 0, NULL FROM x",
    "INSERT INTO sessions SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), u.id, UNHEX(SHA2(x.n, 256)), x.n, x.n, 9000000000000, ''
        FROM users u, x WHERE u.email = 'owner@example.com'",
    "INSERT INTO tokens SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), u.id, UNHEX(SHA2(x.n, 256)), 'Token', '[]', x.n, NULL, NULL
        FROM users u, x WHERE u.email = 'owner@example.com'",
    "INSERT INTO invitations SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), w.id, CONCAT(x.n, '@example.com'), 'member', u.id, x.n, 9000000000000
        FROM users u, workspaces w, x WHERE u.email = 'owner@example.com' AND w.slug = 'the-team'",
    "INSERT INTO projects SELECT UNHEX(LEFT(SHA2(x.n, 256), 32)), w.id, CONCAT('P', x.n), 'Project', 0, x.n
        FROM workspaces w, x WHERE w.slug = 'the-team'",
];

struct Filled {
    team: Team,
    other: ProjectId,
    task: Task,
}

async fn fill(stage: &Stage) -> Filled {
    let owner = stage.person("Owner").await;
    let team = stage.team(&owner).await;
    let other = ProjectId::from_bytes([7; 16]);
    stage.project(&team, other, "OPS").await;
    let create = |n: usize| CreateTask {
        project: ProjectName::Id(if n.is_multiple_of(5) { other } else { team.project }),
        priority: [Priority::Low, Priority::Normal, Priority::High][n % 3],
        status: Some([Status::Waiting, Status::Waiting, Status::InProgress, Status::Done][n % 4]),
        assignees: if n.is_multiple_of(2) { [owner.id].into() } else { [].into() },
        labels: [Label::parse(["red", "green"][n % 2]).unwrap()].into(),
        due: [None, Some("2026-03-12"), Some("2026-03-12T09:00:00Z")][n % 3]
            .map(|due| Due::parse(due).unwrap()),
        ..stage.new_task(&team, ["Mend the fence", "Paint it"][n % 2])
    };
    for batch in 0..4 {
        let creates = (batch * 200..batch * 200 + 200).map(|n| Command::CreateTask(create(n)));
        stage.apply(&team, owner.id, creates.collect()).await;
    }
    let task = stage.task(&team, create(1)).await;
    let body = Body::parse("Hello").unwrap();
    let comment = CommentId::generate(&*stage.ids, stage.now());
    let add = AddComment { task: TaskName::Id(task.id), comment, body };
    stage.apply(&team, owner.id, vec![Command::AddComment(add)]).await;
    let end = stage.store.seq(team.workspace).await.unwrap().unwrap();
    let changes = stage.store.changes(team.workspace, end - 500, 500).await.unwrap();
    stage.store.append(&changes.changes).await.unwrap();
    fill_tables(stage).await;
    Filled { team, other, task }
}

async fn fill_tables(stage: &Stage) {
    let Engine::MySql { opener, .. } = &stage.store.engine else { panic!("not on a server") };
    let mut alone = opener.alone().await.unwrap();
    let asked = std::env::var_os("FAIRY_TEST_PLAN_TASKS").map(|asked| asked.into_string().unwrap());
    let asked =
        asked.map_or(TASKS, |asked| asked.parse().expect("FAIRY_TEST_PLAN_TASKS is a number of tasks"));
    // In two steps, for a server counts to a thousand only.
    let again = |times: usize, apart: usize| {
        AGAIN.map(|sql| sql.replace("{times}", &times.to_string()).replace("{apart}", &apart.to_string()))
    };
    let others = FILL.into_iter().chain(MORE).map(str::to_owned);
    let (few, many) = (again(30, 100_000), again(asked.div_ceil(TASKS) - 1, 10_000_000));
    for sql in few.into_iter().chain(others).chain(many) {
        let (into, select) = sql.split_once(" SELECT ").unwrap();
        let numbers = "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x WHERE n < 1000)";
        let sql = format!("{into}\n{numbers}\nSELECT {select} -- suite");
        alone.connection().run(&sql, vec![]).await.unwrap();
    }
    let counted =
        alone.connection().row("SELECT COUNT(*) FROM tasks -- suite", vec![]).await.unwrap().unwrap();
    let counted: u64 = counted.only().unwrap();
    assert!(counted >= asked as u64, "{counted} tasks are not {asked}");
}

fn queries(filled: &Filled) -> Vec<TaskQuery> {
    let none = TaskFilter::default;
    let owner = AssigneeFilter::User(filled.team.owner);
    let label = || Some(Label::parse("red").unwrap());
    let filters = [
        none(),
        TaskFilter { project: Some(ProjectName::Id(filled.other)), ..none() },
        TaskFilter { project: Some(ProjectName::Key(ProjectKey::parse("OPS").unwrap())), ..none() },
        TaskFilter { status: Some(Status::Done), ..none() },
        TaskFilter { assignee: Some(owner), ..none() },
        TaskFilter { assignee: Some(AssigneeFilter::Nobody), ..none() },
        TaskFilter { label: label(), ..none() },
        TaskFilter { assignee: Some(owner), label: label(), status: Some(Status::Done), ..none() },
        TaskFilter { due_before: Some(Due::parse("2026-03-13").unwrap()), ..none() },
        TaskFilter { text: Some("fence".to_owned()), ..none() },
        TaskFilter { text: Some("nowhere".to_owned()), assignee: Some(owner), ..none() },
        TaskFilter { key: Some(filled.task.key.clone()), status: Some(Status::Waiting), ..none() },
    ];
    let sorts = [TaskSort::Newest, TaskSort::Oldest, TaskSort::Updated, TaskSort::Due, TaskSort::Priority];
    let query = |filter: &TaskFilter, sort| TaskQuery {
        workspace: filled.team.workspace,
        filter: filter.clone(),
        sort,
        time_zone: TimeZone::parse("Asia/Seoul").unwrap(),
    };
    filters.iter().flat_map(|filter| sorts.map(|sort| query(filter, sort))).collect()
}

/// The first page of a list, and the one behind its end.
macro_rules! pages {
    ($c:expr, $page:ident => $list:expr) => {{
        let mut $page = PageRequest { limit: Limit::new(50).unwrap(), cursor: None };
        for _ in 0..3 {
            let answer = $list.await.unwrap();
            hold($c).await;
            $page.cursor = answer.next;
            if $page.cursor.is_none() {
                break;
            }
        }
    }};
}

async fn no_list_walks_over_what_grows(stage: &Stage) {
    let filled = fill(stage).await;
    let (store, c) = (&stage.store, &mut stage.store.read().await.unwrap());
    let (workspace, owner) = (filled.team.workspace, filled.team.owner);
    recorded(Dialect::MySql);
    for query in queries(&filled) {
        pages!(c, page => store.tasks(&query, page.clone()));
        far_in(stage, &query, c).await;
    }
    pages!(c, page => store.comments(filled.task.id, page.clone()));
    pages!(c, page => store.members(workspace, page.clone()));
    pages!(c, page => store.projects(workspace, page.clone()));
    pages!(c, page => store.invitations(workspace, page.clone()));
    pages!(c, page => store.workspaces_of(owner, page.clone()));
    pages!(c, page => store.tokens(owner, page.clone()));
    pages!(c, page => store.receipts(workspace, filled.task.id, page.clone()));
    for about in [About::Everything, About::Task(filled.task.id), About::Person(owner)] {
        let query = ActivityQuery { workspace, about, since: None };
        pages!(c, page => store.entries(&query, page.clone()));
    }
    store.changes(workspace, 3, 50).await.unwrap();
    store.pending(Sink::Record, workspace, 50).await.unwrap();
    store.behind(Sink::Record, stage.now(), 50).await.unwrap();
    store.due(stage.now(), 50).await.unwrap();
    store.sessions(owner, stage.now()).await.unwrap();
    store.members_by_handle(workspace, &["owner".to_owned(), "name".to_owned()]).await.unwrap();
    let long_ago = stage.now() - jiff::SignedDuration::from_hours(24 * 365);
    store.purge(long_ago, long_ago).await.unwrap();
    hold(c).await;
}

/// A page of a list far from its beginning, which must cost no more than the first.
async fn far_in(stage: &Stage, query: &TaskQuery, c: &mut Connection<'_>) {
    let led = query.filter.status.is_none() && query.filter.text.is_none() && query.filter.project.is_none();
    let mut page = PageRequest { limit: Limit::new(200).unwrap(), cursor: None };
    for _ in 0..if led { 12 } else { 0 } {
        recorded(Dialect::MySql);
        page.cursor = stage.store.tasks(query, page.clone()).await.unwrap().next;
        if page.cursor.is_none() {
            break;
        }
    }
    hold(c).await;
}

/// Runs again what was run since the last time, and looks what each cost.
async fn hold(c: &mut Connection<'_>) {
    for (sql, args) in recorded(Dialect::MySql) {
        if !sql.starts_with("SELECT") || sql.ends_with("-- suite") {
            continue;
        }
        c.run("FLUSH STATUS -- suite", vec![]).await.unwrap();
        c.rows(&sql, args.clone()).await.unwrap();
        let counts =
            "SHOW SESSION STATUS WHERE variable_name LIKE 'Handler_read%' OR variable_name = 'Sort_rows'";
        let mut read = 0;
        let rows = c.rows(counts, vec![]).await.unwrap();
        assert!(rows.len() > 5, "the server does not count");
        for row in rows {
            let mut columns = row.columns();
            let (_, count): (String, String) = (columns.next().unwrap(), columns.next().unwrap());
            read += count.parse::<u64>().unwrap();
        }
        if read > MOST {
            let plan = c.row(&format!("EXPLAIN FORMAT=JSON {sql}"), args).await.unwrap().unwrap();
            panic!("{read} rows were read or sorted\n{sql}\n{}", plan.only::<String>().unwrap());
        }
    }
    recorded(Dialect::MySql);
}
