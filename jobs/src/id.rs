//! Typed ids: a ULID behind a prefix, so that an id read in a log or a URL says what it names.
//!
//! Ids are made by the application (an [`IdSource`]), never by a database, so that a task can be named before it is
//! stored and tests can replay. They sort by time of making, save those of operations with an idempotency key, which are
//! hashes. Canonical text is lower-case prefix, `_`, 26 characters
//! of Crockford base 32 (<https://github.com/ulid/spec>); parsing accepts exactly that form.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use ulid::Ulid;

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_ and 26 letters and digits")]
pub struct ParseIdError {
    prefix: &'static str,
}

/// Makes new ids; tests supply a seeded one.
pub trait IdSource: Send + Sync + 'static {
    /// A ULID for the instant `at` (milliseconds since the epoch) that this source never gave before.
    fn ulid(&self, at: jiff::Timestamp) -> Ulid;

    /// Fills `bytes` with unpredictable bytes, for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl $name {
            /// What the text form begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from `source`.
            pub fn generate(source: &dyn IdSource, at: jiff::Timestamp) -> Self {
                Self(source.ulid(at))
            }

            /// The id of these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }

            /// The 16 bytes, big-endian, as a store keeps them.
            pub const fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                parse($prefix, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A person who can sign in.
    UserId = "usr";
    /// A team.
    WorkspaceId = "wsp";
    /// A project of a workspace.
    ProjectId = "prj";
    /// A task.
    TaskId = "tsk";
    /// A comment on a task.
    CommentId = "cmt";
    /// One requested write.
    OperationId = "op";
    /// One person to be told of one or more changes.
    NoticeId = "ntc";
    /// One message through one channel.
    DeliveryId = "dlv";
    /// A signed-in browser.
    SessionId = "ses";
    /// An API token.
    TokenId = "tok";
    /// An invitation into a workspace.
    InvitationId = "inv";
    /// A link sent by mail to prove that an address is read.
    LinkId = "lnk";
}

fn parse(prefix: &'static str, text: &str) -> Result<Ulid, ParseIdError> {
    let digits = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
    let ulid = digits.filter(|d| d.len() == ulid::ULID_LEN).and_then(|d| Ulid::from_string(d).ok());
    ulid.filter(|u| digits == Some(u.to_string().as_str())).ok_or(ParseIdError { prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_the_only_form() {
        let id = TaskId::from_bytes([1; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in [
            "",
            "tsk_",
            "usr_0105080G2081G2081G2081G208",
            &id.to_string().to_lowercase(),
            "tsk_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        ] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad}");
        }
    }
}
