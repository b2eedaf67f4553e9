//! Reading where changes go besides the database: the activity log, and events.

use std::time::Duration;

use fairy_workers::aws::{EventBridge, Table};

use super::{check::number, reader::Reader};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The table of the activity log, if it has one.
pub fn activity(reader: &Reader<'_>) -> Option<Table> {
    let name = reader.read("activity.table", table);
    let days = reader.read("activity.keep_days", |text| number(text, 1, 36_500));
    if let Some(given) = reader.given("activity.keep_days")
        && reader.given("activity.table").is_none()
    {
        reader.fault(
            "activity.keep_days",
            &given,
            "would not be used: without activity.table the log is in the database, and kept",
        );
    }
    Some(Table { name: name?, keep: days.map(|days| DAY * days) })
}

/// The event bus, if there is one.
pub fn bus(reader: &Reader<'_>) -> Option<String> {
    reader.read("events.bus", |text| match EventBridge::may_be_called(text) {
        true => Ok(text.to_owned()),
        false => Err("must be the name or the ARN of an event bus".to_owned()),
    })
}

/// `TableName` in the API reference.
fn table(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match text.len() {
        3..=255 if text.chars().all(fits) => Ok(text.to_owned()),
        _ => Err("must be 3 to 255 of letters, digits and - _ .".to_owned()),
    }
}
