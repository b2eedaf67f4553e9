//! What goes on in one process that a cluster has between its processes as well (see `cluster`): outcomes from those who
//! apply to those who wait, the wake-up of live feeds, and limits.
//!
//! All are for speed or for a while. Losing anything here, as a kill does, delays something by seconds and loses nothing.

mod limiter;
mod outcomes;
mod signals;

pub use limiter::OwnLimiter;
pub use outcomes::Outcomes;
pub use signals::{Onward, Signals};
