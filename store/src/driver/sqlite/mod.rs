//! SQLite: how it is opened, what its errors mean, and the reading connections.
//!
//! WAL lets readers read while the writer writes. `synchronous=FULL` makes a commit durable before it is answered; in WAL
//! mode `NORMAL` would lose the last commits at a power cut. Every connection that writes and reads is opened here, so
//! that none is without its pragmas.

mod writer;

use std::{path::Path, time::Duration};

use fairy_jobs::ports::{PortError, PortResult};
use futures::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, ConnectOptions as _, Connection as _, Either, Executor as _, Sqlite,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
        SqlitePoolOptions, SqliteSynchronous,
    },
};

pub(crate) use self::writer::Writer;
use super::{Connection, Row, Value, connection::Answer, errand::Errand};

/// How long a statement waits for another process that writes (a backup, `fairy admin`).
const BUSY: Duration = Duration::from_secs(5);
/// Reading connections; each is a thread and up to 2 MB of page cache.
const READERS: u32 = 4;
/// Pages in the log before it is copied into the database: 16 MB.
const CHECKPOINT_PAGES: &str = "4000";

/// Opens connections to one database file.
#[derive(Debug, Clone)]
pub(crate) struct Opener(SqliteConnectOptions);

impl Opener {
    /// For the database at `path`, which is made if it is not there.
    pub fn new(path: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
            .pragma("journal_size_limit", "67108864")
            .pragma("temp_store", "MEMORY")
            .statement_cache_capacity(512)
            .row_buffer_size(256)
            .disable_statement_logging();
        Self(options)
    }

    /// A connection that may write.
    pub async fn writer(&self) -> Result<SqliteConnection, sqlx::Error> {
        self.0.clone().thread_name(|_| "store-writer".to_owned()).connect().await
    }

    /// Runs one statement on a connection of its own, beside the writer and the readers.
    pub async fn alone(&self, sql: &str, args: Vec<Value>) -> PortResult<()> {
        let mut connection = self.writer().await.map_err(error)?;
        Connection::sqlite(&mut connection).run(sql, args).await?;
        connection.close().await.map_err(error)
    }

    /// Reads a row over a connection of its own, from a file that must be there.
    pub async fn probe(&self, sql: &str) -> PortResult<()> {
        let options = self.0.clone().create_if_missing(false).pragma("query_only", "ON");
        let mut connection = options.connect().await.map_err(error)?;
        let row = Connection::sqlite(&mut connection).row(sql, vec![]).await?;
        connection.close().await.map_err(error)?;
        row.map(drop).ok_or_else(|| PortError::Broken("there is no schema in the database".to_owned()))
    }

    /// Connections that cannot write, whatever a statement says.
    pub async fn readers(&self) -> Result<Readers, sqlx::Error> {
        let options =
            self.0.clone().pragma("query_only", "ON").thread_name(|id| format!("store-reader-{id}"));
        let pool = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(10))
            .idle_timeout(Duration::from_secs(600))
            .test_before_acquire(false)
            .connect_with(options)
            .await?;
        Ok(Readers(pool))
    }
}

/// The reading connections.
#[derive(Debug, Clone)]
pub(crate) struct Readers(SqlitePool);

impl Readers {
    /// A connection to read with; other readers and the writer go on meanwhile.
    pub async fn acquire(&self) -> PortResult<Connection<'static>> {
        let connection = self.0.acquire().await.map_err(error)?;
        Ok(Connection::sqlite_reader(connection))
    }

    /// Ends all of them.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// Why an errand was not done.
pub(super) struct Failed {
    pub error: sqlx::Error,
    /// Whether it was its last statement; those before it were done.
    pub last: bool,
}

impl From<Failed> for sqlx::Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

/// Runs statements, and answers those that were asked for, by their numbers.
pub(super) async fn run(c: &mut SqliteConnection, errand: Errand) -> Result<Vec<(usize, Answer)>, Failed> {
    let Errand { text, args, statements, asked, .. } = errand;
    let mut stream = c.fetch_many(query(text, args));
    let (mut done, mut rows, mut answers) = (0, Vec::new(), Vec::with_capacity(asked.len()));
    let mut asked = asked.into_iter().peekable();
    loop {
        let item = match stream.try_next().await {
            Ok(Some(item)) => item,
            Ok(None) => break,
            Err(error) => return Err(Failed { error, last: done + 1 == statements }),
        };
        match item {
            Either::Right(row) => rows.push(Row::Sqlite(row)),
            Either::Left(end) => {
                let rows = std::mem::take(&mut rows);
                if let Some((_, number)) = asked.next_if(|(place, _)| *place == done) {
                    answers.push((number, Answer { rows, touched: end.rows_affected() }));
                }
                done += 1;
            }
        }
    }
    debug_assert_eq!(done, statements, "a statement has a semicolon of its own");
    Ok(answers)
}

fn query(sql: String, args: Vec<Value>) -> Query<'static, Sqlite, SqliteArguments> {
    let mut bound = SqliteArguments::default();
    bound.reserve(args.len(), 0);
    for value in args {
        let added = match value {
            Value::Null => bound.add(None::<i64>),
            Value::Int(number) => bound.add(number),
            Value::Text(text) => bound.add(text),
            Value::Bytes(bytes) => bound.add(bytes),
        };
        debug_assert!(added.is_ok(), "numbers, texts and bytes always have a SQLite form");
    }
    // Every text is made of constants of this crate; what callers give is bound.
    sqlx::query_with(AssertSqlSafe(sql), bound)
}

/// What a failed statement means for whoever asked.
#[expect(clippy::needless_pass_by_value, reason = "this is what `map_err` gives")]
pub(crate) fn error(error: sqlx::Error) -> PortError {
    let text = error.to_string();
    match error {
        sqlx::Error::Database(_) if is_away(code(&error)) => PortError::Unavailable(text),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => PortError::Unavailable(text),
        _ => PortError::Broken(text),
    }
}

/// What a failed `COMMIT` means: where the log could not be written or flushed, the commit may still be found in it when
/// the file is opened again.
fn commit_error(error: &sqlx::Error) -> PortError {
    let text = format!("commit: {error}");
    match code(error) {
        Some(BUSY_CODE | LOCKED | FULL | NOMEM) => PortError::Unavailable(text),
        _ => PortError::Unknown(text),
    }
}

const BUSY_CODE: i32 = 5;
const LOCKED: i32 = 6;
const NOMEM: i32 = 7;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CONSTRAINT: i32 = 19;

/// Whether SQLite says that the file is damaged. For who works with it that is as if it were away: nothing that was
/// accepted is given up for it, and all of it is done once the file is restored.
pub(crate) fn is_damaged(error: &sqlx::Error) -> bool {
    code(error) == Some(CORRUPT)
}

/// Whether a row was in the way of another, which leaves the transaction as it was before the statement.
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    code(error) == Some(CONSTRAINT)
}

/// SQLite's primary result code (<https://www.sqlite.org/rescode.html>).
fn code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// No permission, busy, locked, out of memory, read-only, interrupted, I/O error, damaged, full, cannot open, protocol, not
/// authorised: not the statement's fault, and over once somebody has mended it.
const fn is_away(code: Option<i32>) -> bool {
    matches!(code, Some(3 | BUSY_CODE | LOCKED | NOMEM | 8 | 9 | 10 | CORRUPT | FULL | 14 | 15 | 23 | 24))
}
