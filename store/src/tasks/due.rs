//! A due date in columns, and its place among others.
//!
//! A calendar date is kept as it is written; beside it `due_at` holds its midnight in UTC, which no reader is shown: it only
//! makes (date, instant, id) a key without nulls, by which an index is read on from any place.

use fairy_jobs::{account::TimeZone, task::Due};
use jiff::{Timestamp, ToSpan as _, civil::Date, tz};

use crate::driver::{Value, args};

/// `due_date`, `due_at`, `due_offset`.
pub(super) fn columns(due: Option<&Due>) -> [Value; 3] {
    match due {
        None => [Value::Null, Value::Null, Value::Null],
        Some(Due::Date(date)) => [date.to_string().into(), midnight(*date).into(), Value::Null],
        Some(Due::Instant { at, offset }) => [Value::Null, (*at).into(), (*offset).into()],
    }
}

/// The due date of such columns; `None` if they are of no such shape.
pub(super) fn read(date: Option<String>, at: Option<Timestamp>, offset: Option<i32>) -> Option<Option<Due>> {
    match (date, at) {
        (Some(date), _) => date.parse().ok().map(|date| Some(Due::Date(date))),
        (None, Some(at)) => Some(Some(Due::Instant { at, offset: offset.unwrap_or(0) })),
        (None, None) => Some(None),
    }
}

/// The beginning of the day in UTC, in milliseconds.
pub(super) fn midnight(date: Date) -> i64 {
    begin(date, &tz::TimeZone::UTC)
}

/// The date whose midnight in UTC this is, or is after.
pub(super) fn date_of(milliseconds: i64) -> Date {
    day(milliseconds, &tz::TimeZone::UTC)
}

/// When the day begins in a zone, in milliseconds.
pub(super) fn begin(date: Date, zone: &tz::TimeZone) -> i64 {
    let begin = date.to_zoned(zone.clone()).map(|zoned| zoned.timestamp().as_millisecond());
    // Only dates at the very edges of what can be counted have no beginning.
    begin.unwrap_or(if date.year() < 0 { i64::MIN } else { i64::MAX })
}

/// The day in a zone to which an instant belongs.
pub(super) fn day(milliseconds: i64, zone: &tz::TimeZone) -> Date {
    match Timestamp::from_millisecond(milliseconds) {
        Ok(at) => at.to_zoned(zone.clone()).date(),
        Err(_) if milliseconds < 0 => Date::MIN,
        Err(_) => Date::MAX,
    }
}

/// The first date that is not before `bound`, and the first instant in milliseconds: a date counts as the instant at
/// which it begins in the caller's zone, so what is due before a bound comes first in the order of due dates.
pub(super) fn bounds(bound: &Due, zone: &TimeZone) -> (Date, i64) {
    let zone = zone.rules();
    match bound {
        Due::Date(date) => (*date, begin(*date, &zone)),
        Due::Instant { at, .. } => {
            let at = at.as_millisecond();
            let day = day(at, &zone);
            let first = if begin(day, &zone) < at { day.checked_add(1.day()).unwrap_or(day) } else { day };
            (first, at)
        }
    }
}

/// The condition that a task is due before `bound`, for lists in another order than that of due dates.
pub(super) fn condition(bound: &Due, zone: &TimeZone) -> (&'static str, Vec<Value>) {
    let (date, at) = bounds(bound, zone);
    ("(t.due_date < ? OR (t.due_date IS NULL AND t.due_at < ?))", args![date.to_string(), at])
}
