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

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks that go forward or back at midnight: a day that begins at 01:00, one whose first hour comes twice.
    #[test]
    fn a_day_begins_when_it_first_does() {
        for (zone, date, begins, before) in [
            ("Asia/Beirut", "2026-03-29", "2026-03-29T01:00:00+03:00", "2026-03-28T23:59:59.999+02:00"),
            ("America/Havana", "2026-03-08", "2026-03-08T01:00:00-04:00", "2026-03-07T23:59:59.999-05:00"),
            ("America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00", "2026-10-31T23:59:59.999-04:00"),
        ] {
            let zone = TimeZone::parse(zone).unwrap();
            let date: Date = date.parse().unwrap();
            let (begins, before): (Timestamp, Timestamp) = (begins.parse().unwrap(), before.parse().unwrap());
            let rules = zone.rules();
            assert_eq!(begin(date, &rules), begins.as_millisecond(), "{date}");
            assert_eq!(day(begins.as_millisecond(), &rules), date);
            assert_eq!(day(before.as_millisecond(), &rules), date.yesterday().unwrap());
            assert_eq!(bounds(&Due::Date(date), &zone), (date, begins.as_millisecond()));
            let at = |at| Due::Instant { at, offset: 0 };
            assert_eq!(
                bounds(&at(begins), &zone).0,
                date,
                "what is due on the day is not before its beginning"
            );
            assert_eq!(bounds(&at(before), &zone).0, date);
            let after = Timestamp::from_millisecond(begins.as_millisecond() + 1).unwrap();
            assert_eq!(bounds(&at(after), &zone).0, date.tomorrow().unwrap());
        }
    }
}
