//! Making a workspace.

use fairy_jobs::{
    lane::Sink,
    ports::{PortResult, WorkspaceName},
    problem::{Problem, ProblemKind},
    team::{Role, Workspace},
    team_command::{self, Ask},
    text::{Name, Slug},
};

use super::{handles, members, workspaces};
use crate::{
    accounts::users,
    driver::{Connection, Row, Value, args},
    feed,
};

/// Numbers that are looked at in one step, and steps: behind 64 × 64 teams of one name the caller is asked for a slug.
const STEP: u32 = 64;
const STEPS: u32 = 64;

const INSERT: &str = "\
INSERT INTO workspaces (id, slug, name, seq, changed_at, created_at)
VALUES (?, ?, ?, ?, ?, ?)";

const TAKEN: &str = "\
SELECT slug
FROM workspaces
WHERE slug IN {list}";

/// Makes the workspace, its owner, and the first change of its feed; the slug and whether it must be exactly that.
pub(super) async fn found(
    c: &mut Connection<'_>,
    ask: &Ask,
    name: &Name,
    (slug, fixed): (Slug, bool),
    in_use: &[Sink],
) -> PortResult<Workspace> {
    let founder = users::user(c, ask.actor).await?.ok_or_else(|| Problem::not_found("account"))?;
    let slug = free(c, slug, fixed).await?;
    let workspace = Workspace { id: ask.workspace, slug, name: name.clone(), seq: 1, created_at: ask.at };
    let args = args![workspace.id, &workspace.slug, name, 0_u64, ask.at, ask.at];
    c.run(INSERT, args).await?;
    members::set_role(c, ask.workspace, (ask.actor, Role::Owner), ask.at).await?;
    handles::add(c, ask.workspace, ask.actor, (&founder.name, &founder.email)).await?;
    feed::found(c, in_use, ask.workspace).await?;
    let change = team_command::founding(ask, &founder.name, name);
    feed::append(c, ask.workspace, &[change], (in_use, ask.at)).await?;
    Ok(workspace)
}

async fn free(c: &mut Connection<'_>, slug: Slug, fixed: bool) -> PortResult<Slug> {
    let named = WorkspaceName::Slug(slug.clone());
    if workspaces::workspace(c, &named).await?.is_none() {
        return Ok(slug);
    }
    if !fixed {
        for step in 0..STEPS {
            let first = 2 + step * STEP;
            let tries: Vec<Slug> = (first..first + STEP).map(|n| slug.numbered(n)).collect();
            let rows = c.rows_in(TAKEN, vec![], tries.iter().map(Value::from).collect()).await?;
            let taken = rows.iter().map(Row::only).collect::<PortResult<Vec<Slug>>>()?;
            if let Some(free) = tries.into_iter().find(|slug| !taken.contains(slug)) {
                return Ok(free);
            }
        }
    }
    let detail = format!("The slug {} belongs to another workspace; choose another.", slug.as_str());
    Err(Problem::new(ProblemKind::Conflict, detail).into())
}
