//! The writes that can be asked for, one file each. Every command names exactly one task.
//!
//! A command is what was asked, parsed and within limits; whether it may be and what it changes is decided when it is
//! applied. Unknown fields are refused, so that an old worker never applies half of what a newer API accepted.

mod comment;
mod create_task;
mod patch;
mod patch_task;
mod people;
mod retire;

use serde::{Deserialize, Serialize};

pub use self::{
    comment::{AddComment, DeleteComment, EditComment},
    create_task::CreateTask,
    patch::Patch,
    patch_task::PatchTask,
    people::{Assignment, Labelling, Watching},
    retire::{DeleteTask, RestoreTask},
};
use crate::{
    decide::{Context, Edit},
    id::{ProjectId, TaskId},
    operation::{ResourceKind, ResourceRef},
    problem::Problem,
    team::{ProjectKey, TaskKey},
    text::TextError,
};

/// One requested write to one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is documented at its type")]
pub enum Command {
    CreateTask(CreateTask),
    PatchTask(PatchTask),
    DeleteTask(DeleteTask),
    RestoreTask(RestoreTask),
    Assign(Assignment),
    Unassign(Assignment),
    AddLabel(Labelling),
    RemoveLabel(Labelling),
    Watch(Watching),
    Unwatch(Watching),
    AddComment(AddComment),
    EditComment(EditComment),
    DeleteComment(DeleteComment),
}

impl Command {
    /// The task it names; of a task to be created, its id.
    pub fn task(&self) -> TaskName {
        match self {
            Self::CreateTask(c) => TaskName::Id(c.task),
            Self::PatchTask(c) => c.task.clone(),
            Self::DeleteTask(c) => c.task.clone(),
            Self::RestoreTask(c) => c.task.clone(),
            Self::Assign(c) | Self::Unassign(c) => c.task.clone(),
            Self::AddLabel(c) | Self::RemoveLabel(c) => c.task.clone(),
            Self::Watch(c) | Self::Unwatch(c) => c.task.clone(),
            Self::AddComment(c) => c.task.clone(),
            Self::EditComment(c) => c.task.clone(),
            Self::DeleteComment(c) => c.task.clone(),
        }
    }

    /// Whether it makes what its outcome is about, under an id of its own.
    pub const fn makes(&self) -> bool {
        matches!(self, Self::CreateTask(_) | Self::AddComment(_))
    }

    /// What its outcome is about.
    pub fn resource(&self) -> ResourceRef {
        let comment = match self {
            Self::AddComment(c) => Some(c.comment),
            Self::EditComment(c) => Some(c.comment),
            Self::DeleteComment(c) => Some(c.comment),
            _ => None,
        };
        match comment {
            Some(id) => ResourceRef { kind: ResourceKind::Comment, id: id.to_string() },
            None => ResourceRef { kind: ResourceKind::Task, id: self.task().to_string() },
        }
    }

    pub(crate) fn decide(&self, cx: &Context<'_>) -> Result<Edit, Problem> {
        match self {
            Self::CreateTask(c) => c.decide(cx),
            Self::PatchTask(c) => c.decide(cx),
            Self::DeleteTask(c) => c.decide(cx),
            Self::RestoreTask(c) => c.decide(cx),
            Self::Assign(c) => c.decide(cx, true),
            Self::Unassign(c) => c.decide(cx, false),
            Self::AddLabel(c) => c.decide(cx, true),
            Self::RemoveLabel(c) => c.decide(cx, false),
            Self::Watch(c) => c.decide(cx, true),
            Self::Unwatch(c) => c.decide(cx, false),
            Self::AddComment(c) => c.decide(cx),
            Self::EditComment(c) => c.decide(cx),
            Self::DeleteComment(c) => c.decide(cx),
        }
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $id:ident, $key:ident, $shape:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            /// By its id.
            Id($id),
            /// By its key.
            Key($key),
        }

        impl $name {
            /// An id, or else a key.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                if let Ok(id) = text.parse() {
                    return Ok(Self::Id(id));
                }
                $key::parse(text).map(Self::Key).map_err(|_| TextError::Shape($shape))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    Self::Id(id) => id.fmt(f),
                    Self::Key(key) => key.fmt(f),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

impl ProjectName {
    /// Nothing in the workspace has this name. What another workspace has is answered alike.
    pub fn unknown(&self) -> Problem {
        Problem::field("project", format!("names no project of this workspace ({self})"))
    }
}

names! {
    /// How a caller names a task: by id, or by any key it has or had.
    TaskName, TaskId, TaskKey, "must be a task's id (tsk_…) or key (WEB-12)";
    /// How a caller names a project: by id or key.
    ProjectName, ProjectId, ProjectKey, "must be a project's id (prj_…) or key (WEB)";
}
