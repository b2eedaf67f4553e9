//! The whole of Fairy in one process, started and stopped as one.
//!
//! `fairy up` runs it under the system's clock; a test runs the same thing under a clock of its own and
//! [drains](Stack::drain) it. Parts depend on each other in one direction (HTTP on workers on the queue on nothing), so
//! they are started from the bottom and stopped from the top.

mod drain;
mod opened;
mod parts;
mod start;
mod stop;
mod tasks;
#[cfg(test)]
mod tests;
mod wire;

pub use drain::Drained;
pub use opened::{Opened, open_store};
pub use parts::Parts;
pub use start::Stack;
pub use wire::{is_for_one_machine, smtp};
