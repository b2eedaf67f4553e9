//! One index, read in one direction from any place: what every list of tasks is made of.
//!
//! A place is compared as a row, `(created_at, id) < (?, ?)`, which SQLite answers from the index. MySQL reads no range for
//! it; there the same place is `created_at < ? OR (created_at = ? AND id < ?)`, as in every other list of this crate.

use fairy_jobs::{
    ports::PortResult,
    task::{Due, Task},
};

use super::{
    conditions::{Conditions, Source},
    due,
    rows::{self, COLUMNS},
};
use crate::{
    driver::{Connection, Dialect, Value, args},
    page::Place,
};

/// What orders a stream. Dates, instants and what has neither are three ranges of one index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Newest,
    Oldest,
    Updated,
    Priority,
    Date,
    Instant,
    Undated,
}

impl Order {
    const fn descends(self) -> bool {
        matches!(self, Self::Newest | Self::Updated | Self::Priority)
    }

    /// The columns before the id, and a condition that holds for the whole range.
    const fn columns(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Newest | Self::Oldest => (&["created_at"], ""),
            Self::Updated => (&["updated_at"], ""),
            Self::Priority => (&["priority"], ""),
            Self::Date => (&["due_date", "due_at"], ""),
            Self::Instant => (&["due_at"], " AND {o}.due_date IS NULL"),
            Self::Undated => (&[], " AND {o}.due_date IS NULL AND {o}.due_at IS NULL"),
        }
    }

    const fn may_be_null(self) -> bool {
        matches!(self, Self::Date | Self::Instant)
    }

    /// The index of each table that is in this order, by the end of its name.
    const fn index(self) -> &'static str {
        match self {
            Self::Newest | Self::Oldest => "creation",
            Self::Updated => "update",
            Self::Priority => "priority",
            Self::Date | Self::Instant | Self::Undated => "due",
        }
    }

    /// A place as the values of the columns and the id.
    fn bind(self, place: Place) -> Vec<Value> {
        match self {
            // A date's key is its midnight in UTC.
            Self::Date => args![due::date_of(place.key).to_string(), place.key, place.id],
            Self::Undated => args![place.id],
            _ => args![place.key, place.id],
        }
    }

    /// The place of a task.
    pub fn place(self, task: &Task) -> Place {
        let key = match self {
            Self::Newest | Self::Oldest => task.created_at.as_millisecond(),
            Self::Updated => task.updated_at.as_millisecond(),
            Self::Priority => rows::rank(task.priority).into(),
            Self::Date | Self::Instant | Self::Undated => match &task.due {
                Some(Due::Date(date)) => due::midnight(*date),
                Some(Due::Instant { at, .. }) => at.as_millisecond(),
                None => 0,
            },
        };
        Place { key, id: task.id.to_bytes() }
    }

    /// Before everything in this order.
    pub const fn start(self) -> Place {
        if self.descends() { Place::LAST } else { Place::FIRST }
    }

    /// Behind everything in this order.
    pub const fn end(self) -> Place {
        if self.descends() { Place::FIRST } else { Place::LAST }
    }
}

/// Which part of a window is looked at first: one of so many.
const FIRST_PART: usize = 20;

/// A part of an index: behind one place, up to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub order: Order,
    pub after: Place,
    pub until: Place,
}

/// What was read of it.
#[derive(Debug)]
pub(super) struct Found {
    pub tasks: Vec<Task>,
    /// Up to where everything is known; `None`: to the end.
    pub known: Option<Place>,
}

impl Stream {
    /// At most `limit` tasks of the stream for which the conditions hold, as far as the conditions' window reaches. Most
    /// pages are full after a few entries, so a small part of the window is looked at before the whole.
    pub async fn read(
        self,
        c: &mut Connection<'_>,
        (source, conditions): (&Source, &Conditions),
        limit: usize,
    ) -> PortResult<Found> {
        let Some(window) = conditions.window else {
            return self.read_part(c, (source, conditions), limit, None).await;
        };
        let near = self.edge(c, source, window.div_ceil(FIRST_PART)).await?;
        let found = self.read_part(c, (source, conditions), limit, near).await?;
        if near.is_none() || found.tasks.len() == limit {
            return Ok(found);
        }
        let edge = self.edge(c, source, window).await?;
        self.read_part(c, (source, conditions), limit, edge).await
    }

