//! Tasks as a client writes them, converted once into commands; single calls and batches share this.

use std::collections::BTreeSet;

use fairy_jobs::{
    command::{Command, CreateTask, Patch, PatchTask, ProjectName, TaskName},
    id::{TaskId, UserId},
    problem::Problem,
    task::{Due, MOST_ASSIGNEES, MOST_LABELS, Percent, Priority, Status},
    text::{Body, Label, Title},
};
use poem_openapi::Object;
use serde::Deserialize;

use crate::shape::{Fields, Given, Input, Patched, Raw};

/// A task to be made.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct CreateTaskRequest {
    /// The project that numbers it, by id or key.
    pub project: Raw<ProjectName>,
    /// What is to be done: one line.
    pub title: Raw<Title>,
    /// More about it, in Markdown.
    pub body: Patched<Raw<Body>>,
    /// Who is to do it: ids of members.
    #[oai(validator(max_items = 50))]
    pub assignees: Patched<Vec<Raw<UserId>>>,
    /// When it is due: a date, or an instant with offset.
    pub due: Patched<Raw<Due>>,
    /// How much it matters; `normal` unless given.
    pub priority: Patched<Raw<Priority>>,
    /// Its labels.
    #[oai(validator(max_items = 50))]
    pub labels: Patched<Vec<Raw<Label>>>,
    /// How far it is already, in per cent; 100 makes it done.
    pub progress: Patched<Raw<Percent>>,
    /// Where it stands already; `done` makes the progress 100.
    pub status: Patched<Raw<Status>>,
}

/// What is to be different about a task: absent leaves, null clears.
#[derive(Default, Deserialize, Object)]
#[serde(deny_unknown_fields, default)]
#[oai(deny_unknown_fields)]
pub(crate) struct PatchTaskRequest {
    /// What is to be done: one line.
    pub title: Given<Raw<Title>>,
    /// More about it, in Markdown; null empties it.
    pub body: Patched<Raw<Body>>,
    /// Where it stands; `done` makes the progress 100.
    pub status: Given<Raw<Status>>,
    /// How far it is, in per cent; 100 makes it done, less reopens it.
    pub progress: Given<Raw<Percent>>,
    /// How much it matters; null makes it normal.
    pub priority: Patched<Raw<Priority>>,
    /// When it is due; null: never.
    pub due: Patched<Raw<Due>>,
    /// The whole new set; null empties it.
    #[oai(validator(max_items = 50))]
    pub assignees: Patched<Vec<Raw<UserId>>>,
    /// The whole new set; null empties it.
    #[oai(validator(max_items = 50))]
    pub labels: Patched<Vec<Raw<Label>>>,
    /// The project to move to, by id or key; the task gets a new key there, and the old one still leads to it.
    pub project: Given<Raw<ProjectName>>,
}

impl CreateTaskRequest {
    /// The command that makes this task under this id.
    pub fn into_command(self, task: TaskId) -> Result<Command, Problem> {
        let mut fields = Fields::default();
        let project = fields.required("project", &self.project);
        let title = fields.required("title", &self.title);
        let body = fields.optional("body", &self.body).unwrap_or_default();
        let assignees = set(&mut fields, "assignees", &self.assignees, MOST_ASSIGNEES);
        let due = fields.optional("due", &self.due);
        let priority = fields.optional("priority", &self.priority).unwrap_or_default();
        let labels = set(&mut fields, "labels", &self.labels, MOST_LABELS);
        let progress = fields.optional("progress", &self.progress);
        let status = fields.optional("status", &self.status);
        fields.finish(|| {
            Some(Command::CreateTask(CreateTask {
                task,
                project: project?,
                title: title?,
                body,
                assignees: assignees.over(&BTreeSet::new(), BTreeSet::new()),
                due,
                priority,
                labels: labels.over(&BTreeSet::new(), BTreeSet::new()),
                progress,
                status,
            }))
        })
    }
}

impl PatchTaskRequest {
    /// The command that changes this task so.
    pub fn into_command(self, task: TaskName) -> Result<Command, Problem> {
        let mut fields = Fields::default();
        let patch = PatchTask {
            task,
            title: fields.given("title", &self.title),
            body: fields.patched("body", &self.body),
            status: fields.given("status", &self.status),
            progress: fields.given("progress", &self.progress),
            priority: fields.patched("priority", &self.priority),
            due: fields.patched("due", &self.due),
            assignees: set(&mut fields, "assignees", &self.assignees, MOST_ASSIGNEES),
            labels: set(&mut fields, "labels", &self.labels, MOST_LABELS),
            project: fields.given("project", &self.project),
        };
        fields.finish(|| Some(Command::PatchTask(patch)))
    }
}

fn set<T: Input + Ord>(
    fields: &mut Fields,
    field: &str,
    patched: &Patched<Vec<Raw<T>>>,
    most: usize,
) -> Patch<BTreeSet<T>> {
    match &patched.0 {
        Patch::Leave => Patch::Leave,
        Patch::Clear => Patch::Clear,
        Patch::Set(raws) => Patch::Set(fields.list(field, raws, most)),
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::id::TaskId;
    use serde_json::json;

    use super::*;

    fn create(json: serde_json::Value) -> Result<Command, Problem> {
        let request: CreateTaskRequest = serde_json::from_value(json).unwrap();
        request.into_command(TaskId::from_bytes([1; 16]))
    }

    #[test]
    fn every_fault_of_a_task_is_told() {
        let problem = create(json!({
            "title": "a\u{202E}b", "assignees": ["usr_1"], "due": "2026-02-30", "priority": "soon",
            "labels": ["ok", "not ok"], "progress": 101, "status": "begun",
        }))
        .unwrap_err();
        let fields: Vec<&str> = problem.errors.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(
            fields,
            ["project", "title", "assignees.0", "due", "priority", "labels.1", "progress", "status"]
        );
    }

    #[test]
    fn the_least_task_is_a_project_and_a_title() {
        let Ok(Command::CreateTask(command)) =
            create(json!({"project": "WEB", "title": " Ship it ", "due": null}))
        else {
            panic!("must be accepted");
        };
        assert_eq!((command.title.as_str(), command.due), ("Ship it", None));
    }

    #[test]
    fn a_patch_tells_absent_from_null() {
        let patch = |json| {
            let request: PatchTaskRequest = serde_json::from_value(json).unwrap();
            match request.into_command(TaskName::parse("WEB-1").unwrap()).unwrap() {
                Command::PatchTask(patch) => patch,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(patch(json!({})).due, Patch::Leave);
        assert_eq!(patch(json!({"due": null})).due, Patch::Clear);
        assert_eq!(patch(json!({"due": "2026-03-12"})).due, Patch::Set(Due::parse("2026-03-12").unwrap()));
        assert_eq!(patch(json!({"assignees": null})).assignees, Patch::Clear);
        assert!(serde_json::from_value::<PatchTaskRequest>(json!({"title": null})).is_err());
        assert!(serde_json::from_value::<PatchTaskRequest>(json!({"colour": "red"})).is_err());
    }
}
