//! What a language has to say. A new language is one file that implements [`Language`], and one arm in `render.rs`.

use fairy_jobs::{
    account::TimeZone,
    notice::Reason,
    operation::Source,
    task::{Priority, Status},
};
use jiff::Timestamp;

use super::letter::{Letter, Occasion, PasswordSet};

/// One thing that somebody did to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Created,
    Deleted,
    Restored,
    Commented,
    EditedComment,
    RemovedComment,
    Finished,
    Reopened,
    Began,
    PutBack,
    /// Became one of those who are to do it.
    TookOn,
    /// Ceased to be one of those who are to do it.
    GaveUp,
    Assigned(People),
    Unassigned(People),
    /// To another project, with this key now.
    Moved(String),
    /// These fields, by their names in the API.
    Changed(Vec<String>),
}

/// People as the reader of the mail sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct People {
    /// Whether the reader is one of them.
    pub you: bool,
    /// The names of the others.
    pub others: Vec<String>,
}

/// The words of one language.
pub(super) trait Language: Sync {
    /// Its BCP 47 tag.
    fn tag(&self) -> &'static str;
    /// One sentence: who did what.
    fn headline(&self, who: &str, deeds: &[Deed]) -> String;
    /// When and from where, in the reader's zone.
    fn circumstances(&self, at: Timestamp, zone: &TimeZone, source: &Source) -> String;
    /// A field's label, by its name in the API.
    fn field(&self, name: &str) -> String;
    fn status(&self, status: Status) -> &'static str;
    fn priority(&self, priority: Priority) -> &'static str;
    fn percent(&self, number: &str) -> String;
    /// A value where there is none.
    fn none(&self) -> &'static str;
    /// Somebody whose name is not known any more.
    fn somebody(&self) -> &'static str;
    /// An instant, to the minute.
    fn instant(&self, at: Timestamp, zone: &TimeZone) -> String;
    /// What the link to the task is called.
    fn open(&self, key: &str) -> String;
    /// Lines that are left out.
    fn left_out(&self, lines: usize) -> String;
    /// Why the reader gets this mail.
    fn reason(&self, reason: Reason, workspace: &str) -> String;
    /// A mail with a link that holds until then.
    fn letter(&self, occasion: &Occasion<'_>, link: String, until: &str) -> Letter;
    /// A mail that says that the reader's password was set then; the link leads to where another can be asked for.
    fn password_set(&self, how: PasswordSet, link: String, at: &str) -> Letter;
}
