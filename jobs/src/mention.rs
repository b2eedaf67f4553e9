//! `@name` in titles, bodies and comments: how it is written, and whom it can mean.

use std::collections::BTreeSet;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::{change::Change, email::EmailAddress, prose::prose, text::Name};

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

/// The handles a text calls: `@` at a word's beginning, then letters, digits, `.`, `-`, `_`; not inside code, nor in a
/// path such as that of a URL. Of more than [`MOST_MENTIONS`], those that come first.
pub fn mentions_in(text: &str) -> BTreeSet<String> {
    first(all_in(text))
}

/// All of them, in the order of the text; one that is called twice stands there twice.
fn all_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    prose(text).iter().for_each(|piece| mentions_of_piece(piece, &mut found));
    found
}

fn first(handles: Vec<String>) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    for handle in handles {
        if kept.len() == MOST_MENTIONS {
            break;
        }
        kept.insert(handle);
    }
    kept
}

fn mentions_of_piece(piece: &str, found: &mut Vec<String>) {
    let mut before = None;
    for (at, c) in piece.char_indices() {
        let apart = |b: char| !b.is_alphanumeric() && !matches!(b, '@' | '.' | '_' | '/');
        if c == '@' && before.is_none_or(apart) {
            let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
            let rest = &piece[at + 1..];
            let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
            let handle = handle(&rest[..end]);
            if !handle.is_empty() && handle.chars().count() <= Name::LIMIT {
                found.push(handle);
            }
        }
        before = Some(c);
    }
}

/// The handles that a change newly calls: the first in a text after it, but for those anywhere in it before.
pub fn newly_mentioned(change: &Change) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map(all_in).unwrap_or_default();
    let mut called = BTreeSet::new();
    for field in change.fields.iter().filter(|f| matches!(f.name.as_str(), "title" | "body" | "comment")) {
        let before: BTreeSet<String> = text(&field.from).into_iter().collect();
        called.extend(first(text(&field.to)).into_iter().filter(|handle| !before.contains(handle)));
    }
    called
}
