//! What goes between those who apply and those who wait, where both are in one process: outcomes to waiting requests, and
//! the wake-up of live feeds.
//!
//! Both are for speed. Losing anything here, as a kill does, delays something by seconds and loses nothing.

mod outcomes;
mod signals;

pub use outcomes::Outcomes;
pub use signals::Signals;
