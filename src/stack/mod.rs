//! Fairy in one process, started and stopped as one: all of it, or the part that a role plays of it.
//!
//! `fairy up`, `fairy api` and `fairy worker` run it under the system's clock; a test runs the same thing under a clock of its
//! own and [drains](Stack::drain) it. Two things are decided apart: the settings say where rows and lanes are kept (`opened`,
//! with `files` and `servers` below it), the role says what runs (`front` answers, `crew` works). Parts depend on each other in
//! one direction (HTTP on workers on the queue on nothing), so they are started from the bottom and stopped from the top.

mod cloud;
mod crew;
mod drain;
mod files;
mod front;
mod lost;
mod opened;
mod parts;
mod patience;
mod role;
mod servers;
mod start;
mod stop;
mod tasks;
#[cfg(test)]
mod tests;
mod wire;

pub use cloud::Cloud;
pub use drain::Drained;
pub use front::{of_no_use, public_url};
pub use lost::{Lost, refuse_without_database};
pub use opened::{Opened, open_queue, open_ready_store, open_store};
pub use parts::Parts;
pub use patience::Patience;
pub use role::Role;
pub use servers::look_at;
pub use start::Stack;
pub use wire::{is_for_one_machine, smtp};
