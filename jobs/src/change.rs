//! Changes: the facts that applied operations leave behind, and from which the rows can be told again.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::{CommentId, OperationId, TaskId, UserId, WorkspaceId},
    notice::Concern,
    operation::Source,
    team::TaskKey,
    text::{Name, Title},
    trace::Trace,
};

/// One fact: who, what, before → after; numbered without gaps in its workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The workspace whose feed it is in.
    pub workspace: WorkspaceId,
    /// Its number there, from 1.
    pub seq: u64,
    /// When it was applied.
    pub at: Timestamp,
    /// Who did it.
    pub actor: UserId,
    /// What the actor was called then.
    pub actor_name: Name,
    /// From where.
    pub source: Source,
    /// What happened.
    pub kind: ChangeKind,
    /// The task it is about; `None` for changes of the workspace, its members and projects.
    pub task: Option<TaskRef>,
    /// The comment it is about.
    pub comment: Option<CommentId>,
    /// What is different, by field; sets are shown whole.
    pub fields: Vec<FieldChange>,
    /// The operation that explains it; `None` for changes that are not made by operations.
    pub operation: Option<OperationId>,
    /// Who is to hear of it and why, known when it was applied; without those mentioned by name, and never the actor.
    pub audience: Vec<Concern>,
    /// The trace of the request that made it, by which later work is found again; nobody is shown it.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

impl Change {
    /// The same change for a place that holds at most so many bytes of it as JSON: where it is larger, its texts are cut
    /// to their beginnings and say so. The feed has them whole, under the same number.
    ///
    /// Whatever the limits of today allow is far smaller than any such place, but rows are read as they were written, and
    /// one that does not fit would hold up everything behind it.
    pub fn fitting(&self, bytes: usize) -> Cow<'_, Self> {
        let mut change = Cow::Borrowed(self);
        for most in [8_000, 800, 80] {
            if serde_json::to_string(&*change).is_ok_and(|json| json.len() <= bytes) {
                break;
            }
            for field in &mut change.to_mut().fields {
                [&mut field.from, &mut field.to].into_iter().for_each(|value| cut(value, most));
            }
        }
        change
    }
}

/// Cuts a text to this many characters.
fn cut(value: &mut Value, most: usize) {
    const MARK: &str = "… [cut: the change feed has the whole text]";
    if let Value::String(text) = value
        && let Some((end, _)) = text.char_indices().nth(most)
    {
        text.truncate(end);
        text.push_str(MARK);
    }
}

/// The task of a change, as it was called after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRef {
    /// Its id.
    pub id: TaskId,
    /// Its key.
    pub key: TaskKey,
    /// Its title.
    pub title: Title,
}

/// One field before and after, in the form in which the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// The field's name.
    pub name: String,
    /// Its value before; null where there was none.
    pub from: Value,
    /// Its value after; null where there is none.
    pub to: Value,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ChangeKind {
            $($(#[$doc])* #[serde(rename = $name)] $kind,)*
        }

        impl ChangeKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Its name in the feed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The kind of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$kind),)* _ => None }
            }
        }
    };
}

kinds! {
    /// A task is there that was not.
    TaskCreated = "task.created";
    /// Title, body, priority, due, labels or progress are different.
    TaskUpdated = "task.updated";
    /// The status is different.
    TaskStatusChanged = "task.status_changed";
    /// People were added to those who are to do it.
    TaskAssigned = "task.assigned";
    /// People were taken from those who are to do it.
    TaskUnassigned = "task.unassigned";
    /// It belongs to another project and has another key.
    TaskMoved = "task.moved";
    /// People began or ceased to watch it.
    TaskWatchersChanged = "task.watchers_changed";
    /// It is no longer shown.
    TaskDeleted = "task.deleted";
    /// It is shown again.
    TaskRestored = "task.restored";
    /// Somebody commented.
    TaskCommented = "task.commented";
    /// A comment was rewritten.
    CommentEdited = "task.comment_edited";
    /// A comment was taken back.
    CommentDeleted = "task.comment_deleted";
    /// The workspace is there.
    WorkspaceCreated = "workspace.created";
    /// A project is there that was not.
    ProjectCreated = "project.created";
    /// Somebody was invited.
    MemberInvited = "member.invited";
    /// Somebody is a member who was not.
    MemberJoined = "member.joined";
    /// A member has another role.
    MemberRoleChanged = "member.role_changed";
    /// A member left or was removed.
    MemberLeft = "member.left";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_one_name() {
        for kind in ChangeKind::ALL {
            assert_eq!(ChangeKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
