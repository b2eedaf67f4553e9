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
    driver::{Asked, Connection},
    tasks,
    teams::{members, projects},
};

/// What the tasks were that the batch may change.
pub(super) type Befores = BTreeMap<TaskId, tasks::Before>;

/// The state before a batch, while it is being read.
pub(super) struct Loading {
    workspace: WorkspaceId,
    needs: Needs,
    people: Asked,
    projects: Asked,
}

/// Asks for what has not to be looked for.
pub(super) async fn begin(
    c: &mut Connection<'_>,
    workspace: WorkspaceId,
    mut needs: Needs,
) -> PortResult<Loading> {
    let people = members::ask_by_id(c, workspace, std::mem::take(&mut needs.users)).await?;
    let (ids, keys) = (std::mem::take(&mut needs.projects), &needs.project_keys);
    let projects = projects::ask_lock(c, workspace, ids.into_iter(), keys.iter()).await?;
    Ok(Loading { workspace, needs, people, projects })
}

impl Loading {
    /// The state, in a feed that ends at `seq`.
    pub async fn finish(self, c: &mut Connection<'_>, seq: u64) -> PortResult<(State, Befores)> {
        let Self { workspace, mut needs, people, projects } = self;
        let mut state = State { seq, ..State::default() };
        let people = members::named(c, people).await?;
        state.members.extend(people.into_iter().map(|member| (member.user, member)));
        let projects = projects::locked(c, workspace, projects).await?;
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
}
