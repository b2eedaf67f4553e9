//! Entity tags and the lists of them that requests carry: one reading for `If-Match` and `If-None-Match`.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::text::TextError;

/// What `If-Match` allows (RFC 9110 §13.1.1); weak tags never match and are left out when it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IfMatch {
    /// `*`: any version, but there must be one.
    Any,
    /// One of these versions.
    Versions(Vec<u64>),
}

impl IfMatch {
    /// A list of at most 20 entity tags, or `*`; what is no tag of a version is kept out and matches nothing.
    pub fn parse(header: &str) -> Result<Self, TextError> {
        if header.trim() == "*" {
            return Ok(Self::Any);
        }
        let tags = EntityTag::list(header).filter(|tags| (1..=20).contains(&tags.len()));
        let tags =
            tags.ok_or(TextError::Shape("must be '*' or a list of at most 20 entity tags such as \"3\""))?;
        Ok(Self::Versions(tags.into_iter().filter(|tag| !tag.weak).filter_map(EntityTag::version).collect()))
    }

    /// Whether this version is allowed.
    pub fn allows(&self, version: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

/// One entity tag of a list (RFC 9110 §8.8.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// Whether it begins with `W/`.
    pub weak: bool,
    /// The tag with its quotes.
    pub tag: &'a str,
}

impl<'a> EntityTag<'a> {
    /// The tags of a list, empty elements left out (§5.6.1.2); `None` if it is none. A tag may hold a comma.
    pub fn list(text: &'a str) -> Option<Vec<Self>> {
        let mut tags = Vec::new();
        let mut rest = text.trim_start_matches(SEPARATORS);
        while !rest.is_empty() {
            let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
            let end = quoted.strip_prefix('"')?.find('"')? + 2;
            let (tag, after) = quoted.split_at(end);
            let fits = |b: u8| b == b'!' || (b'#'..=b'~').contains(&b) || b >= 0x80;
            let after_all = after.trim_start_matches([' ', '\t']);
            if !tag[1..end - 1].bytes().all(fits) || !(after_all.is_empty() || after_all.starts_with(',')) {
                return None;
            }
            tags.push(Self { weak, tag });
            rest = after.trim_start_matches(SEPARATORS);
        }
        Some(tags)
    }

    /// The version whose tag this is, however it was shown, character by character: `"03"` is not the tag of version 3.
    fn version(self) -> Option<u64> {
        let text = self.tag.trim_matches('"');
        let (version, shown) = text.split_once('-').map_or((text, None), |(v, shown)| (v, Some(shown)));
        let is_mark =
            |mark: &str| mark.len() == 16 && mark.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let number: u64 = version.parse().ok()?;
        (number.to_string() == version && shown.is_none_or(is_mark)).then_some(number)
    }
}

/// What stands between the elements of a list.
const SEPARATORS: [char; 3] = [' ', '\t', ','];

/// The entity tag of a version as it is shown: with it are names of people, which change by themselves. `If-Match` is about
/// the version alone.
pub fn etag(version: u64, shown: &str) -> String {
    let digest = Sha256::digest(shown.as_bytes());
    let mark: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{version}-{mark}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Option<Vec<&str>> {
        Some(EntityTag::list(text)?.into_iter().map(|tag| tag.tag).collect())
    }

    #[test]
    fn a_list_is_taken_apart_as_the_rfc_wants() {
        assert_eq!(list("\"1\", W/\"2\"").unwrap(), ["\"1\"", "\"2\""]);
        assert_eq!(list("\"a,b\"").unwrap(), ["\"a,b\""], "a comma in a tag parts nothing");
        assert_eq!(list(" ,\"1\" ,, \"2\",").unwrap(), ["\"1\"", "\"2\""], "empty elements are left out");
        assert_eq!(list("").unwrap(), Vec::<&str>::new());
        for bad in
            ["1", "\"1", "1\"", "W/W/\"3\"", "w/\"3\"", "\"1\"\"2\"", "\"a b\"", "\"1\" \"2\"", "*, \"1\""]
        {
            assert_eq!(list(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tag_is_that_of_its_version_however_it_was_shown() {
        let versions = |text: &str| IfMatch::parse(text).unwrap();
        assert_eq!(versions("\"3\", \"4\""), IfMatch::Versions(vec![3, 4]));
        let (before, after) = (etag(5, "Joon"), etag(5, "June"));
        assert_ne!(before, after);
        assert_eq!(versions(&format!("{before},{after}")), IfMatch::Versions(vec![5, 5]));
        for other in [
            "\"3-\"",
            "\"3-0123456789abcdeg\"",
            "\"3-01234567\"",
            "\"03-0123456789abcdef\"",
            "\"03\"",
            "\"+3\"",
            "W/\"3\"",
            "\"3,4\"",
            "\"\"",
        ] {
            assert_eq!(versions(other), IfMatch::Versions(vec![]), "{other}");
        }
        assert_eq!(versions(" * "), IfMatch::Any);
        assert!(IfMatch::parse("").is_err() && IfMatch::parse(&"\"1\",".repeat(21)).is_err());
        assert!(IfMatch::parse(&"\"1\",".repeat(20)).is_ok());
    }
}
