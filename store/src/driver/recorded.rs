//! What was run, for the tests that look at plans: on SQLite by the whole process, on a server by each thread, for there
//! the values matter with which a statement was run.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use super::{Dialect, Value};

type Texts = BTreeMap<String, Vec<Value>>;

static SQLITE: Mutex<Texts> = Mutex::new(BTreeMap::new());

thread_local! {
    static MYSQL: RefCell<Texts> = const { RefCell::new(BTreeMap::new()) };
}

pub(super) fn record(dialect: Dialect, sql: &str, args: &[Value]) {
    let (sql, args) = (sql.to_owned(), args.to_vec());
    match dialect {
        Dialect::Sqlite => SQLITE.lock().unwrap_or_else(PoisonError::into_inner).insert(sql, args),
        Dialect::MySql => MYSQL.with_borrow_mut(|texts| texts.insert(sql, args)),
    };
}

/// Every text that was run in a dialect, with the values it was last given; what is known is forgotten.
pub(crate) fn recorded(dialect: Dialect) -> Texts {
    match dialect {
        Dialect::Sqlite => SQLITE.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        Dialect::MySql => MYSQL.take(),
    }
}
