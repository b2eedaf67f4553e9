//! What a statement answered, read column by column in the order of its `SELECT`.

use fairy_jobs::{
    email::EmailAddress,
    id::{
        CommentId, DeliveryId, InvitationId, LinkId, NoticeId, OperationId, ProjectId, SessionId, TaskId,
        TokenId, UserId, WorkspaceId,
    },
    ports::{PortError, PortResult},
    task::Status,
    team::{ProjectKey, Role},
    text::{Body, Name, Slug, Title},
};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Column as _, Row as _, mysql::MySqlRow, sqlite::SqliteRow};

/// One row.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
}

/// The same of either engine's row.
macro_rules! of {
    ($row:expr, $raw:ident => $value:expr) => {
        match $row {
            Row::Sqlite($raw) => $value,
            Row::MySql($raw) => $value,
        }
    };
}

impl Row {
    /// Its columns, from the first.
    pub const fn columns(&self) -> Columns<'_> {
        Columns { row: self, at: 0 }
    }

    /// Its only column.
    pub fn only<T: Column>(&self) -> PortResult<T> {
        self.columns().next()
    }

    /// How many bytes its texts have.
    pub fn size(&self) -> usize {
        let columns = of!(self, raw => raw.len());
        (0..columns).map(|at| self.text(at).map_or(0, str::len)).sum()
    }

    fn int(&self, at: usize) -> Option<i64> {
        of!(self, raw => raw.try_get_unchecked::<Option<i64>, _>(at).ok().flatten())
    }

    fn text(&self, at: usize) -> Option<&str> {
        of!(self, raw => raw.try_get_unchecked::<Option<&str>, _>(at).ok().flatten())
    }

    fn bytes(&self, at: usize) -> Option<&[u8]> {
        of!(self, raw => raw.try_get_unchecked::<Option<&[u8]>, _>(at).ok().flatten())
    }

    fn is_null(&self, at: usize) -> bool {
        use sqlx::ValueRef as _;
        of!(self, raw => raw.try_get_raw(at).is_ok_and(|value| value.is_null()))
    }

    fn name(&self, at: usize) -> &str {
        of!(self, raw => raw.columns().get(at).map_or("?", |column| column.name()))
    }
}

/// Reads a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row,
    at: usize,
}

impl Columns<'_> {
    /// The next column; `Broken` if it does not hold what it must.
    pub fn next<T: Column>(&mut self) -> PortResult<T> {
        let at = self.at;
        self.at += 1;
        T::read(self.row, at).ok_or_else(|| {
            let name = self.row.name(at);
            PortError::Broken(format!("the column {name} ({at}) does not hold what it must"))
        })
    }
}

/// What a column can be read as.
pub(crate) trait Column: Sized {
    /// The value; `None` if it is not one.
    fn read(row: &Row, at: usize) -> Option<Self>;
}

impl<T: Column> Column for Option<T> {
    fn read(row: &Row, at: usize) -> Option<Self> {
        if row.is_null(at) { Some(None) } else { T::read(row, at).map(Some) }
    }
}

macro_rules! ids {
    ($($id:ident)*) => {$(
        impl Column for $id {
            fn read(row: &Row, at: usize) -> Option<Self> {
                row.bytes(at)?.try_into().ok().map(Self::from_bytes)
            }
        }
    )*};
}
ids! { CommentId DeliveryId InvitationId LinkId NoticeId OperationId ProjectId SessionId TaskId TokenId UserId WorkspaceId }

macro_rules! parsed {
    ($($text:ident)*) => {$(
        impl Column for $text {
            fn read(row: &Row, at: usize) -> Option<Self> {
                Self::parse(row.text(at)?).ok()
            }
        }
    )*};
}
parsed! { EmailAddress ProjectKey Role Status }

/// Texts were judged when they were typed.
macro_rules! stored {
    ($($text:ident)*) => {$(
        impl Column for $text {
            fn read(row: &Row, at: usize) -> Option<Self> {
                row.text(at).map(|text| Self::stored(text.to_owned()))
            }
        }
    )*};
}
stored! { Body Name Slug Title }

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Column for $number {
            fn read(row: &Row, at: usize) -> Option<Self> {
                row.int(at)?.try_into().ok()
            }
        }
    )*};
}
numbers! { i64 i32 u64 u32 u8 usize }

impl Column for bool {
    fn read(row: &Row, at: usize) -> Option<Self> {
        row.int(at).map(|value| value != 0)
    }
}

impl Column for String {
    fn read(row: &Row, at: usize) -> Option<Self> {
        row.text(at).map(str::to_owned)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row, at: usize) -> Option<Self> {
        row.bytes(at)?.try_into().ok()
    }
}

impl Column for Timestamp {
    fn read(row: &Row, at: usize) -> Option<Self> {
        Self::from_millisecond(row.int(at)?).ok()
    }
}

/// A column of JSON text.
pub(crate) struct Json<T>(pub T);

impl<T: DeserializeOwned> Column for Json<T> {
    fn read(row: &Row, at: usize) -> Option<Self> {
        serde_json::from_str(row.text(at)?).ok().map(Self)
    }
}
