//! Where a page ends and the next begins.
//!
//! A cursor is the fingerprint of the list it belongs to and the place of the last item shown. So a cursor of another
//! list, or one with other filters, is refused instead of answering nonsense; a made-up place within the same list shows
//! nothing that the list does not show anyway, for the list's own conditions stay in the statement.

use fairy_jobs::{
    operation::Fingerprint,
    page::{Cursor, Page, PageRequest},
    ports::PortResult,
    problem::Problem,
};

use crate::driver::Row;

/// What a list is: its name and all that decides which items it has and in which order.
#[derive(Debug, Clone)]
pub(crate) struct List(Vec<u8>);

/// A place in a list that is ordered by a number and an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub key: i64,
    pub id: [u8; 16],
}

impl Place {
    /// Before everything, in ascending order.
    pub const FIRST: Self = Self { key: i64::MIN, id: [0; 16] };
    /// Behind everything, in ascending order.
    pub const LAST: Self = Self { key: i64::MAX, id: [0xff; 16] };
}

impl List {
    /// The list that these parts tell from all others.
    pub fn of(parts: &[&[u8]]) -> Self {
        Self(Fingerprint::of(parts).to_string().into_bytes()[..12].to_vec())
    }

    /// A cursor at this place.
    pub fn cursor(&self, place: &[u8]) -> Cursor {
        Cursor::new([&self.0, place].concat())
    }

    /// The place of a cursor of this list.
    pub fn place<'r>(&self, request: &'r PageRequest) -> PortResult<Option<&'r [u8]>> {
        let Some(cursor) = &request.cursor else {
            return Ok(None);
        };
        cursor.bytes().strip_prefix(self.0.as_slice()).map(Some).ok_or_else(|| foreign().into())
    }

    /// The place of a cursor of this list, which is ordered by a number and an id; `start` without a cursor.
    pub fn keyed(&self, request: &PageRequest, start: Place) -> PortResult<Place> {
        match self.place(request)? {
            None => Ok(start),
            Some(bytes) => Ok(decode(bytes).ok_or_else(foreign)?),
        }
    }

    /// The page of these items, of which there is one more than wanted if there is a next page.
    pub fn page<T>(&self, mut items: Vec<T>, request: &PageRequest, place: impl Fn(&T) -> Place) -> Page<T> {
        let limit = request.limit.get();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| self.cursor(&encode(place(last))));
        Page { items, next }
    }
}

/// How far a page of large rows is read: up to a number of rows, or of bytes, whichever comes first. It is read in parts,
/// the first of them small, so that what is read beyond the bytes is little too.
#[derive(Debug)]
pub(crate) struct Portion {
    rows: usize,
    bytes: usize,
    part: usize,
}

/// The bytes after which a page ends.
const MOST_BYTES: usize = 4 << 20;
/// Rows of the first part; a change has up to 160 KB.
const FIRST_PART: usize = 25;

impl Portion {
    /// At most so many rows.
    pub const fn of(rows: usize) -> Self {
        Self { rows, bytes: MOST_BYTES, part: FIRST_PART }
    }

    /// How many rows to read next; 0: it is enough.
    pub fn next(&self) -> usize {
        if self.bytes == 0 { 0 } else { self.rows.min(self.part) }
    }

    /// These were read.
    pub fn took(&mut self, rows: &[Row]) {
        let bytes: usize = rows.iter().map(Row::size).sum();
        self.rows = self.rows.saturating_sub(rows.len());
        self.bytes = self.bytes.saturating_sub(bytes);
        // As many as fit if those to come are as large.
        let fit = self.bytes / (bytes / rows.len().max(1)).max(1);
        self.part = fit.clamp(1, self.part * 4);
    }
}

/// The place as bytes.
pub(crate) fn encode(place: Place) -> Vec<u8> {
    [place.key.to_be_bytes().as_slice(), &place.id].concat()
}

/// The place of such bytes.
pub(crate) fn decode(bytes: &[u8]) -> Option<Place> {
    let (key, id) = bytes.split_first_chunk::<8>()?;
    Some(Place { key: i64::from_be_bytes(*key), id: id.try_into().ok()? })
}

/// The refusal of a cursor that this list never gave.
pub(crate) fn foreign() -> Problem {
    Problem::field("cursor", "must be what the same list, with the same filters, answered as `next`")
}
