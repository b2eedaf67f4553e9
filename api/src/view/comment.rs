//! A comment as the API shows it.

use fairy_jobs::{
    id::{CommentId, TaskId},
    task::Comment,
    text::Body,
};
use poem_openapi::Object;

use super::{People, PersonView};
use crate::shape::{Instant, Shown};

/// A comment on a task.
#[derive(Debug, Object)]
#[oai(rename = "Comment")]
pub(crate) struct CommentView {
    /// Its id.
    id: Shown<CommentId>,
    /// The task it is on.
    task: Shown<TaskId>,
    /// Who wrote it.
    author: PersonView,
    /// What it says, in Markdown.
    body: Shown<Body>,
    /// How many operations changed it.
    version: u64,
    /// When it was written.
    created_at: Shown<Instant>,
    /// When it was last changed.
    updated_at: Shown<Instant>,
}

impl CommentView {
    /// A comment with the name of its author.
    pub fn of(comment: Comment, people: &People) -> Self {
        Self {
            id: Shown(comment.id),
            task: Shown(comment.task),
            author: people.show(comment.author),
            body: Shown(comment.body),
            version: comment.version,
            created_at: Shown(Instant(comment.created_at)),
            updated_at: Shown(Instant(comment.updated_at)),
        }
    }
}
