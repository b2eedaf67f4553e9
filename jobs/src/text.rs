//! Text that people type: what is allowed in a title, a name, a label, a body, and why the rest is not.
//!
//! Control characters break terminals and mail headers; bidirectional overrides and isolates make text read as
//! something it is not (CVE-2021-42574); invisible characters make two names that look the same. They are refused with
//! the character named rather than dropped, so nothing that was typed changes silently. Everything is kept in NFC, so that
//! equal text is equal bytes.
//!
//! What is typed is judged by `parse`. What Fairy wrote itself, into rows and lanes, was judged then and is read as it is
//! (`stored`, and `Deserialize`): a rule that becomes stricter must not make a task unreadable.

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization;

mod characters;

/// Why a text was refused; reads after the field's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing visible in it.
    #[error("must not be empty")]
    Empty,
    /// Longer than the limit, in characters.
    #[error("must be at most {limit} characters, this is {length}")]
    TooLong {
        /// The most characters it may have.
        limit: usize,
        /// How many it has.
        length: usize,
    },
    /// A character that is never allowed there.
    #[error("must not contain {name} (U+{:04X}, character {position})", u32::from(*.character))]
    Forbidden {
        /// The character.
        character: char,
        /// Where it stands, counted from 1.
        position: usize,
        /// What kind of character it is.
        name: &'static str,
    },
    /// Not of the shape it must have.
    #[error("{0}")]
    Shape(&'static str),
}

fn blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}'))
}

fn clean(text: &str, limit: usize, lines: bool) -> Result<String, TextError> {
    // The cheap bound first: a ten-megabyte title is not worth normalising.
    let length = text.chars().count();
    if length > limit {
        return Err(TextError::TooLong { limit, length });
    }
    if let Some((index, character, name)) = characters::first_forbidden(text, lines) {
        return Err(TextError::Forbidden { character, position: index + 1, name });
    }
    let text: String = text.nfc().collect();
    let length = text.chars().count();
    if length > limit { Err(TextError::TooLong { limit, length }) } else { Ok(text) }
}

macro_rules! lines_of_text {
    ($($(#[$doc:meta])* $name:ident, $limit:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The most characters it may have.
            pub const LIMIT: usize = $limit;

            /// One line of visible text, without space at its ends.
            pub fn parse(text: &str) -> Result<Self, TextError> {
                let text = clean(text.trim(), Self::LIMIT, false)?;
                if blank(&text) { Err(TextError::Empty) } else { Ok(Self(text)) }
            }

            /// Text that was parsed before it was stored.
            pub const fn stored(text: String) -> Self {
                Self(text)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::stored)
            }
        }
    )*};
}

lines_of_text! {
    /// A task's title: one line, 1–300 characters.
    Title, 300;
    /// What a person, workspace, project or token is called: one line, 1–100 characters.
    Name, 100;
}

/// A label on a task: 1–50 characters without space or comma, compared without regard to case by being lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Label(String);

impl Label {
    /// Lower-cased; refused when it holds space, a comma, `/` or `#`, which separate labels in chat and in URLs.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        // Lower case first, for it can be longer.
        let text = clean(&text.trim().to_lowercase(), 50, false)?;
        if blank(&text) {
            Err(TextError::Empty)
        } else if text.contains(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '#')) {
            Err(TextError::Shape("must not contain a space, a comma, '/' or '#'"))
        } else {
            Ok(Self(text))
        }
    }

    /// Text that was parsed before it was stored.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::stored)
    }
}

/// Markdown of several lines, 0–20,000 characters; `\r\n` is kept as `\n`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Body(String);

impl Body {
    /// The most characters a body may have.
    pub const LIMIT: usize = 20_000;

    /// Text that may be empty, as a task's body may.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let text = clean(text, Self::LIMIT, true)?;
        Ok(Self(text.replace("\r\n", "\n").replace('\r', "\n")))
    }

    /// Text that must say something, as a comment must.
    pub fn parse_filled(text: &str) -> Result<Self, TextError> {
        let body = Self::parse(text)?;
        if blank(&body.0) { Err(TextError::Empty) } else { Ok(body) }
    }

    /// Text that was parsed before it was stored.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::stored)
    }
}

/// A workspace's name in URLs: 2–40 of `a-z0-9-`, beginning with a letter, ending with a letter or digit. Ids hold an
/// underscore and slugs never do, so one is never taken for the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Slug(String);

impl Slug {
    /// Exactly the form above.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let fits = (2..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !text.contains("--");
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(TextError::Shape(
                "must be 2 to 40 of a-z, 0-9 and single '-', starting with a letter, not ending with '-'",
            ))
        }
    }

    /// A slug made from a name; names without Latin letters or digits give `team`.
    pub fn from_name(name: &Name) -> Self {
        let mut slug = String::new();
        for c in name.as_str().nfkd().flat_map(char::to_lowercase) {
            if c.is_ascii_lowercase() || c.is_ascii_digit() && !slug.is_empty() {
                slug.push(c);
            } else if (c.is_whitespace() || c.is_ascii_punctuation())
                && !slug.is_empty()
                && !slug.ends_with('-')
            {
                slug.push('-');
            }
            if slug.len() >= 32 {
                break;
            }
        }
        Self::parse(slug.trim_end_matches('-')).unwrap_or_else(|_| Self("team".to_owned()))
    }

    /// The same slug with `-n` at its end, tried when it is taken.
    #[must_use]
    pub fn numbered(&self, n: u32) -> Self {
        Self(format!("{}-{n}", self.0))
    }

    /// Text that was parsed before it was stored.
    pub const fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Slug {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_deceives() {
        assert_eq!(Title::parse("  \u{200D} "), Err(TextError::Empty));
        assert!(matches!(Title::parse("a\u{202E}b"), Err(TextError::Forbidden { position: 2, .. })));
        assert!(
            Title::parse("a\nb").is_err()
                && Title::parse("a\u{200B}b").is_err()
                && Title::parse("a\0").is_err()
        );
        assert_eq!(Title::parse(&"x".repeat(301)), Err(TextError::TooLong { limit: 300, length: 301 }));
        assert_eq!(Title::parse(" e\u{301} 👩‍💻 ").unwrap().as_str(), "é 👩‍💻");
        assert_eq!(
            Title::parse("a\u{7}").unwrap_err().to_string(),
            "must not contain a control character (U+0007, character 2)"
        );
    }

    #[test]
    fn what_was_stored_is_read_as_it_is() {
        let (text, json) = ("a\u{200E}b", "\"a\u{200E}b\"");
        assert!(Title::parse(text).is_err() && Label::parse(text).is_err() && Body::parse(text).is_err());
        assert_eq!(serde_json::from_str::<Title>(json).unwrap().as_str(), text);
        assert_eq!(serde_json::from_str::<Label>(json).unwrap().as_str(), text);
        assert_eq!(serde_json::from_str::<Body>(json).unwrap().as_str(), text);
    }

    #[test]
    fn slugs_come_from_names() {
        let slug = |name: &str| Slug::from_name(&Name::parse(name).unwrap()).as_str().to_owned();
        assert_eq!(slug("Étoile & Co."), "etoile-co");
        assert_eq!(slug("우리 팀"), "team");
        assert_eq!(slug("42 apples"), "apples");
    }

    #[test]
    fn a_label_reads_back_as_itself() {
        assert!(Label::parse(&"İ".repeat(26)).is_err());
        for text in ["Bug", "İ", "ﬁx", "e\u{301}", "ẞ"] {
            let label = Label::parse(text).unwrap();
            assert_eq!(Label::parse(label.as_str()).as_ref(), Ok(&label), "{text}");
        }
    }
}