    pub(super) async fn read_part(
        mut self,
        c: &mut Connection<'_>,
        (source, conditions): (&Source, &Conditions),
        limit: usize,
        edge: Option<Place>,
    ) -> PortResult<Found> {
        self.until = edge.unwrap_or(self.until);
        let from = source.by(c.dialect(), self.order.index());
        let (sql, mut args) = self.range(c.dialect(), (COLUMNS, &from), source);
        let sql = self.ordered(source, &format!("{sql}{}", conditions.sql), "LIMIT ?");
        args.extend(conditions.args.iter().cloned());
        args.push(limit.into());
        let rows = c.rows(&sql, args).await?;
        let tasks = rows.iter().map(rows::read).collect::<PortResult<Vec<_>>>()?;
        let full = tasks.last().filter(|_| tasks.len() == limit);
        let known = full.map(|last| self.order.place(last)).or(edge);
        Ok(Found { tasks, known })
    }

    /// The place of the last entry that is looked at, if there are more than `window`.
    pub(super) async fn edge(
        &self,
        c: &mut Connection<'_>,
        source: &Source,
        window: usize,
    ) -> PortResult<Option<Place>> {
        let key = match self.order.columns().0.last() {
            Some(column) => format!("{}.{column}, {}", source.alias, source.id),
            None => format!("0, {}", source.id),
        };
        // Of the leading table alone: the task's row is not needed to count entries.
        let from = source.alone_by(c.dialect(), self.order.index());
        let (sql, mut args) = self.range(c.dialect(), (&key, &from), source);
        let sql = self.ordered(source, &sql, "LIMIT 1 OFFSET ?");
        args.push((window - 1).into());
        let Some(row) = c.row(&sql, args).await? else {
            return Ok(None);
        };
        let mut columns = row.columns();
        Ok(Some(Place { key: columns.next()?, id: columns.next()? }))
    }

    /// What is read of which tables, with the conditions that make the range.
    fn range(&self, dialect: Dialect, (select, from): (&str, &str), source: &Source) -> (String, Vec<Value>) {
        let always = self.order.columns().1.replace("{o}", source.alias);
        let mut sql = format!("SELECT {select}\nFROM {from}\nWHERE {}{always}", source.scope);
        let mut args = source.args.clone();
        let key = self.key(source);
        let (beyond, up_to) = if self.order.descends() { ("<", ">=") } else { (">", "<=") };
        let open = (self.order.start(), self.order.end());
        for (place, operator, open) in [(self.after, beyond, open.0), (self.until, up_to, open.1)] {
            let values = self.order.bind(place);
            match dialect {
                Dialect::Sqlite => {
                    let marks = vec!["?"; key.len()].join(", ");
                    sql.push_str(&format!(" AND ({}) {operator} ({marks})", key.join(", ")));
                    args.extend(values);
                }
                // An open end is left out, which makes the range a simpler one; only what has no key is not in it.
                Dialect::MySql if place == open => {
                    if self.order.may_be_null() {
                        sql.push_str(&format!(" AND {} IS NOT NULL", key[0]));
                    }
                }
                Dialect::MySql => {
                    let (condition, values) = expanded(&key, &values, operator);
                    sql.push_str(" AND ");
                    sql.push_str(&condition);
                    args.extend(values);
                }
            }
        }
        (sql, args)
    }

    fn ordered(&self, source: &Source, sql: &str, limit: &str) -> String {
        let direction = if self.order.descends() { " DESC" } else { "" };
        let key: Vec<_> = self.key(source).iter().map(|column| format!("{column}{direction}")).collect();
        format!("{sql}\nORDER BY {}\n{limit}", key.join(", "))
    }

    fn key(&self, source: &Source) -> Vec<String> {
        let columns = self.order.columns().0.iter();
        let mut key: Vec<String> = columns.map(|column| format!("{}.{column}", source.alias)).collect();
        key.push(source.id.to_owned());
        key
    }
}

/// `(a, b) >= (x, y)` as `(a > x OR (a = x AND b >= y))`.
fn expanded(key: &[String], values: &[Value], operator: &str) -> (String, Vec<Value>) {
    let (Some((column, columns)), Some((value, rest))) = (key.split_first(), values.split_first()) else {
        return (String::new(), Vec::new());
    };
    if columns.is_empty() {
        return (format!("{column} {operator} ?"), vec![value.clone()]);
    }
    let strict = operator.trim_end_matches('=');
    let (within, mut args) = expanded(columns, rest, operator);
    args.splice(0..0, [value.clone(), value.clone()]);
    (format!("({column} {strict} ? OR ({column} = ? AND {within}))"), args)
}
