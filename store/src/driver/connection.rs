//! A connection while it is in hand: of the writer within its transaction, or of a reader.

use fairy_jobs::ports::PortResult;
use sqlx::{
    Arguments as _, AssertSqlSafe, Executor as _, Sqlite,
    pool::PoolConnection,
    sqlite::{SqliteArguments, SqliteConnection},
};

use super::{Row, Value, sqlite, statement};

/// Runs statements. All arguments are bound, never written into a text.
pub(crate) struct Connection<'c> {
    raw: Raw<'c>,
}

enum Raw<'c> {
    Lent(&'c mut SqliteConnection),
    Pooled(PoolConnection<Sqlite>),
}

impl Raw<'_> {
    fn get(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Lent(connection) => connection,
            Self::Pooled(connection) => connection,
        }
    }
}

impl<'c> Connection<'c> {
    pub(super) const fn new(raw: &'c mut SqliteConnection) -> Self {
        Self { raw: Raw::Lent(raw) }
    }

    pub(super) const fn pooled(connection: PoolConnection<Sqlite>) -> Self {
        Self { raw: Raw::Pooled(connection) }
    }

    /// All rows that a statement answers; the statement has a `LIMIT` or names its rows.
    pub async fn rows(&mut self, sql: &str, args: Vec<Value>) -> PortResult<Vec<Row>> {
        let rows = self.raw.get().fetch_all(query(sql, args)).await;
        Ok(rows.map_err(sqlite::error)?.into_iter().map(Row::new).collect())
    }

    /// The first row that a statement answers.
    pub async fn row(&mut self, sql: &str, args: Vec<Value>) -> PortResult<Option<Row>> {
        let row = self.raw.get().fetch_optional(query(sql, args)).await;
        Ok(row.map_err(sqlite::error)?.map(Row::new))
    }

    /// Runs a statement: how many rows it touched.
    pub async fn run(&mut self, sql: &str, args: Vec<Value>) -> PortResult<u64> {
        let done = self.raw.get().execute(query(sql, args)).await;
        Ok(done.map_err(sqlite::error)?.rows_affected())
    }

    /// The rows of a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn rows_in(&mut self, sql: &str, args: Vec<Value>, list: Vec<Value>) -> PortResult<Vec<Row>> {
        let mut rows = Vec::new();
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(sql, &args, members);
            rows.append(&mut self.rows(&sql, args).await?);
        }
        Ok(rows)
    }

    /// Runs a statement with `{list}` after its other placeholders, in as many statements as the list needs.
    pub async fn run_in(&mut self, sql: &str, args: Vec<Value>, list: Vec<Value>) -> PortResult<u64> {
        let mut touched = 0;
        for members in list.chunks(statement::MOST_MEMBERS) {
            let (sql, args) = listed(sql, &args, members);
            touched += self.run(&sql, args).await?;
        }
        Ok(touched)
    }

    /// Runs a statement with `{rows}`, each of `width` values, in as many statements as the rows need.
    pub async fn run_rows(&mut self, sql: &str, width: usize, mut values: Vec<Value>) -> PortResult<u64> {
        debug_assert!(
            values.len().is_multiple_of(width),
            "{sql}: rows of {width} values, {} given",
            values.len()
        );
        let mut touched = 0;
        while !values.is_empty() {
            let rows = statement::bucket(values.len() / width);
            let rest = values.split_off(rows * width);
            touched += self.run(&statement::with_rows(sql, rows, width), values).await?;
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

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

fn query(sql: &str, args: Vec<Value>) -> Query {
    #[cfg(test)]
    record(sql);
    // Every text is made of constants of this crate; what callers give is bound.
    sqlx::query_with(AssertSqlSafe(sql.to_owned()), arguments(args))
}

fn arguments(args: Vec<Value>) -> SqliteArguments {
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
    bound
}

#[cfg(test)]
static RECORDED: std::sync::Mutex<std::collections::BTreeSet<String>> =
    std::sync::Mutex::new(std::collections::BTreeSet::new());

#[cfg(test)]
fn record(sql: &str) {
    RECORDED.lock().unwrap().insert(sql.to_owned());
}

/// Every text that this process ran, for the test that looks at their plans.
#[cfg(test)]
pub(crate) fn recorded() -> std::collections::BTreeSet<String> {
    RECORDED.lock().unwrap().clone()
}
