//! `@name` in titles, bodies and comments: how it is written, and whom it can mean.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::{change::Change, email::EmailAddress, text::Name};

/// The most different people one text can call; the rest are plain text.
pub const MOST_MENTIONS: usize = 20;

/// A name as it is compared: NFKC, lower case, without spaces, dots, dashes and underscores; cut after 100 characters.
pub fn handle(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).take(Name::LIMIT).collect()
}

/// What a member can be called by, strongest first: the whole name, the address before its `@`, the first name.
pub fn handles_of(name: &Name, email: &EmailAddress) -> Vec<String> {
    let local = email.as_str().split(['@', '+']).next().unwrap_or_default();
    let first = name.as_str().split_whitespace().next().unwrap_or_default();
    let mut handles: Vec<String> = Vec::with_capacity(3);
    for text in [name.as_str(), local, first] {
        let handle = handle(text);
        if !handle.is_empty() && !handles.contains(&handle) {
            handles.push(handle);
        }
    }
    handles
}

/// The handles a text calls: `@` at a word's beginning, then letters, digits, `.`, `-`, `_`; not inside code.
pub fn mentions_in(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Every second piece between backquotes is code.
            line.split('`').step_by(2).for_each(|piece| mentions_of_piece(piece, &mut found));
        }
    }
    found.into_iter().take(MOST_MENTIONS).collect()
}

fn mentions_of_piece(piece: &str, found: &mut BTreeSet<String>) {
    let mut before = None;
    for (at, c) in piece.char_indices() {
        if c == '@' && before.is_none_or(|b: char| !b.is_alphanumeric() && b != '@' && b != '.' && b != '_') {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
            let rest = &piece[at + 1..];
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let handle = handle(&rest[..end]);
            if !handle.is_empty() && handle.chars().count() <= Name::LIMIT {
                found.insert(handle);
            }
        }
        before = Some(c);
    }
}

/// The handles that a change newly calls: those in a text after it that were not in it before.
pub fn newly_mentioned(change: &Change) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map(mentions_in).unwrap_or_default();
    let mut called = BTreeSet::new();
    for field in change.fields.iter().filter(|f| matches!(f.name.as_str(), "title" | "body" | "comment")) {
        let before = text(&field.from);
        called.extend(text(&field.to).into_iter().filter(|handle| !before.contains(handle)));
    }
    called
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_where_people_write_them() {
        let found = |text: &str| mentions_in(text).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(found("@mina and (@Jae.Park), 안녕 @지민!"), "jaepark mina 지민");
        assert_eq!(found("mail a@example.com, `@code`, @@twice"), "");
        assert_eq!(found("```\n@fenced\n```\n@after"), "after");
    }
}
