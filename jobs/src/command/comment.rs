//! Write, rewrite and take back comments.

use serde::{Deserialize, Serialize};

use super::TaskName;
use crate::{
    decide::{Answer, Context, Edit},
    id::CommentId,
    problem::{Problem, ProblemKind},
    rights::Action,
    task::Comment,
    text::Body,
};

/// Writes a comment under an id that was given when it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddComment {
    /// The task.
    pub task: TaskName,
    /// The new comment's id.
    pub comment: CommentId,
    /// What it says.
    pub body: Body,
}

/// Rewrites one's own comment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EditComment {
    /// The task.
    pub task: TaskName,
    /// The comment.
    pub comment: CommentId,
    /// What it says now.
    pub body: Body,
}

/// Takes back one's own comment, or as an admin anybody's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteComment {
    /// The task.
    pub task: TaskName,
    /// The comment.
    pub comment: CommentId,
}

impl AddComment {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let task = cx.task(&self.task)?;
        if cx.operation.if_match.is_some() {
            return Err(Problem::new(
                ProblemKind::PreconditionFailed,
                "If-Match was sent, but a new comment has no version.",
            ));
        }
        if cx.state.comments.contains_key(&self.comment) {
            return Err(Problem::new(
                ProblemKind::Conflict,
                format!("There is a comment {} already.", self.comment),
            ));
        }
        let comment = Comment {
            id: self.comment,
            task: task.id,
            author: cx.operation.actor,
            body: self.body.clone(),
            version: 0,
            created_at: cx.at,
            updated_at: cx.at,
            deleted_at: None,
        };
        Ok(Edit::comment(task.clone(), None, comment, Answer::Comment))
    }
}

impl EditComment {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let task = cx.task(&self.task)?;
        let before = cx.comment(task, self.comment)?;
        if before.author != cx.operation.actor {
            return Err(Problem::new(ProblemKind::Forbidden, "Only its author may rewrite a comment."));
        }
        cx.precondition(before.version)?;
        let after = Comment { body: self.body.clone(), ..before.clone() };
        Ok(Edit::comment(task.clone(), Some(before.clone()), after, Answer::Comment))
    }
}

impl DeleteComment {
    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        cx.may(Action::WriteTasks)?;
        let task = cx.task(&self.task)?;
        let before = cx.comment(task, self.comment)?;
        if before.author != cx.operation.actor {
            cx.may(Action::ModerateComments)?;
        }
        cx.precondition(before.version)?;
        let after = Comment { deleted_at: Some(cx.at), ..before.clone() };
        Ok(Edit::comment(task.clone(), Some(before.clone()), after, Answer::Nothing))
    }
}
