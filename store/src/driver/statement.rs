//! Statements over many rows, of few different texts.
//!
//! A statement over many rows says `{rows}` where its rows go and `{list}` where the members of an `IN` go. The number of
//! rows in one text is a power of two, so each statement has at most seven texts and a connection's cache of prepared
//! statements stays small; lists are filled up to the next power of two by repeating their last member.

use super::Value;

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
}
