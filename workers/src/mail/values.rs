//! Values of fields as people read them: words for names in the API, names for ids, dates as they were written.

use fairy_jobs::{
    id::UserId,
    task::{Due, Priority, Status},
};
use serde_json::Value;

use super::notice::Context;

impl Context<'_> {
    /// One value of a field that holds one.
    pub(super) fn value(&self, field: &str, value: &Value) -> String {
        let shown = match (field, value) {
            (_, Value::Null) => return self.words.none().to_owned(),
            ("progress", Value::Number(number)) => return self.words.percent(&number.to_string()),
            (_, Value::String(text)) => text.as_str(),
            (_, other) => return other.to_string(),
        };
        match field {
            "status" => Status::parse(shown).map_or(shown, |status| self.words.status(status)).to_owned(),
            "priority" => Priority::parse(shown).map_or(shown, |p| self.words.priority(p)).to_owned(),
            "due" => due(shown),
            _ => shown.to_owned(),
        }
    }

    /// The values of a field that holds a set.
    pub(super) fn values(&self, field: &str, set: &[&Value]) -> Vec<String> {
        let mut shown: Vec<String> = set
            .iter()
            .map(|value| match field {
                "assignees" => self.person(value),
                _ => self.value(field, value),
            })
            .collect();
        shown.sort();
        shown
    }

    fn person(&self, value: &Value) -> String {
        let id = value.as_str().and_then(|text| text.parse::<UserId>().ok());
        id.map_or_else(|| self.words.somebody().to_owned(), |id| self.name(id))
    }

    /// What somebody is called.
    pub(super) fn name(&self, id: UserId) -> String {
        let known = self.names.iter().find(|(named, _)| *named == id);
        known.map_or_else(|| self.words.somebody().to_owned(), |(_, name)| name.to_string())
    }
}

/// A date as it was written, an instant without the `T` and the seconds that nobody wrote.
fn due(text: &str) -> String {
    match Due::parse(text) {
        Ok(Due::Instant { at, offset }) => {
            let offset = jiff::tz::Offset::from_seconds(offset).unwrap_or(jiff::tz::Offset::UTC);
            let zoned = at.to_zoned(jiff::tz::TimeZone::fixed(offset));
            zoned.strftime("%Y-%m-%d %H:%M (%:z)").to_string()
        }
        Ok(Due::Date(_)) | Err(_) => text.to_owned(),
    }
}
