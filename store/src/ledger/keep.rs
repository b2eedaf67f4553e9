//! Writing what a batch left behind, in statements over many rows.

use std::collections::BTreeSet;

use fairy_jobs::{
    id::{CommentId, TaskId, WorkspaceId},
    ports::{PortError, PortResult},
    state::State,
    task::{Comment, Task},
};

use super::load::Befores;
use crate::{driver::Connection, tasks, teams::projects};

pub(super) async fn keep(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    state: &State,
    before: &Befores,
) -> PortResult<()> {
    let written = &state.written;
    let made = tasks_of(state, &written.new_tasks)?;
    let changed = tasks_of(state, &written.tasks)?;
    let moved = |task: &&Task| before.get(&task.id).is_none_or(|before| before.moved(task));
    let (moved, edited): (Vec<&Task>, Vec<&Task>) = changed.iter().copied().partition(moved);
    tasks::insert(c, &made).await?;
    tasks::update(c, &moved, true).await?;
    tasks::update(c, &edited, false).await?;
    tasks::write_keys(c, workspace, &written.task_keys).await?;
    projects::write(c, written.projects.iter().filter_map(|id| state.projects.get(id))).await?;
    let with_before: Vec<_> = made.iter().chain(&changed).map(|task| (*task, before.get(&task.id))).collect();
    tasks::sync(c, &with_before).await?;
    tasks::write_comments(c, &comments_of(state, &written.new_comments)?).await?;
    tasks::write_comments(c, &comments_of(state, &written.comments)?).await
}

fn tasks_of<'s>(state: &'s State, ids: &BTreeSet<TaskId>) -> PortResult<Vec<&'s Task>> {
    ids.iter().map(|id| state.tasks.get(id).ok_or_else(|| unknown(id))).collect()
}

fn comments_of<'s>(state: &'s State, ids: &BTreeSet<CommentId>) -> PortResult<Vec<&'s Comment>> {
    ids.iter().map(|id| state.comments.get(id).ok_or_else(|| unknown(id))).collect()
}

fn unknown(id: &impl std::fmt::Display) -> PortError {
    PortError::Broken(format!("the decision left {id} behind without its row"))
}
