//! Notices as rows, each person once for each change.
//!
//! `notice_changes` is the guard: its key is (person, workspace, seq). The sink's mark moves in the same transaction, so
//! after a crash the same changes are worked out again at most once, and then nothing is added.

use std::collections::{BTreeMap, BTreeSet};

use fairy_jobs::{
    id::{NoticeId, UserId, WorkspaceId},
    lane::Sink,
    notice::{Notice, Reason, Subject},
    ports::{NewDelivery, PortResult, Told},
    team::Member,
};
use jiff::Timestamp;

use super::deliveries::{self, Letter};
use crate::{
    accounts::users::json,
    driver::{Column, Connection, Json, Row, Value, args},
    feed,
    teams::members,
};

const HELD: &str = "\
SELECT person, seq
FROM notice_changes
WHERE workspace = ? AND seq >= ? AND seq <= ? AND person IN {list}";

const INSERT: &str = "\
INSERT INTO notices (id, workspace, person, task, operation, reason, changes, last_seq, created_at, not_told)
VALUES {rows}";

const INSERT_CHANGES: &str = "\
INSERT INTO notice_changes (person, workspace, seq, notice)
VALUES {rows}";

const BY_ID: &str = "\
SELECT id, workspace, person, task, operation, reason, changes, created_at
FROM notices
WHERE id IN {list}";

/// What a receipt says of somebody who was not told because they had left.
const LEFT: &str = "is no longer a member of the workspace";

type New = (Notice, NewDelivery);

pub(super) async fn tell(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    notices: &[New],
    (seq, at): (u64, Timestamp),
) -> PortResult<Told> {
    let fresh = fresh(c, workspace, notices).await?;
    let people = members::by_id(c, workspace, fresh.iter().map(|(notice, _)| notice.person)).await?;
    let people: BTreeMap<UserId, Member> =
        people.into_iter().filter(|m| m.role.is_some()).map(|m| (m.user, m)).collect();
    insert(c, &fresh, &people).await?;
    let letters: Vec<Letter> = fresh
        .iter()
        .filter_map(|(notice, delivery)| {
            let person = people.get(&notice.person)?;
            Some(Letter {
                id: delivery.id,
                subject: Subject::Notice(notice.id),
                address: person.email.clone(),
                person: Some((person.user, person.name.clone())),
                due_at: delivery.due_at,
                trace: delivery.trace,
            })
        })
        .collect();
    deliveries::insert(c, &letters, at).await?;
    feed::mark(c, Sink::Notify, workspace, seq).await?;
    let due = letters.iter().filter(|letter| letter.due_at <= at);
    Ok(Told { deliveries: due.map(|letter| letter.id).collect() })
}

/// Those of whose changes the person was not told of any.
async fn fresh<'n>(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    notices: &'n [New],
) -> PortResult<Vec<&'n New>> {
    let seqs = || notices.iter().flat_map(|(notice, _)| notice.changes.iter().copied());
    let (Some(first), Some(last)) = (seqs().min(), seqs().max()) else {
        return Ok(Vec::new());
    };
    let people: BTreeSet<UserId> = notices.iter().map(|(notice, _)| notice.person).collect();
    let people = people.into_iter().map(Value::from).collect();
    let rows = c.rows_in(HELD, args![workspace, first, last], people).await?;
    let mut held = BTreeSet::new();
    for row in &rows {
        let mut columns = row.columns();
        held.insert((columns.next::<UserId>()?, columns.next::<u64>()?));
    }
    let mut fresh = Vec::with_capacity(notices.len());
    for new in notices {
        let pairs = || new.0.changes.iter().map(|seq| (new.0.person, *seq));
        if !pairs().any(|pair| held.contains(&pair)) {
            held.extend(pairs());
            fresh.push(new);
        }
    }
    Ok(fresh)
}

async fn insert(c: &mut Connection<'_>, new: &[&New], people: &BTreeMap<UserId, Member>) -> PortResult<()> {
    let mut rows = Vec::with_capacity(new.len() * 10);
    let mut pairs = Vec::new();
    for (notice, _) in new {
        let not_told = if people.contains_key(&notice.person) { None } else { Some(LEFT) };
        let last = notice.changes.iter().copied().max().unwrap_or(0);
        rows.extend(args![
            notice.id,
            notice.workspace,
            notice.person,
            notice.task,
            notice.operation,
            notice.reason.as_str(),
            json(&notice.changes)?,
            last,
            notice.created_at,
            not_told
        ]);
        for seq in &notice.changes {
            pairs.extend(args![notice.person, notice.workspace, *seq, notice.id]);
        }
    }
    c.later_rows(INSERT, 10, rows).await?;
    c.later_rows(INSERT_CHANGES, 4, pairs).await
}

/// The notices of these ids.
pub(super) async fn by_id(
    c: &mut Connection<'_>,
    ids: impl Iterator<Item = NoticeId>,
) -> PortResult<BTreeMap<NoticeId, Notice>> {
    let rows = c.rows_in(BY_ID, vec![], ids.map(Value::from).collect()).await?;
    rows.iter().map(read).map(|notice| notice.map(|notice| (notice.id, notice))).collect()
}

fn read(row: &Row) -> PortResult<Notice> {
    let mut columns = row.columns();
    Ok(Notice {
        id: columns.next()?,
        workspace: columns.next()?,
        person: columns.next()?,
        task: columns.next()?,
        operation: columns.next()?,
        reason: columns.next()?,
        changes: columns.next::<Json<_>>()?.0,
        created_at: columns.next()?,
    })
}

impl Column for Reason {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::parse(&String::read(row, at)?)
    }
}
