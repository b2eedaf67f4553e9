//! Every statement of this broker finds its rows by an index: nothing gets slower as a lane gets deeper.

use std::fs;
use std::path::Path;

use sqlx::SqliteConnection;

use super::{connect, schema};

/// Walks that are meant: lists given in, groups picked before, and what is bounded otherwise.
const MEANT: &[&str] = &["v", "json_each", "picked", "CONSTANT"];
/// All leases are walked once, when the file is opened, and jobs when that brings it up to date; the audit is read from its end, up to a limit; SQLite keeps a
/// row for each of a few tables.
const BOUNDED: &[(&str, &str)] =
    &[("LAPSE_ALL", "hands"), ("FROM_1", "jobs"), ("AUDIT", "audit"), ("READ_COUNTERS", "sqlite_sequence")];

/// The statements in the sources of this module, by the names of their constants.
fn statements() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let mut found = Vec::new();
    for file in fs::read_dir(dir).unwrap() {
        let source = fs::read_to_string(file.unwrap().path()).unwrap();
        let code = source.split("#[cfg(test)]").next().unwrap();
        for part in code.split("\nconst ").skip(1) {
            let Some((name, rest)) = part.split_once(": &str = \"") else { continue };
            if name.contains(':') {
                continue;
            }
            let text = rest.split_once("\";").unwrap().0;
            let statements = text.split(';').map(str::trim).filter(|text| {
                ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|word| text.starts_with(word))
            });
            found.extend(statements.map(|text| (name.to_owned(), text.to_owned())));
        }
    }
    found
}

/// Tables that a statement walks from end to end.
async fn walks(conn: &mut SqliteConnection, name: &str, text: &str) -> Vec<String> {
    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
    // A cached plan would not notice that an index is gone.
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(explain).persistent(false).fetch_all(conn).await.unwrap();
    let walked = plan.into_iter().filter_map(|(.., detail)| {
        let table = detail.strip_prefix("SCAN ")?.split(' ').next()?.to_owned();
        let meant = MEANT.contains(&table.as_str()) || table.starts_with('(');
        (!meant && !BOUNDED.contains(&(name, table.as_str()))).then_some(table)
    });
    walked.map(|table| format!("{name} walks {table}")).collect()
}

#[tokio::test]
async fn no_statement_walks_a_table() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = connect::writer(&dir.path().join("queue.db"), true).await.unwrap();
    schema::bring_up(&mut conn).await.unwrap();
    let statements = statements();
    assert!(statements.len() >= 35, "only {} statements were found", statements.len());
    for (name, text) in &statements {
        assert_eq!(walks(&mut conn, name, text).await, Vec::<String>::new());
    }

    // The check can fail: without their indexes statements do walk.
    sqlx::raw_sql("DROP INDEX jobs_later; DROP INDEX hands_lapse").execute(&mut conn).await.unwrap();
    let mut walked = Vec::new();
    for (name, text) in &statements {
        walked.extend(walks(&mut conn, name, text).await);
    }
    assert!(walked.contains(&"PROMOTE walks jobs".to_owned()), "{walked:?}");
    assert!(walked.contains(&"LAPSED_HANDS walks hands".to_owned()), "{walked:?}");
}
