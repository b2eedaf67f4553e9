//! Statements: their texts in each dialect, and texts over many rows, of which there are few.
//!
//! Most texts are understood by both engines. One that is not is a [`Text`], whose two halves stand side by side.
//!
//! A statement over many rows says `{rows}` where its rows go and `{list}` where the members of an `IN` go. The number of
//! rows in one text is a power of two, so each statement has at most seven texts and a connection's cache of prepared
//! statements stays small; lists are filled up to the next power of two by repeating their last member.

use super::Value;

/// Which dialect is spoken; MariaDB and MySQL are asked in what both understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dialect {
    Sqlite,
    MySql,
}

/// A text that must fork.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub sqlite: &'static str,
    /// Here `?1` is the first value, wherever it stands and however often; then all are numbered.
    pub mysql: &'static str,
}

/// What can be run: a text that both engines understand, or one of each.
pub(crate) trait Statement: Copy + Send + Sync {
    /// The text in a dialect.
    fn text(&self, dialect: Dialect) -> &str;
}

impl Statement for &str {
    fn text(&self, _: Dialect) -> &str {
        self
    }
}

impl Statement for &String {
    fn text(&self, _: Dialect) -> &str {
        self
    }
}

impl Statement for Text {
    fn text(&self, dialect: Dialect) -> &str {
        match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::MySql => self.mysql,
        }
    }
}

/// The most rows in one `INSERT`; with the widest table this stays far below SQLite's 32,766 and MySQL's 65,535 variables.
pub(super) const MOST_ROWS: usize = 64;
/// The most members in one `IN`.
pub(super) const MOST_MEMBERS: usize = 256;

/// How many of `left` rows go into the next statement: the largest power of two that fits.
pub(super) fn bucket(left: usize) -> usize {
    let left = left.clamp(1, MOST_ROWS);
    1 << left.ilog2()
}

/// The statement with `rows` rows of `width` values in place of `{rows}`.
pub(super) fn with_rows(sql: &str, rows: usize, width: usize) -> String {
    let row = format!("({})", marks(width));
    sql.replacen("{rows}", &vec![row; rows].join(", "), 1)
}

/// The statement with `{rows}`, each of `width` values, as often as the rows need, each time with its values.
pub(super) fn over_rows(
    sql: &str,
    width: usize,
    mut values: Vec<Value>,
) -> impl Iterator<Item = (String, Vec<Value>)> {
    debug_assert!(
        values.len().is_multiple_of(width),
        "{sql}: rows of {width} values, {} given",
        values.len()
    );
    std::iter::from_fn(move || {
        let rows = (!values.is_empty()).then(|| bucket(values.len() / width))?;
        let rest = values.split_off(rows * width);
        Some((with_rows(sql, rows, width), std::mem::replace(&mut values, rest)))
    })
}

/// The statement with `members` placeholders in place of `{list}`.
pub(super) fn with_list(sql: &str, members: usize) -> String {
    sql.replacen("{list}", &format!("({})", marks(members)), 1)
}

/// The members filled up to a power of two, and how many there are then; at least one.
pub(super) fn padded(members: &[Value]) -> Vec<Value> {
    let last = members.last().cloned().unwrap_or(Value::Null);
    let mut padded = members.to_vec();
    padded.resize(members.len().next_power_of_two(), last);
    padded
}

/// A text whose placeholders are numbered, for an engine that only knows `?`: each value as often as it is named.
pub(super) fn unnumbered(sql: &str, args: Vec<Value>) -> (String, Vec<Value>) {
    if !sql.contains("?1") {
        return (sql.to_owned(), args);
    }
    let (mut text, mut bound) = (String::with_capacity(sql.len()), Vec::new());
    let mut parts = sql.split('?');
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, rest) = part.split_at(digits);
        let value = number.parse::<usize>().ok().and_then(|n| args.get(n.checked_sub(1)?));
        debug_assert!(value.is_some(), "?{number} names no value: {sql}");
        bound.extend(value.cloned());
        text.push('?');
        text.push_str(rest);
    }
    (text, bound)
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_texts_hold_any_number_of_rows() {
        for total in 1..300 {
            let mut left = total;
            while left > 0 {
                let rows = bucket(left);
                assert!(rows.is_power_of_two() && rows <= left && rows <= MOST_ROWS);
                left -= rows;
            }
        }
        assert_eq!(with_rows("VALUES {rows} END", 2, 3), "VALUES (?, ?, ?), (?, ?, ?) END");
        assert_eq!(
            with_list("IN {list}", padded(&[Value::Int(1), Value::Int(2), Value::Int(3)]).len()),
            "IN (?, ?, ?, ?)"
        );
    }

    #[test]
    fn a_numbered_value_is_bound_wherever_it_is_named() {
        let values = vec![Value::Int(7), Value::Int(8)];
        let (sql, bound) = unnumbered("a > ?1 OR (a = ?1 AND b > ?2)", values.clone());
        assert_eq!(sql, "a > ? OR (a = ? AND b > ?)");
        assert_eq!(bound, [Value::Int(7), Value::Int(7), Value::Int(8)]);
        assert_eq!(unnumbered("a > ? AND b > ?", values.clone()), ("a > ? AND b > ?".to_owned(), values));
    }
}
