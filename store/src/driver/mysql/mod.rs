//! MySQL and MariaDB: how a server is reached, what its errors mean, and units of work as transactions.
//!
//! Both are asked in what both understand. Where SQLite has one writer, here transactions run beside each other, so what
//! SQLite gives for nothing is said: rows that are read to be written are locked (`FOR UPDATE`), in the order workspace,
//! projects, tasks, comments; and a unit of work that met another in its way is run again from the beginning.

mod error;
mod server;
mod writer;

use std::{future::Future, time::Duration};

use futures::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, Either, Executor as _, MySql,
    mysql::{MySqlArguments, MySqlConnection},
    query::Query,
};

pub(super) use self::error::{Trouble, error};
pub use self::server::Server;
pub(crate) use self::{
    server::{Opener, Readers},
    writer::Writer,
};
use super::{Row, Value, connection::Answer, statement};

/// How long a server may take to answer a statement: what takes longer is a line that was cut without a word.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

async fn in_time<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::TimedOut));
    tokio::time::timeout(patience, work).await.map_err(late)?
}

/// Runs a statement.
pub(super) async fn ask(
    (c, patience): (&mut MySqlConnection, Duration),
    sql: &str,
    args: Vec<Value>,
) -> Result<Answer, sqlx::Error> {
    let mut stream = c.fetch_many(query(sql, args));
    let whole = async {
        let mut answer = Answer::default();
        while let Some(item) = stream.try_next().await? {
            match item {
                Either::Right(row) => answer.rows.push(Row::MySql(row)),
                Either::Left(end) => answer.touched += end.rows_affected(),
            }
        }
        Ok(answer)
    };
    in_time(patience, whole).await
}

fn query(sql: &str, args: Vec<Value>) -> Query<'static, MySql, MySqlArguments> {
    let (sql, args) = statement::unnumbered(sql, args);
    let mut bound = MySqlArguments::default();
    bound.reserve(args.len(), 0);
    for value in args {
        let added = match value {
            Value::Null => bound.add(None::<i64>),
            Value::Int(number) => bound.add(number),
            Value::Text(text) => bound.add(text),
            Value::Bytes(bytes) => bound.add(bytes),
        };
        debug_assert!(added.is_ok(), "numbers, texts and bytes always have a MySQL form");
    }
    // Every text is made of constants of this crate; what callers give is bound.
    sqlx::query_with(AssertSqlSafe(sql), bound)
}

/// Runs a text of several statements, none of which has a value.
async fn script(c: &mut MySqlConnection, sql: &str) -> Result<(), sqlx::Error> {
    in_time(PATIENCE, c.execute(AssertSqlSafe(sql.to_owned()))).await?;
    Ok(())
}
