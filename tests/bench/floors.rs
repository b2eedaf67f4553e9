//! The floors: what the machine takes for the same bytes and rows without Fairy.

use std::{
    fs::File,
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, SqliteConnection,
    query::Query,
    sqlite::{Sqlite, SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::{
    REST,
    report::Times,
    rows::{Rows, Table, Value},
};

/// Most values in one statement of SQLite.
const MOST_VALUES: usize = 32_766;

fn directory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("floor-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Writes of 4 KiB at the end of a file, each flushed.
pub fn flush(count: usize) -> Times {
    let directory = directory();
    let mut file = File::create(directory.path().join("flush")).unwrap();
    let page = [7; 4096];
    let mut times = Vec::new();
    for _ in 0..count {
        let begun = Instant::now();
        file.write_all(&page).unwrap();
        file.sync_data().unwrap();
        times.push(begun.elapsed());
    }
    Times::new(times)
}

/// What transactions of plain SQLite take.
pub struct Floor {
    /// One row in a transaction of its own.
    pub single: Times,
    /// The same, each after a rest.
    pub idle: Times,
    /// Operations a second, in transactions as large as those of the load.
    pub batched_per_second: f64,
    /// Operations a second, 256 of them a transaction.
    pub full_batches_per_second: f64,
}

impl Floor {
    /// How many rows a second, each in a transaction of its own.
    pub fn single_per_second(&self) -> f64 {
        self.single.per_second()
    }
}

/// Writes the rows of a load again, in plain multi-row statements, and some of them one by one.
pub async fn transactions(rows: &Rows, samples: usize) -> Floor {
    let single = one_by_one(rows, samples, Duration::ZERO).await;
    let idle = one_by_one(rows, samples, REST).await;
    let per_second = |took: Duration| rows.operations as f64 / took.as_secs_f64();
    let batched_per_second = per_second(in_batches(rows, rows.batch).await);
    let full_batches_per_second = per_second(in_batches(rows, 256).await);
    Floor { single, idle, batched_per_second, full_batches_per_second }
}

async fn open(path: &Path, rows: &Rows) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path.join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(false);
    let mut db = SqliteConnection::connect_with(&options).await.unwrap();
    for statement in &rows.schema {
        db.execute(AssertSqlSafe(statement.clone())).await.unwrap();
    }
    db
}

async fn one_by_one(rows: &Rows, samples: usize, pause: Duration) -> Times {
    let directory = directory();
    let mut db = open(directory.path(), rows).await;
    let operations = &rows.tables[0];
    let mut times = Vec::new();
    for row in operations.rows.iter().take(samples) {
        tokio::time::sleep(pause).await;
        let begun = Instant::now();
        insert(&mut db, operations, std::slice::from_ref(row)).await;
        times.push(begun.elapsed());
    }
    Times::new(times)
}

async fn in_batches(rows: &Rows, batch: usize) -> Duration {
    let directory = directory();
    let mut db = open(directory.path(), rows).await;
    let count = rows.operations.div_ceil(batch);
    let begun = Instant::now();
    for number in 0..count {
        let mut transaction = db.begin().await.unwrap();
        for table in &rows.tables {
            let part = |number: usize| table.rows.len() * number / count;
            insert(&mut transaction, table, &table.rows[part(number)..part(number + 1)]).await;
        }
        transaction.commit().await.unwrap();
    }
    begun.elapsed()
}

async fn insert(db: &mut SqliteConnection, table: &Table, rows: &[Vec<Value>]) {
    for some in rows.chunks(MOST_VALUES / table.columns.max(1)) {
        let tuple = format!("({})", vec!["?"; table.columns].join(","));
        let tuples = vec![tuple; some.len()].join(",");
        let text = format!("INSERT INTO {} VALUES {tuples}", table.name);
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in some.iter().flatten() {
            query = bind(query, value);
        }
        query.execute(&mut *db).await.unwrap();
    }
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    value: &'q Value,
) -> Query<'q, Sqlite, SqliteArguments> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Integer(number) => query.bind(*number),
        Value::Text(text) => query.bind(text.as_str()),
        Value::Blob(bytes) => query.bind(bytes.as_slice()),
    }
}
