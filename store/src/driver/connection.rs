//! A connection while it is in hand: of a writer within its transaction, or of a reader.
//!
//! SQLite runs in a thread of its own, and handing a statement over costs more than most statements do. So a statement
//! whose answer is not needed yet may wait ([`Connection::later`], [`Connection::ask`]): it goes with the next whose answer
//! is, or with the end of its unit of work, in one text and in order, and an error of it is met there. A server is sent it at
//! once.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use fairy_jobs::ports::{PortError, PortResult};
use futures::future::Either;
use sqlx::{MySql, Sqlite, mysql::MySqlConnection, pool::PoolConnection, sqlite::SqliteConnection};

use super::{
    Dialect, Row, Statement, Value,
    errand::Errand,
    mysql::{self, Trouble},
    sqlite::{self, Failed},
    statement,
};

/// Runs statements. All arguments are bound, never written into a text.
pub(crate) struct Connection<'c> {
    raw: Raw<'c>,
    errand: Errand,
    /// Answers that are here and were not read yet.
    answers: BTreeMap<usize, Answer>,
    asked: usize,
    /// Whether the transaction may be gone: then nothing more is sent, for it would be written without one.
    lost: bool,
    trouble: Option<Trouble>,
    patience: Duration,
}

/// What a statement answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub rows: Vec<Row>,
    /// How many rows it wrote, if it writes.
    pub touched: u64,
}

/// Statements that were asked, by their numbers.
#[must_use = "what nobody reads goes `later`"]
pub(crate) struct Asked(Range<usize>);

impl Asked {
    /// These, and those that were asked right after them.
    pub fn and(self, Self(next): Self) -> Self {
        Self(self.0.start..next.end)
    }
}

