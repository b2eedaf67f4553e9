//! No statement walks over a table that grows, and none sorts more than a page.
//!
//! The other modules of the suite run every statement there is; here the plan of each is looked at as SQLite makes it. A
//! new statement without an index fails this test, unless it is on the list of those that may, with the reason.

use super::stage::Stage;
use crate::driver::{Dialect, Row, recorded};

/// What stands in a plan where something unbounded is read or sorted; an index of which only the workspace is used is read
/// over the whole workspace.
const OBJECTIONABLE: [&str; 3] = ["SCAN ", "USE TEMP B-TREE", "(workspace=?)"];

/// Statements, by a part of their text, that may do so.
const EXCUSED: [(&str, &str); 11] = [
    ("FROM workspaces w\nWHERE NOT EXISTS (SELECT 1 FROM sinks s", "once when a process starts"),
    ("UPDATE sinks\nSET target_seq = (SELECT", "once when a process starts"),
    ("SELECT id\nFROM workspaces\nLIMIT 1", "one row"),
    ("FROM schema_migrations", "as many rows as migrations"),
    ("sqlite_master", "as many rows as tables"),
    ("pragma_", "one row"),
    ("PRAGMA", "no table"),
    ("SELECT COUNT(*)\nFROM invitations\nWHERE workspace = ?", "at most 500 wait"),
    ("SELECT COUNT(*)\nFROM projects\nWHERE workspace = ?", "at most 1,000"),
    ("GROUP BY handle", "sorts the members that share at most 20 handles"),
    ("-- suite", "of this suite, not of the store"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_walks_over_what_grows() {
    tokio::join!(
        super::accounts::all(),
        super::teams::all(),
        super::ledger::all(),
        super::feed::all(),
        super::filters::all(),
        super::lists::all(),
        super::search::all(),
        super::telling::all(),
        super::attempts::all(),
        super::activity::all(),
        super::upkeep::all(),
        super::units::all(),
        super::migrations::all(),
    );
    let stage = Stage::new().await;
    let mut c = stage.store.read().await.unwrap();
    let statements = recorded(Dialect::Sqlite);
    assert!(statements.len() > 150, "only {} statements were run", statements.len());
    let mut objections = Vec::new();
    for sql in statements.keys() {
        let fit = ["SELECT", "INSERT", "UPDATE", "DELETE"].iter().any(|verb| sql.starts_with(verb));
        if !fit || EXCUSED.iter().any(|(part, _)| sql.contains(part)) {
            continue;
        }
        let plan = c.rows(&format!("EXPLAIN QUERY PLAN {sql}"), vec![]).await.unwrap();
        for step in plan.iter().map(detail) {
            let harmless = step.contains("CONSTANT ROW") || step.starts_with("SCAN (VALUES") || values(&step);
            if OBJECTIONABLE.iter().any(|part| step.contains(part)) && !harmless {
                objections.push(format!("{step}\n{sql}\n"));
            }
        }
    }
    assert!(objections.is_empty(), "{} objections\n{}", objections.len(), objections.join("\n"));
}

/// The rows of an `INSERT` are shown as a scan of as many constant rows.
fn values(step: &str) -> bool {
    step.trim_start().starts_with("SCAN ") && step.trim_end().ends_with("-ROW VALUES CLAUSE")
}

fn detail(row: &Row) -> String {
    let mut columns = row.columns();
    for _ in 0..3 {
        columns.next::<i64>().unwrap();
    }
    columns.next().unwrap()
}
