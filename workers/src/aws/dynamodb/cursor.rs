//! Where a page of the log ends: the fingerprint of the list and the number of its last entry.

use fairy_jobs::{
    operation::Fingerprint,
    page::{Cursor, PageRequest},
    ports::ActivityQuery,
    problem::Problem,
};

/// A list of entries, told from all others.
pub(super) struct List([u8; 12]);

impl List {
    pub(super) fn of(query: &ActivityQuery) -> Self {
        let fingerprint = Fingerprint::of(&[b"dynamodb", format!("{query:?}").as_bytes()]).to_string();
        let mut name = [0; 12];
        name.iter_mut().zip(fingerprint.bytes()).for_each(|(to, from)| *to = from);
        Self(name)
    }

    /// The cursor of what comes after this entry.
    pub(super) fn after(&self, seq: u64) -> Cursor {
        Cursor::new([self.0.as_slice(), &seq.to_be_bytes()].concat())
    }

    /// Only entries with a smaller number are wanted.
    pub(super) fn before(&self, request: &PageRequest) -> Result<u64, Problem> {
        let Some(cursor) = &request.cursor else {
            return Ok(u64::MAX);
        };
        let place = cursor.bytes().strip_prefix(self.0.as_slice()).and_then(|place| place.try_into().ok());
        place.map(u64::from_be_bytes).ok_or_else(|| {
            Problem::field("cursor", "must be what the same list, with the same filters, answered as `next`")
        })
    }
}