enum Raw<'c> {
    Sqlite(&'c mut SqliteConnection),
    SqliteReader(PoolConnection<Sqlite>),
    MySql(&'c mut MySqlConnection),
    MySqlReader(PoolConnection<MySql>),
}

impl<'c> Connection<'c> {
    fn new(raw: Raw<'c>) -> Self {
        let (errand, answers) = Default::default();
        Self { raw, errand, answers, asked: 0, lost: false, trouble: None, patience: mysql::PATIENCE }
    }

    pub(super) fn sqlite(raw: &'c mut SqliteConnection) -> Self {
        Self::new(Raw::Sqlite(raw))
    }

    /// The same for a unit of work, which is begun by these statements.
    pub(super) fn sqlite_unit(raw: &'c mut SqliteConnection, lead: Option<&'static str>) -> Self {
        Self { errand: Errand::led_by(lead), ..Self::sqlite(raw) }
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
        self.put(sql, args, false).await
    }

    /// Asks a statement that may wait until its answer is read.
    pub async fn ask(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Asked> {
        let from = self.asked;
        self.put(sql, args, true).await?;
        Ok(Asked(from..self.asked))
    }

    /// Asks a statement with `{list}`, see [`Self::rows_in`].
    pub async fn ask_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<Asked> {
        let from = self.asked;
        self.put_in(sql, args, list, true).await?;
        Ok(Asked(from..self.asked))
    }

    /// Asks a statement with `{rows}`, see [`Self::run_rows`].
    pub async fn ask_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
    ) -> PortResult<Asked> {
        let from = self.asked;
        self.put_rows(sql, width, values, true).await?;
        Ok(Asked(from..self.asked))
    }

    /// What was answered; sends what waits if it is not here yet.
    pub async fn answer(&mut self, Asked(numbers): Asked) -> PortResult<Answer> {
        if numbers.clone().any(|number| !self.answers.contains_key(&number)) {
            self.flush().await?;
        }
        let mut whole = Answer::default();
        for number in numbers {
            let answer = self.answers.remove(&number);
            let mut answer =
                answer.ok_or_else(|| PortError::Broken("a statement was not answered".to_owned()))?;
            whole.rows.append(&mut answer.rows);
            whole.touched += answer.touched;
        }
        Ok(whole)
    }

    /// Sends what waits.
    pub async fn flush(&mut self) -> PortResult<()> {
        self.send().await.map_err(|failed| sqlite::error(failed.error))
    }

    /// Sends what waits and then this, which ends the unit of work or a part of it.
    pub(super) async fn end(&mut self, text: &str) -> Result<(), Failed> {
        self.errand.add(text, vec![], None);
        self.send().await
    }

    /// Sends this, which goes back to where the unit of work began, instead of what waits.
    pub(super) async fn roll_back(&mut self, text: &str) -> Result<(), Failed> {
        self.errand.forget();
        self.lost = false;
        self.end(text).await
    }

    /// Puts a statement on its way; the answer is kept under the next number if it is asked for.
    async fn put(&mut self, sql: impl Statement, args: Vec<Value>, asked: bool) -> PortResult<()> {
        let text = sql.text(self.dialect());
        record(self.dialect(), text, &args);
        let number = asked.then_some(self.asked);
        self.asked += usize::from(asked);
        let patience = self.patience;
        if let Either::Right(raw) = self.raw() {
            let answer = mysql::ask((raw, patience), text, args).await;
            let answer = self.heard(answer)?;
            self.answers.extend(number.map(|number| (number, answer)));
            return Ok(());
        }
        if !self.errand.has_room(args.len()) {
            self.flush().await?;
        }
        self.errand.add(text, args, number);
        if self.errand.has_room(0) { Ok(()) } else { self.flush().await }
    }

    async fn put_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
        asked: bool,
    ) -> PortResult<()> {
        let text = sql.text(self.dialect());
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(text, &args, members);
            self.put(&sql, args, asked).await?;
        }
        Ok(())
    }

    async fn put_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
        asked: bool,
    ) -> PortResult<()> {
        let text = sql.text(self.dialect());
        for (sql, values) in statement::over_rows(text, width, values) {
            self.put(&sql, values, asked).await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<(), Failed> {
        if self.errand.is_empty() {
            return Ok(());
        }
        if self.lost {
            let error = sqlx::Error::Protocol("an earlier statement of this unit of work failed".to_owned());
            return Err(Failed { error, last: false });
        }
        let errand = std::mem::take(&mut self.errand);
        let Either::Left(raw) = self.raw() else { return Ok(()) };
        let answers = sqlite::run(raw, errand).await;
        self.lost = answers.as_ref().is_err_and(|failed| !sqlite::is_conflict(&failed.error));
        self.answers.extend(answers?);
        Ok(())
    }

    /// All rows that a statement answers; the statement has a `LIMIT` or names its rows.
    pub async fn rows(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Vec<Row>> {
        let asked = self.ask(sql, args).await?;
        Ok(self.answer(asked).await?.rows)
    }

    /// The row that a statement answers, if it answers one.
    pub async fn row(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<Option<Row>> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a statement: how many rows it touched.
    pub async fn run(&mut self, sql: impl Statement, args: Vec<Value>) -> PortResult<u64> {
        let asked = self.ask(sql, args).await?;
        Ok(self.answer(asked).await?.touched)
    }

    /// The rows of a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn rows_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<Vec<Row>> {
        let asked = self.ask_in(sql, args, list).await?;
        Ok(self.answer(asked).await?.rows)
    }

    /// Runs a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn run_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<u64> {
        let asked = self.ask_in(sql, args, list).await?;
        Ok(self.answer(asked).await?.touched)
    }

    /// Runs a write with `{list}` that may wait, in as many statements as the list needs.
    pub async fn later_in(
        &mut self,
        sql: impl Statement,
        args: Vec<Value>,
        list: Vec<Value>,
    ) -> PortResult<()> {
        self.put_in(sql, args, list, false).await
    }

    /// Runs a write with `{rows}` that may wait, in as many statements as the rows need.
    pub async fn later_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
    ) -> PortResult<()> {
        self.put_rows(sql, width, values, false).await
    }

    /// Runs a statement with `{rows}`, each of `width` values, in as many statements as the rows need.
    pub async fn run_rows(
        &mut self,
        sql: impl Statement,
        width: usize,
        values: Vec<Value>,
    ) -> PortResult<u64> {
        let asked = self.ask_rows(sql, width, values).await?;
        Ok(self.answer(asked).await?.touched)
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
