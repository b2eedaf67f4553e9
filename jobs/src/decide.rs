//! The decision: `decide(state, operation) → changes | refusal`, pure, without IO, clock or randomness.
//!
//! A command says what the task or comment is to be afterwards; the changes are what is different. So a change can
//! never say something that did not happen, and an edit without difference makes no change and no new version.
//! The invariants are kept here and property-tested in `tests/invariants.rs`.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    change::Change,
    command::{ProjectName, TaskName},
    difference::{self, Stamp},
    id::{CommentId, UserId},
    operation::{Operation, Resource, ResourceKind, ResourceRef},
    problem::{Problem, ProblemKind},
    rights::{self, Action, Scope},
    state::State,
    task::{Comment, Percent, Status, Task},
    team::{Member, Project},
};

/// What an operation does, if it is applied.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The task as it is to be, if it is different.
    pub task: Option<Task>,
    /// The comment as it is to be, if it is different.
    pub comment: Option<Comment>,
    /// The changes, numbered on from the state.
    pub changes: Vec<Change>,
    /// What the outcome is about, by id.
    pub resource: ResourceRef,
    answer: Option<Resource>,
}

impl Decision {
    /// What the outcome shows.
    pub fn result(&self) -> Option<Resource> {
        self.answer.clone()
    }
}

/// Decides one operation against the state as those before it left it.
pub fn decide(state: &State, operation: &Operation, at: Timestamp) -> Result<Decision, Problem> {
    let member = state.members.get(&operation.actor);
    let member = member.filter(|m| m.role.is_some()).ok_or_else(|| Problem::not_found("workspace"))?;
    let cx = Context { state, operation, member, at };
    let edit = operation.command.decide(&cx)?;
    let stamp = Stamp {
        workspace: operation.workspace,
        at,
        actor: operation.actor,
        actor_name: &member.name,
        source: &operation.source,
        operation: Some(operation.id),
        trace: operation.trace,
    };
    Ok(edit.finish(&stamp, state.seq))
}

/// What a command looks at while it decides.
pub(crate) struct Context<'a> {
    pub state: &'a State,
    pub operation: &'a Operation,
    member: &'a Member,
    pub at: Timestamp,
}

impl<'a> Context<'a> {
    /// Whether the actor may do it now; the token's scope was checked when the operation was accepted.
    pub fn may(&self, action: Action) -> Result<(), Problem> {
        rights::check(self.member.role, Scope::Admin, action)
    }

    /// The task of that name, unless it is deleted.
    pub fn task(&self, name: &TaskName) -> Result<&'a Task, Problem> {
        self.any_task(name).and_then(|task| match task.deleted_at {
            None => Ok(task),
            Some(_) => Err(Problem::not_found("task")),
        })
    }

    /// The task of that name, deleted or not.
    pub fn any_task(&self, name: &TaskName) -> Result<&'a Task, Problem> {
        let id = match name {
            TaskName::Id(id) => Some(id),
            TaskName::Key(key) => self.state.task_keys.get(key),
        };
        id.and_then(|id| self.state.tasks.get(id)).ok_or_else(|| Problem::not_found("task"))
    }

    /// The comment of that task, unless it is deleted.
    pub fn comment(&self, task: &Task, id: CommentId) -> Result<&'a Comment, Problem> {
        let comment = self.state.comments.get(&id).filter(|c| c.task == task.id && c.deleted_at.is_none());
        comment.ok_or_else(|| Problem::not_found("comment"))
    }

    /// The project of that name.
    pub fn project(&self, name: &ProjectName) -> Result<&'a Project, Problem> {
        let project = match name {
            ProjectName::Id(id) => self.state.projects.get(id),
            ProjectName::Key(key) => self.state.projects.values().find(|p| p.key == *key),
        };
        project.ok_or_else(|| name.unknown())
    }

    /// The person, who must be a member now.
    pub fn member(&self, user: UserId, field: &str) -> Result<(), Problem> {
        match self.state.members.get(&user) {
            Some(member) if member.role.is_some() => Ok(()),
            _ => {
                Err(Problem::field(field, format!("names nobody who is a member of this workspace ({user})")))
            }
        }
    }

    /// Everybody who is to be assigned and is not yet must be a member; who was assigned and has left may stay.
    pub fn new_assignees(&self, before: &BTreeSet<UserId>, after: &BTreeSet<UserId>) -> Result<(), Problem> {
        after.difference(before).try_for_each(|user| self.member(*user, "assignees"))
    }

    /// Whether `If-Match` allows this version.
    pub fn precondition(&self, version: u64) -> Result<(), Problem> {
        match &self.operation.if_match {
            Some(allowed) if !allowed.allows(version) => Err(Problem::new(
                ProblemKind::PreconditionFailed,
                format!("The present version is \"{version}\". Read it again and decide anew."),
            )),
            _ => Ok(()),
        }
    }
}

