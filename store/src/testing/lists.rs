//! Lists of tasks and comments against the same lists made in memory: every order with every filter, page by page.

use std::collections::BTreeSet;

use fairy_jobs::{
    account::TimeZone,
    command::{
        AddComment, Command, CreateTask, DeleteComment, DeleteTask, EditComment, PatchTask, ProjectName,
        TaskName,
    },
    id::{CommentId, ProjectId, TaskId, UserId, WorkspaceId},
    page::{Cursor, Limit, PageRequest},
    ports::{AssigneeFilter, TaskFilter, TaskQuery, TaskSort, Tasks as _},
    problem::ProblemKind,
    task::{Due, Percent, Priority, Status, Task},
    team::{ProjectKey, Role},
    text::{Body, Label},
};
use jiff::{SignedDuration, Timestamp};

use super::{
    ledger::every_task,
    stage::{Stage, Team, refusal},
};

super::tests! {
    every_order_with_every_filter,
    a_walk_meets_what_was_there_once_while_tasks_come_and_go,
    a_cursor_opens_only_its_own_list,
    a_task_is_found_by_any_key_it_had,
    comments_are_read_oldest_first,
}

const SORTS: [TaskSort; 5] =
    [TaskSort::Newest, TaskSort::Oldest, TaskSort::Updated, TaskSort::Due, TaskSort::Priority];
const DUES: [&str; 7] = [
    "2026-03-12",
    "2026-03-12T00:00:00+09:00",
    "2026-03-11T15:00:00Z",
    "2026-03-12T09:00:00Z",
    "2026-03-13",
    "2011-12-30",
    "2026-03-12T23:59:59.999+09:00",
];

fn label(n: usize) -> Label {
    Label::parse(["red", "green", "blue"][n % 3]).unwrap()
}

/// A small generator, so that every run makes the same tasks.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

struct Furnished {
    team: Team,
    other: ProjectId,
    people: Vec<UserId>,
}

async fn furnish(stage: &Stage, count: usize) -> Furnished {
    let owner = stage.person("Owner").await;
    let team = stage.team(&owner).await;
    let other = ProjectId::generate(&*stage.ids, stage.now());
    stage.project(&team, other, "OPS").await;
    let mut people = vec![owner.id];
    for name in ["Mina", "Jae"] {
        let person = stage.person(name).await;
        stage.join(&team, &person, Role::Member).await;
        people.push(person.id);
    }
    let mut dice = Dice(7);
    let mut made = Vec::new();
    while made.len() < count {
        let batch: Vec<CreateTask> =
            (0..7).map(|_| random(stage, &team, other, &people, &mut dice)).collect();
        made.extend(batch.iter().map(|create| create.task));
        stage.apply(&team, owner.id, batch.into_iter().map(Command::CreateTask).collect()).await;
        stage.clock.advance(SignedDuration::from_millis(i64::try_from(dice.roll(2)).unwrap()));
    }
    for _ in 0..count / 4 {
        let task = TaskName::Id(made[dice.roll(made.len())]);
        let mut patch = PatchTask::of(task.clone());
        patch.progress = Some(Percent::new(i64::try_from(dice.roll(101)).unwrap()).unwrap());
        patch.project = (dice.roll(4) == 0).then_some(ProjectName::Id(other));
        stage.apply(&team, owner.id, vec![Command::PatchTask(patch)]).await;
        if dice.roll(3) == 0 {
            stage.apply(&team, owner.id, vec![Command::DeleteTask(DeleteTask { task })]).await;
        }
        stage.clock.advance(SignedDuration::from_millis(i64::try_from(dice.roll(2)).unwrap()));
    }
    Furnished { team, other, people }
}

fn random(stage: &Stage, team: &Team, other: ProjectId, people: &[UserId], dice: &mut Dice) -> CreateTask {
    let priorities = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    let statuses = [Status::Waiting, Status::InProgress, Status::Done];
    let title = ["Mend the FENCE", "Paint 100% of it_all", "Rest"][dice.roll(3)];
    let mut create = stage.new_task(team, title);
    create.project = ProjectName::Id(if dice.roll(3) == 0 { other } else { team.project });
    create.body = Body::parse(["", "by the fence"][dice.roll(2)]).unwrap();
    create.assignees = people.iter().filter(|_| dice.roll(2) == 0).copied().collect();
    create.labels = (0..3).filter(|_| dice.roll(2) == 0).map(label).collect();
    create.priority = priorities[dice.roll(4)];
    create.status = Some(statuses[dice.roll(3)]);
    create.due = DUES.get(dice.roll(9)).map(|due| Due::parse(due).unwrap());
    create
}

