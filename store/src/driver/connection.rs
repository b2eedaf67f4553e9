//! A connection while it is in hand: of a writer within its transaction, or of a reader.
//!
//! SQLite runs in a thread of its own, and handing a statement over costs more than most statements do. So a write that
//! need not say how many rows it touched may wait ([`Connection::later`]): it goes with the next statement or with the
//! end of its unit of work, in one text and in order, and an error of it is met there. A server is sent it at once.

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
    waiting: Waiting,
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
    fn new(raw: Raw<'c>) -> Self {
        Self { raw, waiting: Waiting::default(), trouble: None, patience: mysql::PATIENCE }
    }

    pub(super) fn sqlite(raw: &'c mut SqliteConnection) -> Self {
        Self::new(Raw::Sqlite(raw))
    }

    pub(super) fn sqlite_reader(raw: PoolConnection<Sqlite>) -> Self {
        Self::new(Raw::SqliteReader(raw))
    }

    pub(super) fn mysql(raw: &'c mut MySqlConnection) -> Self {
        Self::new(Raw::MySql(raw))
    }

    pub(super) fn mysql_reader(raw: PoolConnection<MySql>) -> Self {
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

    /// Runs a write that may wait.
    pub async fn later(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<()> {
        let text = sql.text(self.dialect());
        if self.dialect() == Dialect::MySql || args.len() > Waiting::MOST {
            return self.run(text, args).await.map(drop);
        }
        record(self.dialect(), text, &args);
        if !self.waiting.has_room(args.len()) {
            self.flush().await?;
        }
        self.waiting.add(text, args);
        Ok(())
    }

    /// Sends what waits.
    pub async fn flush(&mut self) -> PortResult<()> {
        let Waiting { text, args } = std::mem::take(&mut self.waiting);
        match self.raw() {
            Either::Left(raw) if !text.is_empty() => {
                sqlite::run(raw, &text, args).await.map(drop).map_err(sqlite::error)
            }
            _ => Ok(()),
        }
    }

    /// All rows that a statement answers; the statement has a `LIMIT` or names its rows.
    pub async fn rows(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Vec<Row>> {
        let text = sql.text(self.dialect());
        record(self.dialect(), text, &args);
        self.flush().await?;
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
        self.flush().await?;
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
        self.flush().await?;
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

    /// Runs a write with `{list}` that may wait, in as many statements as the list needs.
    pub async fn later_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<()> {
        let text = sql.text(self.dialect());
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(text, &args, members);
            self.later(&sql, args).await?;
        }
        Ok(())
    }

    /// Runs a write with `{rows}` that may wait, in as many statements as the rows need.
    pub async fn later_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
    ) -> PortResult<()> {
        let text = sql.text(self.dialect());
        for (sql, values) in statement::over_rows(text, width, values) {
            self.later(&sql, values).await?;
        }
        Ok(())
    }

    /// Runs a statement with `{rows}`, each of `width` values, in as many statements as the rows need.
    pub async fn run_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
    ) -> PortResult<u64> {
        let text = sql.text(self.dialect());
        let mut touched = 0;
        for (sql, values) in statement::over_rows(text, width, values) {
            touched += self.run(&sql, values).await?;
        }
        Ok(touched)
    }
}

/// Writes on their way to SQLite, as one text with the arguments of all.
#[derive(Default)]
struct Waiting {
    text: String,
    args: Vec<Value>,
}

impl Waiting {
    /// Most arguments of one text. Each text is a prepared statement that the connection keeps, so only what is short may
    /// come in many combinations; a long statement is worth an errand of its own.
    const MOST: usize = 256;

    fn has_room(&self, args: usize) -> bool {
        self.args.len() + args <= Self::MOST
    }

    fn add(&mut self, text: &str, args: Vec<Value>) {
        if !self.text.is_empty() {
            self.text.push_str(";\n");
        }
        self.text.push_str(text);
        self.args.extend(args);
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
