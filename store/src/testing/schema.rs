//! The files of both engines have the same names and end in the same schema, as each engine itself tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{On, stage::Stage};
use crate::{
    driver::{Column, Connection, Row, args},
    migration::ALL,
};

/// Texts that may be longer in MySQL, which holds to what a column says: a slug with its number, and a name in small
/// letters, of which there may be more.
const LONGER: [&str; 2] = ["workspaces.slug", "member_handles.handle"];
/// InnoDB keeps an index below each foreign key, and makes one where there is none.
const BELOW_FOREIGN_KEYS: [&str; 1] = ["invitations: index invited_by (invited_by)"];

/// What a schema is, a line each: tables with their columns in order, keys, indexes, foreign keys, checks.
type Schema = BTreeSet<String>;

#[test]
fn the_files_are_the_binary() {
    for engine in ["sqlite", "mysql"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
        let names = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| name != "schema.sql");
        names.sort();
        assert_eq!(names, ALL.iter().map(|m| format!("{}.sql", m.name)).collect::<Vec<_>>(), "{engine}");
    }
    for migration in ALL {
        for sql in [migration.sql.sqlite, migration.sql.mysql] {
            let statements = sql.trim_end().matches(';').count();
            assert!(statements == 1 && sql.trim_end().ends_with(';'), "{}: one DDL", migration.name);
        }
    }
}

async fn same(on: On) {
    let Some(stage) = Stage::on(on).await else { return };
    let ours = sqlite(&mut Stage::new().await.store.read().await.unwrap()).await;
    let theirs = mysql(&mut stage.store.read().await.unwrap()).await;
    assert!(ours.len() > 100, "too little to compare: {ours:?}");
    let missing: Vec<_> = ours.difference(&theirs).collect();
    let beyond: Vec<_> = theirs.difference(&ours).collect();
    assert!(
        missing.is_empty() && beyond.is_empty(),
        "only in SQLite: {missing:#?}\nonly in {on:?}: {beyond:#?}"
    );
}

#[tokio::test]
async fn mariadb_has_the_schema_of_sqlite() {
    same(On::MariaDb).await;
}

#[tokio::test]
async fn mysql_has_the_schema_of_sqlite() {
    same(On::MySql).await;
}

/// The columns of each index in their order, by what the index is.
fn index_lines(indexes: BTreeMap<(String, String), Vec<String>>) -> impl Iterator<Item = String> {
    indexes.into_iter().map(|((table, what), columns)| format!("{table}: {what} ({})", columns.join(", ")))
}

async fn list<T: Column>(c: &mut Connection<'_>, sql: &str, of: &str) -> Vec<T> {
    let args = if of.is_empty() { vec![] } else { args![of] };
    let rows = c.rows(&format!("{sql} -- suite"), args).await.unwrap();
    rows.iter().map(|row| row.only().unwrap()).collect()
}

async fn sqlite(c: &mut Connection<'_>) -> Schema {
    let mut schema = Schema::new();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'";
    for table in list::<String>(c, tables, "").await {
        let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_info(?) ORDER BY cid";
        let rows = c.rows(sql, args![table.as_str()]).await.unwrap();
        let mut primary = BTreeMap::new();
        for (at, row) in rows.iter().enumerate() {
            let (name, kind, required, key): (String, String, bool, usize) = four(row);
            let kind = match kind.to_lowercase().as_str() {
                "blob" => "bytes".to_owned(),
                "integer" => "int".to_owned(),
                other => other.to_owned(),
            };
            if key > 0 {
                primary.insert(key, name.clone());
            }
            schema.insert(column(&table, at, (&name, &kind), required));
        }
        let mut indexes = BTreeMap::new();
        let primary = primary.into_values().collect::<Vec<_>>();
        indexes.insert((table.clone(), "primary key".to_owned()), primary);
        let sql = "SELECT name, origin FROM pragma_index_list(?) WHERE origin <> 'pk'";
        for row in c.rows(sql, args![table.as_str()]).await.unwrap() {
            let mut columns = row.columns();
            let (name, origin): (String, String) = (columns.next().unwrap(), columns.next().unwrap());
            let sql = "SELECT name FROM pragma_index_info(?) ORDER BY seqno";
            let members: Vec<String> = list(c, sql, &name).await;
            let what = if origin == "u" { unique(&members) } else { format!("index {name}") };
            indexes.insert((table.clone(), what), members);
        }
        schema.extend(index_lines(indexes));
        let sql = "SELECT \"from\" || ' to ' || \"table\" || '.' || \"to\" FROM pragma_foreign_key_list(?)";
        schema.extend(
            list::<String>(c, sql, &table).await.iter().map(|key| format!("{table}: foreign key {key}")),
        );
        let sql: Vec<String> = list(c, "SELECT sql FROM sqlite_schema WHERE name = ?", &table).await;
        schema.insert(format!("{table}: {} checks", sql[0].matches("CHECK (").count()));
    }
    schema
}

