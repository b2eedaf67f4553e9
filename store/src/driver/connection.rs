//! A connection while it is in hand: of a writer within its transaction, or of a reader.

use std::time::Duration;

use fairy_jobs::ports::PortResult;
use futures::future::Either;
use sqlx::{MySql, Sqlite, mysql::MySqlConnection, pool::PoolConnection, sqlite::SqliteConnection};

use super::{
    Dialect, Row, Statement, Value,
    mysql::{self, Trouble},
    sqlite, statement,
};

/// Runs statements. All arguments are bound, never written into a text.
pub(crate) struct Connection<'c> {
    raw: Raw<'c>,
    trouble: Option<Trouble>,
    patience: Duration,
}

enum Raw<'c> {
    Sqlite(&'c mut SqliteConnection),
    SqliteReader(PoolConnection<Sqlite>),
    MySql(&'c mut MySqlConnection),
    MySqlReader(PoolConnection<MySql>),
}

impl<'c> Connection<'c> {
    const fn new(raw: Raw<'c>) -> Self {
        Self { raw, trouble: None, patience: mysql::PATIENCE }
    }

    pub(super) const fn sqlite(raw: &'c mut SqliteConnection) -> Self {
        Self::new(Raw::Sqlite(raw))
    }

    pub(super) const fn sqlite_reader(raw: PoolConnection<Sqlite>) -> Self {
        Self::new(Raw::SqliteReader(raw))
    }

    pub(super) const fn mysql(raw: &'c mut MySqlConnection) -> Self {
        Self::new(Raw::MySql(raw))
    }

    pub(super) const fn mysql_reader(raw: PoolConnection<MySql>) -> Self {
        Self::new(Raw::MySqlReader(raw))
    }

    /// The same, where a server may take as long as this to answer.
    pub(super) const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// What the engine behind it understands.
    pub const fn dialect(&self) -> Dialect {
        match &self.raw {
            Raw::Sqlite(_) | Raw::SqliteReader(_) => Dialect::Sqlite,
            Raw::MySql(_) | Raw::MySqlReader(_) => Dialect::MySql,
        }
    }

    /// What the server or the way to it did to a statement, if anything.
    pub(super) const fn trouble(&self) -> Option<Trouble> {
        self.trouble
    }

    /// Whether a statement failed because what it makes was there already, or what it drops was gone.
    pub fn was_done(&self) -> bool {
        self.trouble == Some(Trouble::Done)
    }

    fn raw(&mut self) -> Either<&mut SqliteConnection, &mut MySqlConnection> {
        match &mut self.raw {
            Raw::Sqlite(connection) => Either::Left(connection),
            Raw::SqliteReader(connection) => Either::Left(connection),
            Raw::MySql(connection) => Either::Right(connection),
            Raw::MySqlReader(connection) => Either::Right(connection),
        }
    }

    fn heard<T>(&mut self, answer: Result<T, sqlx::Error>) -> PortResult<T> {
        answer.map_err(|error| {
            self.trouble = Trouble::of(&error).or(self.trouble);
            if let (Some(Trouble::Lost), Raw::MySqlReader(connection)) = (self.trouble, &mut self.raw) {
                connection.close_on_drop();
            }
            mysql::error(&error)
        })
    }

    /// All rows that a statement answers; the statement has a `LIMIT` or names its rows.
    pub async fn rows(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Vec<Row>> {
        let text = sql.text(self.dialect());
        record(self.dialect(), text, &args);
        let patience = self.patience;
        match self.raw() {
            Either::Left(raw) => sqlite::rows(raw, text, args).await.map_err(sqlite::error),
            Either::Right(raw) => {
                let answer = mysql::rows((raw, patience), text, args).await;
                self.heard(answer)
            }
        }
    }

    /// The first row that a statement answers.
    pub async fn row(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Option<Row>> {
        let text = sql.text(self.dialect());
        record(self.dialect(), text, &args);
        let patience = self.patience;
        match self.raw() {
            Either::Left(raw) => sqlite::row(raw, text, args).await.map_err(sqlite::error),
            Either::Right(raw) => {
                let answer = mysql::row((raw, patience), text, args).await;
                self.heard(answer)
            }
        }
    }

    /// Runs a statement: how many rows it touched.
    pub async fn run(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<u64> {
        let text = sql.text(self.dialect());
        record(self.dialect(), text, &args);
        let patience = self.patience;
        match self.raw() {
            Either::Left(raw) => sqlite::run(raw, text, args).await.map_err(sqlite::error),
            Either::Right(raw) => {
                let answer = mysql::run((raw, patience), text, args).await;
                self.heard(answer)
            }
        }
    }

    /// The rows of a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn rows_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<Vec<Row>> {
        let text = sql.text(self.dialect());
        let mut rows = Vec::new();
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(text, &args, members);
            rows.append(&mut self.rows(&sql, args).await?);
        }
        Ok(rows)
    }

    /// Runs a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn run_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<u64> {
        let text = sql.text(self.dialect());
        let mut touched = 0;
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(text, &args, members);
            touched += self.run(&sql, args).await?;
        }
        Ok(touched)
    }

    /// Runs a statement with `{rows}`, each of `width` values, in as many statements as the rows need.
    pub async fn run_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        mut values: Vec<Value>,
    ) -> PortResult<u64> {
        let text = sql.text(self.dialect());
        debug_assert!(
            values.len().is_multiple_of(width),
            "{text}: rows of {width} values, {} given",
            values.len()
        );
        let mut touched = 0;
        while !values.is_empty() {
            let rows = statement::bucket(values.len() / width);
            let rest = values.split_off(rows * width);
            touched += self.run(&statement::with_rows(text, rows, width), values).await?;
            values = rest;
        }
        Ok(touched)
    }
}

fn listed(sql: &str, args: &[Value], members: &[Value]) -> (String, Vec<Value>) {
    let members = statement::padded(members);
    let sql = statement::with_list(sql, members.len());
    (sql, args.iter().cloned().chain(members).collect())
}

#[cfg(not(test))]
const fn record(_: Dialect, _: &str, _: &[Value]) {}

#[cfg(test)]
use super::recorded::record;
