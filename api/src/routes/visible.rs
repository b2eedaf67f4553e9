//! What a path names, as far as the caller may see it.

use std::time::Duration;

use fairy_jobs::{
    command::TaskName,
    id::{CommentId, TaskId, UserId, WorkspaceId},
    problem::{Problem, ProblemKind},
    task::Task,
};
use futures::StreamExt as _;
use tokio::time::Instant;

use crate::{
    front::Front,
    problem::Refusal,
    shape::{Fields, Given, Raw, SeqParam},
};

/// How long a read waits until a change is visible.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often the rows are looked at meanwhile, should a signal get lost.
const LOOK: Duration = Duration::from_millis(200);
/// A change further ahead than this is not one that is being made.
const FAR: u64 = 100_000;

/// The task a path names.
pub(crate) fn task_name(text: &str) -> Result<TaskName, Problem> {
    TaskName::parse(text).map_err(|_| Problem::not_found("task"))
}

/// The comment a path names.
pub(crate) fn comment_id(text: &str) -> Result<CommentId, Problem> {
    text.parse().map_err(|_| Problem::not_found("comment"))
}

/// The person a path names; `me` is the caller.
pub(crate) fn user_id(text: &str, me: UserId) -> Result<UserId, Problem> {
    match text {
        "me" => Ok(me),
        id => id.parse().map_err(|_| Problem::not_found("member")),
    }
}

impl Front {
    /// The task of this name in a workspace.
    pub async fn task(&self, workspace: WorkspaceId, name: &str) -> Result<Task, Refusal> {
        let task = self.services.tasks.task(workspace, &task_name(name)?).await?;
        Ok(task.ok_or_else(|| Problem::not_found("task"))?)
    }

    /// The id of the task of this name. A task that was deleted keeps its history, so an id that leads to no task is not
    /// refused but returned as uncertain.
    pub async fn task_with_history(
        &self,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<(TaskId, bool), Refusal> {
        let name = task_name(name)?;
        let task = self.services.tasks.task(workspace, &name).await?;
        match (task, name) {
            (Some(task), _) => Ok((task.id, true)),
            (None, TaskName::Id(id)) => Ok((id, false)),
            (None, TaskName::Key(_)) => Err(Problem::not_found("task").into()),
        }
    }

    /// Waits until the workspace's change `min_seq` is visible, if one is named.
    pub async fn caught_up(
        &self,
        workspace: WorkspaceId,
        min_seq: &Given<Raw<SeqParam>>,
    ) -> Result<(), Refusal> {
        let mut fields = Fields::default();
        let wanted = fields.given("min_seq", min_seq).map_or(0, |seq| seq.0);
        fields.finish(|| Some(()))?;
        if wanted == 0 {
            return Ok(());
        }
        let mut signal = self.services.signal.follow(workspace);
        let until = Instant::now() + PATIENCE;
        loop {
            let seq = self.services.feed.seq(workspace).await?.unwrap_or(0);
            if seq >= wanted {
                return Ok(());
            }
            if Instant::now() >= until || wanted - seq > FAR {
                let detail =
                    format!("The workspace's last change is {seq}; there is no change {wanted} yet.");
                return Err(Problem::new(ProblemKind::Conflict, detail).retry_after(1).into());
            }
            tokio::select! {
                _ = signal.next() => {}
                () = tokio::time::sleep(LOOK) => {}
                () = self.settings.drain.cancelled() => return Err(crate::problem::unavailable().into()),
            }
        }
    }
}