fn filters(furnished: &Furnished) -> Vec<TaskFilter> {
    let none = TaskFilter::default;
    let key = ProjectName::Key(ProjectKey::parse("WEB").unwrap());
    let mina = AssigneeFilter::User(furnished.people[1]);
    let due = |text: &str| Some(Due::parse(text).unwrap());
    vec![
        none(),
        TaskFilter { project: Some(ProjectName::Id(furnished.other)), ..none() },
        TaskFilter { project: Some(key), status: Some(Status::Done), ..none() },
        TaskFilter { status: Some(Status::Waiting), ..none() },
        TaskFilter { assignee: Some(mina), ..none() },
        TaskFilter { assignee: Some(AssigneeFilter::Nobody), ..none() },
        TaskFilter { label: Some(label(1)), ..none() },
        TaskFilter {
            assignee: Some(mina),
            label: Some(label(0)),
            status: Some(Status::InProgress),
            ..none()
        },
        TaskFilter { due_before: due("2026-03-12"), ..none() },
        TaskFilter { due_before: due("2026-03-13"), label: Some(label(2)), ..none() },
        TaskFilter { due_before: due("2026-03-12T09:00:00Z"), ..none() },
        TaskFilter { due_before: due("2026-03-11T15:00:00.001Z"), assignee: Some(mina), ..none() },
        TaskFilter { text: Some("fEnce".to_owned()), ..none() },
        TaskFilter { text: Some("0% of it_".to_owned()), ..none() },
        TaskFilter { text: Some("%".to_owned()), assignee: Some(mina), ..none() },
        TaskFilter { text: Some("nowhere".to_owned()), ..none() },
    ]
}

fn begins(due: &Due, zone: &TimeZone) -> (i64, u8) {
    match due {
        Due::Date(date) => (date.to_zoned(zone.rules()).unwrap().timestamp().as_millisecond(), 0),
        Due::Instant { at, .. } => (at.as_millisecond(), 1),
    }
}

fn holds(task: &Task, query: &TaskQuery, furnished: &Furnished) -> bool {
    let f = &query.filter;
    let project = match &f.project {
        None => true,
        Some(ProjectName::Id(id)) => task.project == *id,
        Some(ProjectName::Key(key)) => key.as_str() == "WEB" && task.project == furnished.team.project,
    };
    let assignee = match f.assignee {
        None => true,
        Some(AssigneeFilter::User(user)) => task.assignees.contains(&user),
        Some(AssigneeFilter::Nobody) => task.assignees.is_empty(),
    };
    let due = f.due_before.as_ref().is_none_or(|bound| {
        let before = |due: &Due| begins(due, &query.time_zone).0 < begins(bound, &query.time_zone).0;
        task.due.as_ref().is_some_and(before)
    });
    let text = f.text.as_ref().is_none_or(|text| {
        let text = text.to_ascii_lowercase();
        [task.title.as_str(), task.body.as_str()].iter().any(|t| t.to_ascii_lowercase().contains(&text))
    });
    task.deleted_at.is_none()
        && project
        && assignee
        && due
        && text
        && f.status.is_none_or(|status| task.status == status)
        && f.label.as_ref().is_none_or(|label| task.labels.contains(label))
}

fn expected(mut tasks: Vec<Task>, query: &TaskQuery, furnished: &Furnished) -> Vec<TaskId> {
    tasks.retain(|task| holds(task, query, furnished));
    match query.sort {
        TaskSort::Newest => tasks.sort_by_key(|t| std::cmp::Reverse((t.created_at, t.id))),
        TaskSort::Oldest => tasks.sort_by_key(|t| (t.created_at, t.id)),
        TaskSort::Updated => tasks.sort_by_key(|t| std::cmp::Reverse((t.updated_at, t.id))),
        TaskSort::Priority => tasks.sort_by_key(|t| std::cmp::Reverse((t.priority, t.id))),
        TaskSort::Due => tasks.sort_by_key(|t| {
            (t.due.as_ref().map_or((i64::MAX, 2), |due| begins(due, &query.time_zone)), t.id)
        }),
    }
    tasks.iter().map(|task| task.id).collect()
}