async fn mysql(c: &mut Connection<'_>) -> Schema {
    let mut schema = Schema::new();
    let sql = "SELECT table_name, column_name, column_type, is_nullable, ordinal_position, collation_name
        FROM information_schema.columns WHERE table_schema = DATABASE()";
    for row in c.rows(sql, vec![]).await.unwrap() {
        let mut columns = row.columns();
        let (table, name): (String, String) = (columns.next().unwrap(), columns.next().unwrap());
        let (kind, nullable): (String, String) = (columns.next().unwrap(), columns.next().unwrap());
        let at = columns.next::<usize>().unwrap() - 1;
        let collation: Option<String> = columns.next().unwrap();
        assert!(collation.is_none_or(|c| c == "utf8mb4_bin"), "{table}.{name}");
        let bare = kind.split('(').next().unwrap();
        let kind = match bare {
            "binary" => "bytes",
            "mediumtext" => "text",
            "bigint" | "smallint" | "int" => bare,
            _ => &kind,
        };
        schema.insert(column(&table, at, (&name, kind), nullable == "NO"));
    }
    schema.extend(index_lines(mysql_indexes(c).await).filter(|i| !BELOW_FOREIGN_KEYS.contains(&i.as_str())));
    let sql = "SELECT CONCAT(table_name, ': foreign key ', column_name, ' to ', referenced_table_name, '.',
        referenced_column_name) FROM information_schema.key_column_usage
        WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL";
    schema.extend(list::<String>(c, sql, "").await);
    let sql = "SELECT CONCAT(t.table_name, ': ', COUNT(c.constraint_name), ' checks')
        FROM information_schema.tables t LEFT JOIN information_schema.table_constraints c
        ON c.table_schema = t.table_schema AND c.table_name = t.table_name AND c.constraint_type = 'CHECK'
        WHERE t.table_schema = DATABASE() GROUP BY t.table_name";
    schema.extend(list::<String>(c, sql, "").await);
    schema
}

async fn mysql_indexes(c: &mut Connection<'_>) -> BTreeMap<(String, String), Vec<String>> {
    let sql = "SELECT table_name, index_name, non_unique, column_name FROM information_schema.statistics
        WHERE table_schema = DATABASE() AND sub_part IS NULL AND collation = 'A'
        ORDER BY table_name, index_name, seq_in_index";
    let mut found: BTreeMap<(String, String, bool), Vec<String>> = BTreeMap::new();
    for row in &c.rows(sql, vec![]).await.unwrap() {
        let (table, name, many, member): (String, String, bool, String) = four(row);
        found.entry((table, name, many)).or_default().push(member);
    }
    let named = found.into_iter().map(|((table, name, many), members)| {
        let what = match (name.as_str(), many) {
            ("PRIMARY", _) => "primary key".to_owned(),
            (_, false) => unique(&members),
            (_, true) => format!("index {name}"),
        };
        ((table, what), members)
    });
    named.collect()
}

fn unique(members: &[String]) -> String {
    format!("unique {}", members.join("+"))
}

fn column(table: &str, at: usize, (name, kind): (&str, &str), required: bool) -> String {
    let path = format!("{table}.{name}");
    let kind = if LONGER.contains(&path.as_str()) { kind.split('(').next().unwrap_or(kind) } else { kind };
    format!("{path}: column {at}, {kind}, {}", if required { "required" } else { "may be null" })
}

fn four<A: Column, B: Column, C: Column, D: Column>(row: &Row) -> (A, B, C, D) {
    let mut columns = row.columns();
    let (a, b) = (columns.next().unwrap(), columns.next().unwrap());
    (a, b, columns.next().unwrap(), columns.next().unwrap())
}
