//! Lanes in one SQLite file, for a single process that serves them.

mod open;

pub use open::{Mode, OpenError, Options, open};
