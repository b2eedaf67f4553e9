//! What is bound to a placeholder.

use fairy_jobs::{
    email::EmailAddress,
    id::{
        CommentId, DeliveryId, InvitationId, LinkId, NoticeId, OperationId, ProjectId, SessionId, TaskId,
        TokenId, UserId, WorkspaceId,
    },
    text::{Body, Name, Slug, Title},
    trace::Trace,
};
use jiff::Timestamp;

/// A value as both engines keep it: instants are epoch milliseconds, ids their 16 bytes, JSON is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The values of a statement, in the order of its placeholders.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::driver::Value::from($value)),*] };
}
pub(crate) use args;

macro_rules! from_ids {
    ($($id:ident)*) => {$(
        impl From<$id> for Value {
            fn from(id: $id) -> Self {
                Self::Bytes(id.to_bytes().to_vec())
            }
        }
    )*};
}
from_ids! { CommentId DeliveryId InvitationId LinkId NoticeId OperationId ProjectId SessionId TaskId TokenId UserId WorkspaceId }

macro_rules! from_texts {
    ($($text:ident)*) => {$(
        impl From<&$text> for Value {
            fn from(text: &$text) -> Self {
                Self::Text(text.as_str().to_owned())
            }
        }
    )*};
}
from_texts! { Body EmailAddress Name Slug Title }

macro_rules! from_numbers {
    ($($number:ident)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Int(number.into())
            }
        }
    )*};
}
from_numbers! { i64 i32 u32 u8 bool }

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        // Counters begin at zero and go up by one: 2^63 is out of reach.
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Trace> for Value {
    fn from(trace: Trace) -> Self {
        Self::Text(trace.to_string())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.as_millisecond())
    }
}

impl<T> From<Option<T>> for Value
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}
