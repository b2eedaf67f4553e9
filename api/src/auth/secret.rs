//! Secrets that a client holds: 256 unpredictable bits, of which only the SHA-256 is kept.
//!
//! A fast hash is enough because nobody can guess the input; it is what lets a row be found by the secret.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fairy_jobs::id::IdSource;
use sha2::{Digest as _, Sha256};

/// What API tokens begin with, so that a scanner recognises one that was published.
const TOKEN_PREFIX: &str = "fry_";
/// The characters of 32 bytes.
const LENGTH: usize = 43;

/// A secret as the client holds it.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// A new secret of a session.
    pub fn session(ids: &dyn IdSource) -> Self {
        let mut bytes = [0; 32];
        ids.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A new API token.
    pub fn token(ids: &dyn IdSource) -> Self {
        Self(format!("{TOKEN_PREFIX}{}", Self::session(ids).0))
    }

    /// What a cookie holds, if it can be the secret of a session.
    pub fn parse_session(text: &str) -> Option<Self> {
        let fits =
            text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        fits.then(|| Self(text.to_owned()))
    }

    /// What an `Authorization` header holds, if it can be an API token.
    pub fn parse_token(text: &str) -> Option<Self> {
        Self::parse_session(text.strip_prefix(TOKEN_PREFIX)?).map(|_| Self(text.to_owned()))
    }

    /// The text, which the client is told once.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_a_secret_is_looked_up() {
        let text = "A".repeat(LENGTH);
        assert!(Secret::parse_session(&text).is_some());
        assert!(Secret::parse_session(&text[1..]).is_none());
        assert!(Secret::parse_session(&text.replace('A', "=")).is_none());
        assert!(Secret::parse_token(&text).is_none());
        assert!(Secret::parse_token(&format!("fry_{text}")).is_some());
    }
}
