//! What every activity log must do.
//!
//! It is given changes that no operation made, for a log is told of them and asks nobody.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    change::{Change, ChangeKind, FieldChange, TaskRef},
    id::{CommentId, OperationId, TaskId, UserId, WorkspaceId},
    notice::{Concern, Reason},
    operation::Source,
    page::{Limit, PageRequest},
    ports::{About, ActivityLog, ActivityQuery, PortError},
    problem::ProblemKind,
    team::TaskKey,
    text::{Body, Name, Title},
};

const HERE: WorkspaceId = WorkspaceId::from_bytes([1; 16]);
const ELSEWHERE: WorkspaceId = WorkspaceId::from_bytes([2; 16]);
const LARGE: WorkspaceId = WorkspaceId::from_bytes([3; 16]);
const EMPTY: WorkspaceId = WorkspaceId::from_bytes([4; 16]);
const TASK: TaskId = TaskId::from_bytes([1; 16]);
const MINA: UserId = UserId::from_bytes([1; 16]);
/// What a page has at the most, with the item that goes beyond the limit and what was read together with it.
const MOST_BYTES: usize = 9 << 20;

/// Runs every scenario on a log that holds nothing.
///
/// # Panics
/// When the log breaks a promise.
pub async fn exercise(log: &dyn ActivityLog) {
    the_log_is_the_feed_however_often_it_is_given(log).await;
    large_entries_are_whole_and_end_a_page(log).await;
    a_cursor_of_another_list_is_refused(log).await;
}

/// A feed of this workspace: of three people and eight tasks, with changes without a task among them, some dated alike.
pub fn feed(workspace: WorkspaceId, length: u64) -> Vec<Change> {
    (1..=length).map(|seq| change(workspace, seq)).collect()
}

fn change(workspace: WorkspaceId, seq: u64) -> Change {
    let pick = |of: u64| u8::try_from(seq % of).unwrap();
    let task = (!seq.is_multiple_of(7)).then(|| TaskRef {
        id: TaskId::from_bytes([pick(8); 16]),
        key: TaskKey::parse(&format!("WEB-{}", pick(8) + 1)).unwrap(),
        title: Title::parse("Says \"hello\", 안녕 <&>").unwrap(),
    });
    let kind = ChangeKind::ALL[usize::from(pick(ChangeKind::ALL.len() as u64))];
    let fields = [("title", Value::Null, json!("Hello\n\\ 🦊")), ("labels", json!(["a"]), json!(["a", "b"]))];
    Change {
        workspace,
        seq,
        at: Timestamp::from_millisecond(1_750_000_000_000).unwrap()
            + SignedDuration::from_secs(i64::try_from(seq / 3).unwrap()),
        // The first person does most.
        actor: UserId::from_bytes([if pick(13) < 9 { 1 } else { pick(13) - 7 }; 16]),
        actor_name: Name::parse("Mina 🦊").unwrap(),
        source: Source::web(),
        kind,
        comment: task.is_some().then(|| CommentId::from_bytes([pick(5); 16])),
        task,
        fields: fields.map(|(name, from, to)| FieldChange { name: name.to_owned(), from, to }).into(),
        operation: (!seq.is_multiple_of(5)).then(|| OperationId::from_bytes([pick(251); 16])),
        audience: vec![Concern { user: MINA, reason: Reason::Assigned }],
        trace: None,
    }
}

/// Changes as large as they come: a body of the longest characters is rewritten.
fn large(workspace: WorkspaceId, length: u64) -> Vec<Change> {
    let body = |c: char| Value::String(c.to_string().repeat(Body::LIMIT));
    let mut changes = feed(workspace, length);
    for change in &mut changes {
        change.fields = vec![FieldChange { name: "body".to_owned(), from: body('🦊'), to: body('🐿') }];
    }
    changes
}

fn everything(workspace: WorkspaceId) -> ActivityQuery {
    ActivityQuery { workspace, about: About::Everything, since: None }
}

