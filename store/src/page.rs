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
