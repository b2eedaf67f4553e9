//! A notice as a page: who did what to which task, what is different, why the reader is told.

use askama::Template;
use fairy_jobs::{
    account::User,
    change::{Change, ChangeKind, FieldChange},
    id::UserId,
    notice::Reason,
    task::Status,
    team::Workspace,
    text::Name,
};
use serde_json::Value;

use super::{
    address::Site,
    difference::{self, Line},
    language::{Deed, Language, People},
};

/// What a notice is rendered with.
pub(super) struct Context<'a> {
    pub site: &'a Site,
    pub words: &'static dyn Language,
    pub person: &'a User,
    pub workspace: &'a Workspace,
    pub names: &'a [(UserId, Name)],
    pub reason: Reason,
}

/// The page.
pub(super) struct Page {
    pub language: &'static str,
    /// Key and title, which is also the subject.
    pub task: String,
    pub link: String,
    pub open: String,
    pub sections: Vec<Section>,
    pub reason: String,
}

/// What one operation did.
pub(super) struct Section {
    pub headline: String,
    pub circumstances: String,
    pub entries: Vec<Entry>,
}

/// What is different in one field.
pub(super) enum Entry {
    Step { label: String, from: String, to: String },
    Value { label: String, value: String },
    Set { label: String, added: Vec<String>, removed: Vec<String> },
    Text { label: Option<String>, lines: Vec<TextLine> },
}

/// One line of a text; of one that was rewritten with the sign that says whether the line came or went: `+`, `-`, a
/// space, or `…` for a gap.
pub(super) struct TextLine {
    pub sign: &'static str,
    pub text: String,
}

#[derive(Template)]
#[template(path = "notice.txt", escape = "none")]
struct Text<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Html<'a> {
    page: &'a Page,
}

impl Page {
    /// The page of these changes; `None` if none is about a task.
    pub(super) fn new(context: &Context<'_>, changes: &[Change]) -> Option<Self> {
        let task = changes.iter().rev().find_map(|change| change.task.as_ref())?;
        let same = |a: &Change, b: &Change| a.operation.is_some() && a.operation == b.operation;
        Some(Self {
            language: context.words.tag(),
            task: format!("{} {}", task.key, task.title),
            link: context.site.task(context.workspace, &task.key),
            open: context.words.open(&task.key.to_string()),
            sections: changes.chunk_by(same).map(|group| context.section(group)).collect(),
            reason: context.words.reason(context.reason, context.workspace.name.as_str()),
        })
    }

    /// As plain text and as HTML.
    pub(super) fn render(&self) -> Result<(String, String), askama::Error> {
        Ok((Text { page: self }.render()?, Html { page: self }.render()?))
    }
}

