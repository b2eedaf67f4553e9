//! What the processes of a cluster have between them, over the Redis server that also carries their lanes: the way of
//! outcomes to the process that waits, the wake-up of live feeds everywhere, and limits that count for all.
//!
//! Nothing here is kept or relied on. What is lost, with a message, a connection or the server, is found in the rows a
//! little later: an outcome after 250 ms, changes after 5 s; and limits are each process's own meanwhile.

mod between;
mod feed;
mod limiter;
mod outcomes;
mod send_rate;
#[cfg(test)]
mod tests;

pub use between::{Between, Hears};
pub use limiter::SharedLimiter;
pub use outcomes::Outcomes;
pub use send_rate::SharedRate;
