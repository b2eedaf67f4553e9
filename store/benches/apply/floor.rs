//! The floor of SQLite: the same rows by plain statements.

use std::{path::Path, time::Instant};

use sqlx::{
    AssertSqlSafe, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous},
};

use super::rate;

/// The rows of the created tasks, read from the finished database and written into an empty one.
pub async fn floor(directory: &Path, batch: usize, limit: usize) -> f64 {
    const TABLES: [&str; 6] =
        ["tasks", "task_keys", "task_assignees", "task_labels", "operations", "changes"];
    let options = |name: &str| {
        SqliteConnectOptions::new()
            .filename(directory.join(name))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4000")
            .foreign_keys(false)
            .statement_cache_capacity(512)
    };
    let mut from = SqliteConnection::connect_with(&options("fairy.db")).await.unwrap();
    let name = format!("floor{batch}.db");
    let mut to = SqliteConnection::connect_with(&options(&name)).await.unwrap();
    let sql = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL";
    let schema: Vec<(String,)> = sqlx::query_as(sql).fetch_all(&mut from).await.unwrap();
    for (sql,) in schema.into_iter().filter(|(sql,)| !sql.contains("sqlite_")) {
        sqlx::query(AssertSqlSafe(sql)).execute(&mut to).await.unwrap();
    }
    let mut tables = Vec::new();
    for table in TABLES {
        let order = if table == "changes" { " WHERE operation IS NOT NULL" } else { "" };
        let sql = format!("SELECT * FROM {table}{order} LIMIT {limit}");
        tables.push((table, sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut from).await.unwrap()));
    }
    let start = Instant::now();
    let mut at = 0;
    while at < limit {
        sqlx::query("BEGIN IMMEDIATE").execute(&mut to).await.unwrap();
        for (table, rows) in &tables {
            for rows in rows[at.min(rows.len())..(at + batch).min(rows.len())].chunks(64) {
                write(&mut to, table, rows).await;
            }
        }
        sqlx::query("COMMIT").execute(&mut to).await.unwrap();
        at += batch;
    }
    rate(limit, start)
}

async fn write(to: &mut SqliteConnection, table: &str, rows: &[sqlx::sqlite::SqliteRow]) {
    use sqlx::{Arguments as _, Row as _, TypeInfo as _, ValueRef as _};
    let width = rows[0].len();
    let row = format!("({})", vec!["?"; width].join(", "));
    let sql = format!("INSERT INTO {table} VALUES {}", vec![row; rows.len()].join(", "));
    let mut args = sqlx::sqlite::SqliteArguments::default();
    for row in rows {
        for at in 0..width {
            let value = row.try_get_raw(at).unwrap();
            let kind = value.type_info().name().to_owned();
            match kind.as_str() {
                _ if value.is_null() => args.add(None::<i64>).unwrap(),
                "INTEGER" => args.add(row.get_unchecked::<i64, _>(at)).unwrap(),
                "TEXT" => args.add(row.get_unchecked::<String, _>(at)).unwrap(),
                _ => args.add(row.get_unchecked::<Vec<u8>, _>(at)).unwrap(),
            }
        }
    }
    sqlx::query_with(AssertSqlSafe(sql), args).execute(to).await.unwrap();
}