/// All pages of at most so many entries.
async fn walk(log: &dyn ActivityLog, query: &ActivityQuery, limit: i64) -> Vec<Vec<Change>> {
    let mut request = PageRequest { limit: Limit::new(limit).unwrap(), cursor: None };
    let mut pages = Vec::new();
    loop {
        let page = log.entries(query, request.clone()).await.unwrap();
        assert!(page.items.len() <= request.limit.get());
        pages.push(page.items);
        request.cursor = page.next;
        if request.cursor.is_none() {
            return pages;
        }
    }
}

async fn the_log_is_the_feed_however_often_it_is_given(log: &dyn ActivityLog) {
    let (here, elsewhere) = (feed(HERE, 130), feed(ELSEWHERE, 30));
    log.append(&elsewhere).await.unwrap();
    log.append(&here[..80]).await.unwrap();
    log.append(&here[60..]).await.unwrap();
    log.append(&here).await.unwrap();
    log.append(&[]).await.unwrap();
    let nobody = About::Person(UserId::from_bytes([9; 16]));
    for about in [About::Everything, About::Task(TASK), About::Person(MINA), nobody] {
        for since in [None, Some(here[65].at)] {
            let query = ActivityQuery { workspace: HERE, about, since };
            let wanted = |c: &&Change| {
                since.is_none_or(|since| c.at >= since)
                    && match about {
                        About::Everything => true,
                        About::Task(id) => c.task.as_ref().is_some_and(|task| task.id == id),
                        About::Person(person) => c.actor == person,
                    }
            };
            let expected: Vec<Change> = here.iter().rev().filter(wanted).cloned().collect();
            assert_eq!(expected.is_empty(), about == nobody);
            for limit in [1, 7, 200] {
                let seen = walk(log, &query, limit).await.concat();
                assert!(seen == expected, "{query:?}, {limit} a page");
            }
        }
    }
    assert_eq!(walk(log, &everything(ELSEWHERE), 200).await.concat().len(), elsewhere.len());
    assert_eq!(walk(log, &everything(EMPTY), 50).await, [[]]);
}

async fn large_entries_are_whole_and_end_a_page(log: &dyn ActivityLog) {
    let changes = large(LARGE, 80);
    for some in changes.chunks(40) {
        log.append(some).await.unwrap();
    }
    let person = ActivityQuery { about: About::Person(MINA), ..everything(LARGE) };
    for (query, least_pages) in [(everything(LARGE), 2), (person, 2)] {
        let pages = walk(log, &query, 200).await;
        assert!(pages.len() >= least_pages, "{} pages", pages.len());
        for page in &pages {
            let bytes: usize = page.iter().map(|c| serde_json::to_string(c).unwrap().len()).sum();
            assert!(bytes <= MOST_BYTES, "{} entries have {bytes} bytes", page.len());
        }
        let mine = |c: &&Change| query.about == About::Everything || c.actor == MINA;
        let expected: Vec<Change> = changes.iter().rev().filter(mine).cloned().collect();
        assert!(pages.concat() == expected, "{query:?}");
    }
}

async fn a_cursor_of_another_list_is_refused(log: &dyn ActivityLog) {
    let request = PageRequest { limit: Limit::new(1).unwrap(), cursor: None };
    let cursor = log.entries(&everything(HERE), request.clone()).await.unwrap().next;
    assert!(cursor.is_some());
    let others = [
        ActivityQuery { about: About::Person(MINA), ..everything(HERE) },
        ActivityQuery { since: Some(Timestamp::UNIX_EPOCH), ..everything(HERE) },
        everything(ELSEWHERE),
    ];
    for query in others {
        let foreign = log.entries(&query, PageRequest { cursor: cursor.clone(), ..request.clone() }).await;
        let Err(PortError::Refused(problem)) = foreign else {
            panic!("{query:?} took a cursor of another list");
        };
        assert_eq!(problem.kind, ProblemKind::Invalid);
    }
}