/// Walks the whole list; a page may be short or empty, but not for ever.
async fn walk(stage: &Stage, query: &TaskQuery, limit: i64) -> Vec<TaskId> {
    let mut request = PageRequest { limit: Limit::new(limit).unwrap(), cursor: None };
    let mut seen = Vec::new();
    for _ in 0..500 {
        let page = stage.store.tasks(query, request.clone()).await.unwrap();
        assert!(page.items.len() <= request.limit.get());
        seen.extend(page.items.iter().map(|task| task.id));
        // Whatever a client does with a cursor as text, it comes back the same.
        request.cursor = page.next.map(|cursor| Cursor::parse(&cursor.to_string()).unwrap());
        if request.cursor.is_none() {
            return seen;
        }
    }
    panic!("a list without end: {query:?}");
}

async fn every_order_with_every_filter(stage: &Stage) {
    let furnished = furnish(stage, 120).await;
    let all = every_task(stage, &furnished.team).await;
    let mut met = 0;
    for filter in filters(&furnished) {
        for sort in SORTS {
            // Only where dates are placed among instants does the zone matter.
            let zones = if sort == TaskSort::Due || filter.due_before.is_some() { 2 } else { 1 };
            for zone in ["Asia/Seoul", "Pacific/Apia"].into_iter().take(zones) {
                let query = TaskQuery {
                    workspace: furnished.team.workspace,
                    filter: filter.clone(),
                    sort,
                    time_zone: TimeZone::parse(zone).unwrap(),
                };
                let expected = expected(all.clone(), &query, &furnished);
                for limit in [5, 50] {
                    assert_eq!(walk(stage, &query, limit).await, expected, "{query:?}, {limit} a page");
                }
                met += expected.len();
            }
        }
    }
    assert!(met > 1_000, "the filters find too little to prove anything: {met}");
}

async fn a_walk_meets_what_was_there_once_while_tasks_come_and_go(stage: &Stage) {
    let furnished = furnish(stage, 60).await;
    let team = &furnished.team;
    for sort in SORTS.into_iter().filter(|sort| *sort != TaskSort::Updated) {
        let query = TaskQuery {
            workspace: team.workspace,
            filter: TaskFilter::default(),
            sort,
            time_zone: TimeZone::utc(),
        };
        let there: BTreeSet<TaskId> = walk(stage, &query, 50).await.into_iter().collect();
        let mut request = PageRequest { limit: Limit::new(9).unwrap(), cursor: None };
        let mut seen = Vec::new();
        loop {
            let page = stage.store.tasks(&query, request.clone()).await.unwrap();
            seen.extend(page.items.iter().map(|task| task.id));
            let mut dice = Dice(seen.len() as u64);
            let create = random(stage, team, furnished.other, &furnished.people, &mut dice);
            stage.apply(team, team.owner, vec![Command::CreateTask(create)]).await;
            stage.clock.advance(SignedDuration::from_millis(1));
            request.cursor = page.next;
            if request.cursor.is_none() {
                break;
            }
        }
        let once: BTreeSet<TaskId> = seen.iter().copied().collect();
        assert_eq!(once.len(), seen.len(), "{sort:?}: somebody came twice");
        assert!(once.is_superset(&there), "{sort:?}: somebody was left out");
    }
}

async fn a_cursor_opens_only_its_own_list(stage: &Stage) {
    let furnished = furnish(stage, 20).await;
    let query = |sort, zone: &str| TaskQuery {
        workspace: furnished.team.workspace,
        filter: TaskFilter::default(),
        sort,
        time_zone: TimeZone::parse(zone).unwrap(),
    };
    let request = |cursor| PageRequest { limit: Limit::new(3).unwrap(), cursor };
    let due = query(TaskSort::Due, "UTC");
    let cursor = stage.store.tasks(&due, request(None)).await.unwrap().next.unwrap();
    let mut broken = vec![
        (query(TaskSort::Newest, "UTC"), cursor.clone()),
        (query(TaskSort::Due, "Asia/Seoul"), cursor.clone()),
        (TaskQuery { workspace: WorkspaceId::from_bytes([1; 16]), ..due.clone() }, cursor.clone()),
        (
            TaskQuery {
                filter: TaskFilter { status: Some(Status::Done), ..TaskFilter::default() },
                ..due.clone()
            },
            cursor.clone(),
        ),
        (due.clone(), Cursor::new(Vec::new())),
        (due.clone(), Cursor::new(vec![0xff; 60])),
    ];
    // Its own, cut short, made longer, and with a range that the order does not have.
    let bytes = cursor.bytes().to_vec();
    broken.push((due.clone(), Cursor::new(bytes[..bytes.len() - 1].to_vec())));
    broken.push((due.clone(), Cursor::new([bytes.as_slice(), &[0]].concat())));
    let mut range = bytes.clone();
    range[12] = 9;
    broken.push((due.clone(), Cursor::new(range)));
    for (query, cursor) in broken {
        let refused = stage.store.tasks(&query, request(Some(cursor.clone()))).await;
        assert_eq!(refusal(refused), ProblemKind::Invalid, "{cursor:?}");
    }
    // A made-up place within the list shows what the list shows behind it.
    for fill in [0, 0x7f, 0x80, 0xff] {
        for range in 0..3 {
            let mut place = bytes.clone();
            place[12] = range;
            place[13..].fill(fill);
            stage.store.tasks(&due, request(Some(Cursor::new(place)))).await.unwrap();
        }
    }
}

