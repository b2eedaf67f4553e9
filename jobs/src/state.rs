//! What a batch of operations of one workspace needs to know, and what it left behind.
//!
//! The store loads what [`Needs`] lists, under lock; [`State::run`] decides the operations one by one, each seeing what
//! those before it did; the store then writes what [`State`] says is new, in multi-row statements.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::{
    change::Change,
    command::{Command, Patch, ProjectName, TaskName},
    decide::{self, Decision},
    id::{CommentId, ProjectId, TaskId, UserId},
    operation::{End, Operation, Outcome, ResourceRef},
    problem::{Problem, ProblemKind},
    task::{Comment, Task},
    team::{Member, Project, ProjectKey, TaskKey},
};

/// The rows a batch of operations names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// People: actors, and who is to be assigned or to watch.
    pub users: BTreeSet<UserId>,
    /// Projects by id.
    pub projects: BTreeSet<ProjectId>,
    /// Projects by key.
    pub project_keys: BTreeSet<ProjectKey>,
    /// Tasks by id, deleted ones included.
    pub tasks: BTreeSet<TaskId>,
    /// Tasks by any key they have or had.
    pub task_keys: BTreeSet<TaskKey>,
    /// Comments, deleted ones included.
    pub comments: BTreeSet<CommentId>,
}

impl Needs {
    /// What these operations name.
    pub fn of(operations: &[Operation]) -> Self {
        let mut needs = Self::default();
        for operation in operations {
            needs.users.insert(operation.actor);
            match operation.command.task() {
                TaskName::Id(id) => _ = needs.tasks.insert(id),
                TaskName::Key(key) => _ = needs.task_keys.insert(key),
            }
            match &operation.command {
                Command::CreateTask(c) => {
                    needs.users.extend(&c.assignees);
                    needs.project(&c.project);
                }
                Command::PatchTask(c) => {
                    if let Patch::Set(assignees) = &c.assignees {
                        needs.users.extend(assignees);
                    }
                    c.project.iter().for_each(|p| needs.project(p));
                }
                Command::Assign(c) | Command::Unassign(c) => _ = needs.users.insert(c.user),
                Command::Watch(c) | Command::Unwatch(c) => _ = needs.users.insert(c.user),
                Command::AddComment(c) => _ = needs.comments.insert(c.comment),
                Command::EditComment(c) => _ = needs.comments.insert(c.comment),
                Command::DeleteComment(c) => _ = needs.comments.insert(c.comment),
                Command::DeleteTask(_)
                | Command::RestoreTask(_)
                | Command::AddLabel(_)
                | Command::RemoveLabel(_) => {}
            }
        }
        needs
    }

    fn project(&mut self, name: &ProjectName) {
        match name {
            ProjectName::Id(id) => _ = self.projects.insert(*id),
            ProjectName::Key(key) => _ = self.project_keys.insert(key.clone()),
        }
    }
}

/// The rows of one workspace that a batch sees, and what the batch has changed in them.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// The number of the last change in the workspace's feed.
    pub seq: u64,
    /// Members, present and former, of those that were asked for.
    pub members: BTreeMap<UserId, Member>,
    /// Projects of those that were asked for.
    pub projects: BTreeMap<ProjectId, Project>,
    /// Tasks of those that were asked for, deleted ones included.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Which task a key leads to, for keys that were asked for.
    pub task_keys: BTreeMap<TaskKey, TaskId>,
    /// Comments of those that were asked for, deleted ones included.
    pub comments: BTreeMap<CommentId, Comment>,
    /// What the batch left behind so far.
    pub written: Written,
}

/// What a batch left behind and the store has to write.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Tasks that did not exist before the batch.
    pub new_tasks: BTreeSet<TaskId>,
    /// Tasks that existed before and are different.
    pub tasks: BTreeSet<TaskId>,
    /// Keys that were given, each to be kept for ever.
    pub task_keys: Vec<(TaskKey, TaskId)>,
    /// Projects whose last number is different.
    pub projects: BTreeSet<ProjectId>,
    /// Comments that did not exist before the batch.
    pub new_comments: BTreeSet<CommentId>,
    /// Comments that existed before and are different.
    pub comments: BTreeSet<CommentId>,
    /// Changes, in order of `seq`.
    pub changes: Vec<Change>,
}

impl State {
    /// Decides the operations in order and keeps what they do; one outcome each, in the same order.
    pub fn run(&mut self, operations: &[Operation], at: Timestamp) -> Vec<Outcome> {
        operations.iter().map(|operation| self.run_one(operation, at)).collect()
    }

    fn run_one(&mut self, operation: &Operation, at: Timestamp) -> Outcome {
        let mut resource = operation.command.resource();
        let end = match decide::decide(self, operation, at) {
            Ok(decision) => {
                // A task named by key is answered by its id, which is what the outcome is about for ever.
                resource = decision.resource.clone();
                let result = decision.result();
                self.keep(decision);
                End::Applied(result)
            }
            Err(problem) => End::Refused(problem),
        };
        operation.outcome(at, resource, end)
    }

    fn keep(&mut self, decision: Decision) {
        self.seq += decision.changes.len() as u64;
        self.written.changes.extend(decision.changes);
        if let Some(task) = decision.task {
            self.keep_task(task);
        }
        if let Some(comment) = decision.comment {
            let known = self.comments.insert(comment.id, comment.clone()).is_some();
            if !known {
                self.written.new_comments.insert(comment.id);
            } else if !self.written.new_comments.contains(&comment.id) {
                self.written.comments.insert(comment.id);
            }
        }
    }

    fn keep_task(&mut self, task: Task) {
        let before = self.tasks.get(&task.id);
        if before.is_none_or(|b| b.key != task.key) {
            if let Some(project) = self.projects.get_mut(&task.project) {
                project.last_number = task.key.number;
            }
            self.written.projects.insert(task.project);
            self.task_keys.insert(task.key.clone(), task.id);
            self.written.task_keys.push((task.key.clone(), task.id));
        }
        if before.is_none() {
            self.written.new_tasks.insert(task.id);
        } else if !self.written.new_tasks.contains(&task.id) {
            self.written.tasks.insert(task.id);
        }
        self.tasks.insert(task.id, task);
    }
}

impl Operation {
    /// The outcome of this operation that ended so.
    pub fn outcome(&self, at: Timestamp, resource: ResourceRef, end: End) -> Outcome {
        Outcome {
            id: self.id,
            workspace: self.workspace,
            actor: self.actor,
            fingerprint: self.fingerprint,
            accepted_at: self.accepted_at,
            finished_at: at,
            resource,
            retry_of: self.retry_of,
            end,
        }
    }

    /// The outcome of this operation when it was put among the dead letters.
    pub fn failure(&self, at: Timestamp) -> Outcome {
        let detail = "It could not be applied and was put among the dead letters.";
        let problem = Problem::new(ProblemKind::OperationFailed, detail);
        self.outcome(at, self.command.resource(), End::Failed(problem))
    }
}
