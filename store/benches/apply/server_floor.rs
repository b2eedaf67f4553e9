//! The floor of a server: the same rows by plain statements.

use std::{sync::Arc, time::Instant};

use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Executor as _, Row as _, TypeInfo as _, ValueRef as _,
    mysql::{MySqlArguments, MySqlConnection, MySqlRow},
};

/// The rows of the created tasks, at most so many, read from the finished database and written into an empty one, by
/// so many connections at once; operations a second.
pub async fn floor(from: &str, to: &str, batch: usize, connections: usize, limit: usize) -> f64 {
    const TABLES: [&str; 6] =
        ["tasks", "task_keys", "task_assignees", "task_labels", "operations", "changes"];
    let mut from = MySqlConnection::connect(from).await.unwrap();
    let mut tables = Vec::new();
    for table in TABLES {
        let made = if table == "changes" { " WHERE kind = 'task.created'" } else { "" };
        let sql = format!("SELECT * FROM {table}{made} LIMIT {limit}");
        tables.push((table, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut from).await.unwrap()));
    }
    let operations = tables.iter().map(|(_, rows)| rows.len()).max().unwrap_or(0);
    let (tables, mut writers) = (Arc::new(tables), Vec::new());
    for _ in 0..connections {
        let mut to = MySqlConnection::connect(to).await.unwrap();
        to.execute("SET SESSION foreign_key_checks = 0").await.unwrap();
        writers.push(to);
    }
    let start = Instant::now();
    let writing = writers.into_iter().enumerate().map(|(number, to)| {
        let places = (number * batch..operations).step_by(batch * connections);
        tokio::spawn(transactions(to, Arc::clone(&tables), places, batch))
    });
    for task in writing.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    operations as f64 / start.elapsed().as_secs_f64()
}

type Tables = Vec<(&'static str, Vec<MySqlRow>)>;

async fn transactions(
    mut to: MySqlConnection,
    tables: Arc<Tables>,
    places: impl Iterator<Item = usize>,
    batch: usize,
) {
    for at in places {
        to.execute("START TRANSACTION").await.unwrap();
        for (table, rows) in &*tables {
            for rows in rows[at.min(rows.len())..(at + batch).min(rows.len())].chunks(64) {
                write(&mut to, table, rows).await;
            }
        }
        to.execute("COMMIT").await.unwrap();
    }
}

async fn write(to: &mut MySqlConnection, table: &str, rows: &[MySqlRow]) {
    let width = rows[0].len();
    let row = format!("({})", vec!["?"; width].join(", "));
    let sql = format!("INSERT INTO {table} VALUES {}", vec![row; rows.len()].join(", "));
    let mut args = MySqlArguments::default();
    for row in rows {
        for at in 0..width {
            let value = row.try_get_raw(at).unwrap();
            let kind = value.type_info().name().to_owned();
            match kind.as_str() {
                _ if value.is_null() => args.add(None::<i64>).unwrap(),
                "BIGINT" | "INT" | "SMALLINT" => args.add(row.get_unchecked::<i64, _>(at)).unwrap(),
                "BINARY" => args.add(row.get_unchecked::<Vec<u8>, _>(at)).unwrap(),
                _ => args.add(row.get_unchecked::<String, _>(at)).unwrap(),
            }
        }
    }
    sqlx::query_with(AssertSqlSafe(sql), args).execute(to).await.unwrap();
}