/// What the call answers when the operation is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Task,
    Comment,
    Nothing,
}

/// What a command wants to be different.
pub(crate) struct Edit {
    before: Option<Task>,
    after: Task,
    comment: Option<(Option<Comment>, Comment)>,
    answer: Answer,
}

impl Edit {
    pub fn task(before: Option<Task>, after: Task, answer: Answer) -> Self {
        Self { before, after, comment: None, answer }
    }

    pub fn comment(task: Task, before: Option<Comment>, after: Comment, answer: Answer) -> Self {
        Self { before: Some(task.clone()), after: task, comment: Some((before, after)), answer }
    }

    fn finish(mut self, stamp: &Stamp<'_>, seq: u64) -> Decision {
        self.after.completed_at = match (self.after.status, self.before.as_ref().and_then(|b| b.completed_at))
        {
            (Status::Done, Some(at)) => Some(at),
            (Status::Done, None) => Some(stamp.at),
            _ => None,
        };
        let mut changes = difference::of_task(self.before.as_ref(), &self.after, stamp);
        let task = (!changes.is_empty()).then(|| {
            self.after.version += 1;
            self.after.updated_at = stamp.at;
            self.after.clone()
        });
        let mut comment = None;
        if let Some((before, mut after)) = self.comment.take() {
            if let Some(change) = difference::of_comment(&self.after, before.as_ref(), &after, stamp) {
                changes.push(change);
                after.version += 1;
                after.updated_at = stamp.at;
                comment = Some(after.clone());
            }
            self.comment = Some((before, after));
        }
        for (change, seq) in changes.iter_mut().zip(seq + 1..) {
            change.seq = seq;
        }
        let resource = match &self.comment {
            Some((_, after)) => ResourceRef { kind: ResourceKind::Comment, id: after.id.to_string() },
            None => ResourceRef { kind: ResourceKind::Task, id: self.after.id.to_string() },
        };
        let answer = match self.answer {
            Answer::Task => Some(Resource::Task(Box::new(self.after))),
            Answer::Comment => self.comment.map(|(_, after)| Resource::Comment(Box::new(after))),
            Answer::Nothing => None,
        };
        Decision { task, comment, changes, resource, answer }
    }
}

/// Status and progress after a request that names either, both or none of them.
///
/// Progress 100 makes a task done and done makes it 100; less on a done task reopens it; reopening sets 0 unless
/// progress is given; what contradicts itself is refused.
pub(crate) fn settle(
    before: (Status, Percent),
    status: Option<Status>,
    progress: Option<Percent>,
) -> Result<(Status, Percent), Problem> {
    let contradiction = |detail: &str| Err(Problem::field("progress", detail));
    match (status, progress) {
        (None, None) => Ok(before),
        (Some(Status::Done), None | Some(Percent::FULL)) | (None, Some(Percent::FULL)) => {
            Ok((Status::Done, Percent::FULL))
        }
        (Some(Status::Done), Some(_)) => contradiction("must be 100 or absent when status is done"),
        (Some(_), Some(Percent::FULL)) => contradiction("must be less than 100 unless status is done"),
        (Some(status), Some(progress)) => Ok((status, progress)),
        (Some(status), None) if before.0 == Status::Done => Ok((status, Percent::ZERO)),
        (Some(status), None) => Ok((status, before.1)),
        (None, Some(progress)) if before.0 == Status::Done => Ok((Status::InProgress, progress)),
        (None, Some(progress)) => Ok((before.0, progress)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_progress_settle_as_the_contract_says() {
        use Status::{Done, InProgress, Waiting};
        let percent = |n| Percent::new(n).unwrap();
        let settled = |before: (Status, i64), status, progress: Option<i64>| {
            let after = settle((before.0, percent(before.1)), status, progress.map(percent));
            after.map(|(status, progress)| (status, progress.get())).ok()
        };
        assert_eq!(settled((Waiting, 0), None, Some(100)), Some((Done, 100)));
        assert_eq!(settled((Waiting, 30), Some(Done), None), Some((Done, 100)));
        assert_eq!(settled((Done, 100), Some(InProgress), None), Some((InProgress, 0)));
        assert_eq!(settled((Done, 100), Some(InProgress), Some(60)), Some((InProgress, 60)));
        assert_eq!(settled((Done, 100), None, Some(60)), Some((InProgress, 60)));
        assert_eq!(settled((Done, 100), None, None), Some((Done, 100)));
        assert_eq!(settled((InProgress, 60), Some(Waiting), None), Some((Waiting, 60)));
        assert_eq!(settled((Waiting, 0), None, Some(30)), Some((Waiting, 30)));
        assert_eq!(settled((Waiting, 0), Some(Done), Some(99)), None);
        assert_eq!(settled((Waiting, 0), Some(InProgress), Some(100)), None);
    }
}