impl Context<'_> {
    /// The section of changes that one operation made; never empty.
    fn section(&self, group: &[Change]) -> Section {
        let first = &group[0];
        let zone = &self.person.time_zone;
        let deeds: Vec<Deed> = group.iter().flat_map(|change| self.deeds(change)).collect();
        Section {
            headline: self.words.headline(first.actor_name.as_str(), &deeds),
            circumstances: self.words.circumstances(first.at, zone, &first.source),
            entries: net(group).iter().filter_map(|field| self.entry(field)).collect(),
        }
    }

    fn deeds(&self, change: &Change) -> Vec<Deed> {
        let one = match change.kind {
            ChangeKind::TaskCreated => Deed::Created,
            ChangeKind::TaskDeleted => Deed::Deleted,
            ChangeKind::TaskRestored => Deed::Restored,
            ChangeKind::TaskCommented => Deed::Commented,
            ChangeKind::CommentEdited => Deed::EditedComment,
            ChangeKind::CommentDeleted => Deed::RemovedComment,
            ChangeKind::TaskStatusChanged => standing(change),
            ChangeKind::TaskMoved => {
                Deed::Moved(change.task.as_ref().map_or_else(String::new, |t| t.key.to_string()))
            }
            ChangeKind::TaskAssigned | ChangeKind::TaskUnassigned => {
                return self.assignment(change).into_iter().collect();
            }
            _ => Deed::Changed(change.fields.iter().map(|field| field.name.clone()).collect()),
        };
        let assigned = if one == Deed::Created { self.assignment(change) } else { None };
        std::iter::once(one).chain(assigned).collect()
    }

    /// Who came to or went from those who are to do it.
    fn assignment(&self, change: &Change) -> Option<Deed> {
        let field = change.fields.iter().find(|field| field.name == "assignees")?;
        let gone = change.kind == ChangeKind::TaskUnassigned;
        let moved = if gone { minus(&field.from, &field.to) } else { minus(&field.to, &field.from) };
        let ids: Vec<UserId> = moved.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
        if ids == [change.actor] {
            return Some(if gone { Deed::GaveUp } else { Deed::TookOn });
        }
        let others = ids.iter().filter(|id| **id != self.person.id).map(|id| self.name(*id)).collect();
        let people = People { you: ids.contains(&self.person.id), others };
        Some(if gone { Deed::Unassigned(people) } else { Deed::Assigned(people) })
    }

    fn entry(&self, field: &FieldChange) -> Option<Entry> {
        let FieldChange { name, from, to } = field;
        let label = self.words.field(name);
        match name.as_str() {
            // Shown elsewhere (the key of a new task, its title), by headline (deletion), or of no interest by id.
            "project" | "deleted" | "watchers" => None,
            "title" | "key" if from.is_null() => None,
            "status" if from.is_null() && *to == *Status::default().as_str() => None,
            "progress" if from.is_null() && *to == 0 => None,
            "priority" if from.is_null() && *to == *"normal" => None,
            "assignees" | "labels" => {
                let (added, removed) = (minus(to, from), minus(from, to));
                let (added, removed) = (self.values(name, &added), self.values(name, &removed));
                Some(Entry::Set { label, added, removed })
            }
            "body" => Some(Entry::Text { label: Some(label), lines: self.text(from, to) }),
            "comment" => Some(Entry::Text { label: None, lines: self.text(from, to) }),
            _ if from.is_null() => Some(Entry::Value { label, value: self.value(name, to) }),
            _ => Some(Entry::Step { label, from: self.value(name, from), to: self.value(name, to) }),
        }
    }

    fn text(&self, from: &Value, to: &Value) -> Vec<TextLine> {
        let (before, after) = (from.as_str().unwrap_or_default(), to.as_str().unwrap_or_default());
        let lines =
            if before.is_empty() { difference::whole(after) } else { difference::between(before, after) };
        let signed = |sign, text| TextLine { sign, text };
        let same = if before.is_empty() { "" } else { " " };
        let line = |line| match line {
            Line::Same(text) => signed(same, text),
            Line::Added(text) => signed("+", text),
            Line::Removed(text) => signed("-", text),
            Line::Gap => signed("…", String::new()),
            Line::More(lines) => signed(same, self.words.left_out(lines)),
        };
        lines.into_iter().map(line).collect()
    }
}

fn standing(change: &Change) -> Deed {
    let field = change.fields.iter().find(|field| field.name == "status");
    let status =
        |value: Option<&Value>| value.and_then(Value::as_str).and_then(|text| Status::parse(text).ok());
    match (status(field.map(|f| &f.from)), status(field.map(|f| &f.to))) {
        (_, Some(Status::Done)) => Deed::Finished,
        (Some(Status::Done), _) => Deed::Reopened,
        (_, Some(Status::InProgress)) => Deed::Began,
        _ => Deed::PutBack,
    }
}

/// Each field once: from what it was before the first of these changes to what it is after the last.
fn net(group: &[Change]) -> Vec<FieldChange> {
    let mut fields: Vec<FieldChange> = Vec::new();
    for field in group.iter().flat_map(|change| &change.fields) {
        match fields.iter_mut().find(|held| held.name == field.name) {
            Some(held) => held.to = field.to.clone(),
            None => fields.push(field.clone()),
        }
    }
    fields.retain(|field| field.from != field.to);
    fields
}

/// What is in the one set and not in the other.
fn minus<'a>(set: &'a Value, other: &Value) -> Vec<&'a Value> {
    let items = |value: &'a Value| value.as_array().map(Vec::as_slice).unwrap_or_default();
    let without = other.as_array().map(Vec::as_slice).unwrap_or_default();
    items(set).iter().filter(|item| !without.contains(item)).collect()
}
