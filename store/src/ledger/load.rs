//! Reading what a batch names, and nothing else.
//!
//! The workspace is locked; projects, tasks and comments are locked as they are read, in this order and each by id.

use std::collections::BTreeMap;

use fairy_jobs::{
    id::{TaskId, WorkspaceId},
    ports::PortResult,
    state::{Needs, State},
};

use crate::{
    driver::Connection,
    tasks,
    teams::{members, projects},
};

/// What the tasks were that the batch may change.
pub(super) type Befores = BTreeMap<TaskId, tasks::Before>;

/// The state before the batch.
pub(super) async fn load(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    seq: u64,
    mut needs: Needs,
) -> PortResult<(State, Befores)> {
    let mut state = State { seq, ..State::default() };
    let people = members::by_id(c, workspace, needs.users).await?;
    state.members.extend(people.into_iter().map(|member| (member.user, member)));
    let projects =
        projects::lock(c, workspace, needs.projects.into_iter(), needs.project_keys.iter()).await?;
    state.projects.extend(projects.into_iter().map(|project| (project.id, project)));
    state.task_keys = tasks::resolve(c, workspace, &needs.task_keys).await?;
    needs.tasks.extend(state.task_keys.values());
    let found = tasks::lock(c, workspace, needs.tasks).await?;
    let before = found.iter().map(|task| (task.id, tasks::Before::of(task))).collect();
    state.tasks.extend(found.into_iter().map(|task| (task.id, task)));
    let comments = tasks::lock_comments(c, needs.comments).await?;
    state.comments.extend(comments.into_iter().map(|comment| (comment.id, comment)));
    Ok((state, before))
}