async fn a_task_is_found_by_any_key_it_had(stage: &Stage) {
    let furnished = furnish(stage, 7).await;
    let team = &furnished.team;
    let task = stage.task(team, stage.new_task(team, "Moving")).await;
    let mut patch = PatchTask::of(TaskName::Id(task.id));
    patch.project = Some(ProjectName::Id(furnished.other));
    stage.apply(team, team.owner, vec![Command::PatchTask(patch)]).await;
    let moved = stage.store.task(team.workspace, &TaskName::Key(task.key.clone())).await.unwrap().unwrap();
    assert_eq!((moved.id, moved.key.project.as_str()), (task.id, "OPS"));
    for (key, status, found) in [
        (task.key.clone(), None, 1),
        (moved.key.clone(), Some(Status::Waiting), 1),
        (moved.key.clone(), Some(Status::Done), 0),
    ] {
        let filter = TaskFilter { key: Some(key), status, ..TaskFilter::default() };
        for sort in [TaskSort::Newest, TaskSort::Due] {
            let (workspace, time_zone) = (team.workspace, TimeZone::utc());
            let query = TaskQuery { workspace, filter: filter.clone(), sort, time_zone };
            let page = stage.store.tasks(&query, PageRequest::default()).await.unwrap();
            assert_eq!((page.items.len(), page.next), (found, None));
        }
    }
    let elsewhere = WorkspaceId::from_bytes([1; 16]);
    assert_eq!(stage.store.task(elsewhere, &TaskName::Id(task.id)).await.unwrap(), None);
    assert_eq!(stage.store.task(elsewhere, &TaskName::Key(task.key)).await.unwrap(), None);
    stage
        .apply(team, team.owner, vec![Command::DeleteTask(DeleteTask { task: TaskName::Id(task.id) })])
        .await;
    assert_eq!(stage.store.task(team.workspace, &TaskName::Id(task.id)).await.unwrap(), None);
}

async fn comments_are_read_oldest_first(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let (one, two) = (
        stage.task(&team, stage.new_task(&team, "One")).await,
        stage.task(&team, stage.new_task(&team, "Two")).await,
    );
    let mut written = Vec::new();
    for n in 0..20 {
        let comment = CommentId::generate(&*stage.ids, Timestamp::UNIX_EPOCH);
        let body = Body::parse(&format!("Words {n}")).unwrap();
        let add = AddComment { task: TaskName::Id(one.id), comment, body };
        stage.apply(&team, owner.id, vec![Command::AddComment(add)]).await;
        written.push(comment);
        if n % 3 == 0 {
            stage.clock.advance(SignedDuration::from_millis(1));
        }
    }
    let task = TaskName::Id(one.id);
    let edit =
        EditComment { task: task.clone(), comment: written[3], body: Body::parse("Better words").unwrap() };
    let delete = DeleteComment { task, comment: written[4] };
    stage.apply(&team, owner.id, vec![Command::EditComment(edit), Command::DeleteComment(delete)]).await;
    let edited = stage.store.comment(one.id, written[3]).await.unwrap().unwrap();
    assert_eq!((edited.body.as_str(), edited.version), ("Better words", 2));
    assert_eq!(stage.store.comment(one.id, written[4]).await.unwrap(), None);
    assert_eq!(stage.store.comment(two.id, written[3]).await.unwrap(), None);
    let gone = written.remove(4);
    let mut request = PageRequest { limit: Limit::new(6).unwrap(), cursor: None };
    let mut seen = Vec::new();
    loop {
        let page = stage.store.comments(one.id, request.clone()).await.unwrap();
        seen.extend(page.items.iter().map(|comment| comment.id));
        request.cursor = page.next.clone();
        if page.next.is_none() {
            break;
        }
        let foreign = stage.store.comments(two.id, request.clone()).await;
        assert_eq!(refusal(foreign), ProblemKind::Invalid);
    }
    assert!(!seen.contains(&gone));
    assert_eq!(seen, written);
}
