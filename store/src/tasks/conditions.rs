//! What a list of tasks is read from, and what else must hold.
//!
//! One filter leads: an assignee or a label has child rows in every order but that of updates, and everything else is
//! read from the tasks in the wanted order. The other filters are conditions on what the leading index yields.

use fairy_jobs::{
    id::ProjectId,
    ports::{AssigneeFilter, TaskQuery, TaskSort},
};

use super::{due, search::Needle};
use crate::driver::{Dialect, Value, args};

/// The most entries of an index that one page looks at where conditions are read from the index itself, where the task's
/// row is read for them, and where its text is searched. A page ends there, even empty, with a cursor to go on.
const INDEX_WINDOW: usize = window(20_000);
const ROW_WINDOW: usize = window(5_000);
const TEXT_WINDOW: usize = if cfg!(test) { 8 } else { 500 };

/// The suite looks at fewer, so that it meets the edges.
const fn window(entries: usize) -> usize {
    if cfg!(test) { entries / 250 } else { entries }
}

/// What a list is read from; `o` is what orders it and `t` the task, which may be the same.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub table: &'static str,
    pub scope: &'static str,
    pub args: Vec<Value>,
    /// The name under which the ordering columns are found.
    pub alias: &'static str,
    /// The name of the id among them.
    pub id: &'static str,
}

impl Source {
    /// The tables, in the order in which they are to be read.
    pub fn from(&self, dialect: Dialect) -> String {
        self.joined(dialect, &self.alone())
    }

    /// The same, by this index. MySQL would weigh it against others by what it guesses of the rows, and may then sort them.
    pub fn by(&self, dialect: Dialect, index: &str) -> String {
        self.joined(dialect, &self.alone_by(dialect, index))
    }

    /// The leading table alone, by this index.
    pub fn alone_by(&self, dialect: Dialect, index: &str) -> String {
        match dialect {
            Dialect::Sqlite => self.alone(),
            Dialect::MySql => format!("{} FORCE INDEX ({}_by_{index})", self.alone(), self.table),
        }
    }

    fn alone(&self) -> String {
        format!("{} {}", self.table, self.alias)
    }

    fn joined(&self, dialect: Dialect, leading: &str) -> String {
        match (self.alias, dialect) {
            ("t", _) => leading.to_owned(),
            (_, Dialect::Sqlite) => format!("{leading} CROSS JOIN tasks t ON t.id = {}", self.id),
            (_, Dialect::MySql) => format!("{leading} STRAIGHT_JOIN tasks t ON t.id = {}", self.id),
        }
    }
}

/// What else must hold of the task.
#[derive(Debug, Clone, Default)]
pub(super) struct Conditions {
    pub sql: String,
    pub args: Vec<Value>,
    /// The text it must have, which no statement looks for.
    pub needle: Option<Needle>,
    /// How many entries a page may look at; `None` where there are no conditions.
    pub window: Option<usize>,
}

impl Conditions {
    fn add(&mut self, (sql, mut args): (&str, Vec<Value>), window: usize) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.args.append(&mut args);
        self.narrow(window);
    }

    fn narrow(&mut self, window: usize) {
        self.window = Some(self.window.map_or(window, |w| w.min(window)));
    }
}

/// What the query leads with, and what is left; `project` is the id of the project it names.
pub(super) fn split(query: &TaskQuery, project: Option<ProjectId>) -> (Source, Conditions) {
    let mut rest = Conditions::default();
    let filter = &query.filter;
    let children = query.sort != TaskSort::Updated;
    let mut source = tasks(query);
    let mut led = false;
    match filter.assignee {
        Some(AssigneeFilter::User(user)) if children => {
            source = Source {
                table: "task_assignees",
                scope: "o.workspace = ? AND o.user = ?",
                args: args![query.workspace, user],
                alias: "o",
                id: "o.task",
            };
            led = true;
        }
        Some(AssigneeFilter::User(user)) => {
            let sql = "EXISTS (SELECT 1 FROM task_assignees a WHERE a.task = t.id AND a.user = ?)";
            rest.add((sql, args![user]), ROW_WINDOW);
        }
        Some(AssigneeFilter::Nobody) => rest.add(("t.assignees = '[]'", vec![]), ROW_WINDOW),
        None => {}
    }
    match &filter.label {
        Some(label) if children && !led => {
            source = Source {
                table: "task_labels",
                scope: "o.workspace = ? AND o.label = ?",
                args: args![query.workspace, label.as_str()],
                alias: "o",
                id: "o.task",
            };
            led = true;
        }
        Some(label) => {
            let sql = "EXISTS (SELECT 1 FROM task_labels l WHERE l.task = t.id AND l.label = ?)";
            rest.add((sql, args![label.as_str()]), ROW_WINDOW);
        }
        None => {}
    }
    // The tasks' own indexes end with project and status.
    let window = if led { ROW_WINDOW } else { INDEX_WINDOW };
    if let Some(project) = project {
        rest.add(("t.project = ?", args![project]), window);
    }
    if let Some(status) = filter.status {
        rest.add(("t.status = ?", args![status.as_str()]), window);
    }
    // In the order of due dates the bound is where the reading ends.
    let ends = query.sort == TaskSort::Due && filter.key.is_none();
    if let Some(bound) = filter.due_before.as_ref().filter(|_| !ends) {
        rest.add(due::condition(bound, &query.time_zone), ROW_WINDOW);
    }
    if let Some(text) = &filter.text {
        rest.needle = Some(Needle::of(text));
        rest.narrow(TEXT_WINDOW);
    }
    (source, rest)
}

/// All tasks of the workspace.
pub(super) fn tasks(query: &TaskQuery) -> Source {
    Source {
        table: "tasks",
        scope: "t.workspace = ? AND t.deleted_at IS NULL",
        args: args![query.workspace],
        alias: "t",
        id: "t.id",
    }
}
