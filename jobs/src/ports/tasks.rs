//! Reading tasks and comments.

use async_trait::async_trait;

use super::PortResult;
use crate::{
    account::TimeZone,
    command::{ProjectName, TaskName},
    id::{CommentId, TaskId, UserId, WorkspaceId},
    page::{Page, PageRequest},
    task::{Comment, Due, Status, Task},
    team::TaskKey,
    text::Label,
};

/// Whose tasks are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssigneeFilter {
    /// Of this person.
    User(UserId),
    /// Of nobody.
    Nobody,
}

/// Which tasks are wanted; all that is given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFilter {
    /// In this project.
    pub project: Option<ProjectName>,
    /// With this status.
    pub status: Option<Status>,
    /// Of this person or nobody.
    pub assignee: Option<AssigneeFilter>,
    /// With this label.
    pub label: Option<Label>,
    /// Due before this date begins in `time_zone`, or before this instant; tasks without due date are left out.
    pub due_before: Option<Due>,
    /// With this text in title or body, without regard to ASCII case; 1–200 characters.
    pub text: Option<String>,
    /// With this key, present or former.
    pub key: Option<TaskKey>,
}

/// In which order; each has the id as its last criterion, so it is total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskSort {
    /// Newest first: `-created_at`, the default.
    #[default]
    Newest,
    /// Oldest first: `created_at`.
    Oldest,
    /// Last changed first: `-updated_at`.
    Updated,
    /// Soonest due first, without due date last: `due`.
    Due,
    /// Most urgent first: `-priority`.
    Priority,
}

/// A list of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskQuery {
    /// Where.
    pub workspace: WorkspaceId,
    /// Which.
    pub filter: TaskFilter,
    /// In which order.
    pub sort: TaskSort,
    /// The caller's zone, in which calendar dates are placed among instants.
    pub time_zone: TimeZone,
}

/// The tasks; deleted ones are never read here.
#[async_trait]
pub trait Tasks: Send + Sync + 'static {
    /// The task of that name.
    async fn task(&self, workspace: WorkspaceId, name: &TaskName) -> PortResult<Option<Task>>;
    /// A page of a list. A cursor of another list is refused as a problem of the field `cursor`, and a project that is not
    /// the workspace's as one of the field `project`, wherever else it may be.
    async fn tasks(&self, query: &TaskQuery, page: PageRequest) -> PortResult<Page<Task>>;
    /// The comment.
    async fn comment(&self, task: TaskId, comment: CommentId) -> PortResult<Option<Comment>>;
    /// The comments of a task, oldest first.
    async fn comments(&self, task: TaskId, page: PageRequest) -> PortResult<Page<Comment>>;
}
