//! What the embedded mode has in the process itself and the cluster mode will have outside: the way of outcomes to
//! waiting requests, the wake-up of live feeds, and the hints after a commit.
//!
//! All three are for speed. Losing anything here, as a kill does, delays something by seconds and loses nothing.

mod hints;
mod outcomes;
mod signals;

pub use hints::{Hints, Lanes};
pub use outcomes::Outcomes;
pub use signals::Signals;
