//! E-mail addresses, as far as a sign-up form should judge them.
//!
//! The mail server has the last word on what it delivers to; this refuses only what cannot be an address, what would
//! be a header injection, and what makes two accounts out of one (the domain and the local part are lower-cased).

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::text::TextError;

/// An address such as `mina@example.com`, at most 254 characters (RFC 5321 §4.5.3.1.3), ASCII, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// A dot-atom local part (RFC 5322 §3.2.3), `@`, and a domain name of at least two labels.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        const SHAPE: TextError = TextError::Shape("must be an e-mail address such as mina@example.com");
        let text = text.trim().to_ascii_lowercase();
        if text.len() > 254 {
            return Err(TextError::TooLong { limit: 254, length: text.len() });
        }
        let (local, domain) = text.rsplit_once('@').ok_or(SHAPE)?;
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let local_fits =
            local.len() <= 64 && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
        let label = |l: &str| {
            (1..=63).contains(&l.len())
                && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !l.starts_with('-')
                && !l.ends_with('-')
        };
        let domain_fits = domain.contains('.') && domain.split('.').all(label);
        if local_fits && domain_fits { Ok(Self(text)) } else { Err(SHAPE) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EmailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_an_address() {
        assert_eq!(EmailAddress::parse(" Mina+x@Example.COM ").unwrap().as_str(), "mina+x@example.com");
        for bad in [
            "",
            "mina",
            "mina@",
            "@example.com",
            "a b@example.com",
            "mina@example.com\r\nBcc: x@y.zz",
            "a..b@c.de",
            "a@b",
            "a@-b.c",
            "a@b..c",
        ] {
            assert!(EmailAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
