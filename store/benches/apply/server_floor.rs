//! The floor of a server: the same rows by plain statements.

use std::time::Instant;

use sqlx::{
    Arguments as _, AssertSqlSafe, Connection as _, Executor as _, Row as _, TypeInfo as _, ValueRef as _,
    mysql::{MySqlArguments, MySqlConnection, MySqlRow},
};

use super::rate;

/// The rows of the created tasks, read from the finished database and written into an empty one.
pub async fn floor(from: &str, to: &str, batch: usize, limit: usize) -> f64 {
    const TABLES: [&str; 6] =
        ["tasks", "task_keys", "task_assignees", "task_labels", "operations", "changes"];
    let mut from = MySqlConnection::connect(from).await.unwrap();
    let mut to = MySqlConnection::connect(to).await.unwrap();
    to.execute("SET SESSION foreign_key_checks = 0").await.unwrap();
    let mut tables = Vec::new();
    for table in TABLES {
        let made = if table == "changes" { " WHERE kind = 'task.created'" } else { "" };
        let sql = format!("SELECT * FROM {table}{made} LIMIT {limit}");
        tables.push((table, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut from).await.unwrap()));
    }
    let start = Instant::now();
    let mut at = 0;
    while at < limit {
        to.execute("START TRANSACTION").await.unwrap();
        for (table, rows) in &tables {
            for rows in rows[at.min(rows.len())..(at + batch).min(rows.len())].chunks(64) {
                write(&mut to, table, rows).await;
            }
        }
        to.execute("COMMIT").await.unwrap();
        at += batch;
    }
    rate(limit, start)
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
