//! The rows that a load left, read as they are, so that the floors write the same.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

/// The tables into which applying writes, with their order of writing.
const TABLES: [&str; 4] = ["operations", "tasks", "task_keys", "changes"];

/// A value of a row.
#[derive(Debug, Clone)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// A table and its rows.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How many columns it has.
    pub columns: usize,
    /// Its rows, as the table gives them: about in the order of writing.
    pub rows: Vec<Vec<Value>>,
}

/// What a load left.
pub struct Rows {
    /// The statements that make the tables and their indexes.
    pub schema: Vec<String>,
    /// The tables.
    pub tables: Vec<Table>,
    /// Operations in it.
    pub operations: usize,
    /// Operations in the transactions of the load, on average.
    pub batch: usize,
}

/// Reads a database that nobody has open.
pub async fn read(path: &Path) -> Rows {
    let mut db = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    let mut tables = Vec::new();
    let mut schema = Vec::new();
    for name in TABLES {
        let text = "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY rootpage";
        schema.extend(sqlx::query_scalar::<_, String>(text).bind(name).fetch_all(&mut db).await.unwrap());
        let text = AssertSqlSafe(format!("SELECT * FROM {name}"));
        let rows = sqlx::query(text).fetch_all(&mut db).await.unwrap();
        let columns = rows.first().map_or(0, |row| row.columns().len());
        tables.push(Table { name, columns, rows: rows.iter().map(values).collect() });
    }
    let text = "SELECT COUNT(*), COUNT(DISTINCT batch) FROM operations";
    let counts = sqlx::query(text).fetch_one(&mut db).await.unwrap();
    let (operations, batches): (i64, i64) = (counts.get(0), counts.get(1));
    let operations = usize::try_from(operations).unwrap();
    let batch = operations.div_ceil(usize::try_from(batches).unwrap().max(1));
    Rows { schema, tables, operations, batch }
}

fn values(row: &SqliteRow) -> Vec<Value> {
    let value = |index: usize| {
        let raw = row.try_get_raw(index).unwrap();
        if raw.is_null() {
            return Value::Null;
        }
        match raw.type_info().name() {
            "INTEGER" => Value::Integer(row.get_unchecked(index)),
            "BLOB" => Value::Blob(row.get_unchecked(index)),
            _ => Value::Text(row.get_unchecked(index)),
        }
    };
    row.columns().iter().map(|column| value(column.ordinal())).collect()
}
