//! Time as an argument: whoever needs "now" holds a [`Clock`], so that a test can set it.

use jiff::Timestamp;

/// Tells the time, in UTC with the precision that is stored: milliseconds.
pub trait Clock: Send + Sync + 'static {
    /// The present instant, cut to whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// RFC 3339 in UTC with exactly three decimals, the form in which every instant leaves Fairy.
pub fn rfc3339(at: Timestamp) -> String {
    format!("{at:.3}")
}
