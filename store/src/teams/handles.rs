//! What members can be called by with `@`, kept as rows so that a mention is found without reading all members.

use fairy_jobs::{
    account::User,
    email::EmailAddress,
    id::{UserId, WorkspaceId},
    mention,
    ports::PortResult,
    text::Name,
};

use crate::driver::{Connection, Text, Value, args};

/// Workspaces that are renamed in one step.
const STEP: usize = 256;

const INSERT: &str = "\
INSERT INTO member_handles (workspace, handle, user, whole)
VALUES {rows}";

const DELETE: &str = "\
DELETE FROM member_handles
WHERE workspace = ? AND user = ? AND handle IN {list}";

const WORKSPACES: Text = Text {
    sqlite: "\
SELECT workspace, workspace_name
FROM members
WHERE user = ? AND present = 1 AND (workspace_name, workspace) > (?, ?)
ORDER BY workspace_name, workspace
LIMIT ?",
    mysql: "\
SELECT workspace, workspace_name
FROM members FORCE INDEX (members_by_person)
WHERE user = ?1 AND present = 1 AND (workspace_name > ?2 OR (workspace_name = ?2 AND workspace > ?3))
ORDER BY workspace_name, workspace
LIMIT ?4",
};

const MEANT: &str = "\
SELECT COUNT(*), MIN(user), COUNT(CASE WHEN whole = 1 THEN 1 END), MIN(CASE WHEN whole = 1 THEN user END)
FROM member_handles
WHERE workspace = ? AND handle IN {list}
GROUP BY handle";

/// The person is called by these from now on.
pub(super) async fn add(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    user: UserId,
    (name, email): (&Name, &EmailAddress),
) -> PortResult<()> {
    let whole = mention::handle(name.as_str());
    let handles = mention::handles_of(name, email);
    let rows = handles.iter().flat_map(|handle| args![workspace, handle.as_str(), user, *handle == whole]);
    c.later_rows(INSERT, 4, rows.collect()).await
}

/// The person is no longer called by what their name and address give.
pub(super) async fn remove(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    user: UserId,
    (name, email): (&Name, &EmailAddress),
) -> PortResult<()> {
    let handles = mention::handles_of(name, email).into_iter().map(Value::from).collect();
    c.run_in(DELETE, args![workspace, user], handles).await?;
    Ok(())
}

/// The person has another name, in all their workspaces.
pub(crate) async fn rename(c: &mut Connection<'_>, before: &User, name: &Name) -> PortResult<()> {
    let mut after = (String::new(), WorkspaceId::from_bytes([0; 16]));
    loop {
        let rows = c.rows(WORKSPACES, args![before.id, after.0, after.1, STEP]).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        let mut columns = last.columns();
        let (workspace, name_of_last) = (columns.next()?, columns.next()?);
        after = (name_of_last, workspace);
        for row in &rows {
            let workspace = row.only()?;
            remove(c, workspace, before.id, (&before.name, &before.email)).await?;
            add(c, workspace, before.id, (name, &before.email)).await?;
        }
    }
}

/// Whom these handles mean: the only one with it, or else the only one whose whole name it is.
pub(super) async fn meant(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    handles: &[String],
) -> PortResult<Vec<UserId>> {
    let list = handles.iter().take(mention::MOST_MENTIONS).map(|h| Value::from(h.as_str())).collect();
    let rows = c.rows_in(MEANT, args![workspace], list).await?;
    let mut people = Vec::new();
    for row in &rows {
        let mut columns = row.columns();
        let (sharing, any, whole, named): (u64, UserId, u64, Option<UserId>) =
            (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
        people.extend(if sharing == 1 { Some(any) } else { named.filter(|_| whole == 1) });
    }
    people.sort_unstable();
    people.dedup();
    Ok(people)
}
