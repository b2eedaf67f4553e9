//! The domain of Fairy: model, commands, decisions, changes, notices, job payloads, and the ports to the outside.
//!
//! Nothing here does IO, knows SQL, HTTP or a runtime, reads a clock or draws a random number: all of that comes in as
//! an argument or through a trait in [`ports`]. So what Fairy *means* can be read and tested by itself, and every way in
//! (web, API, chat, mail) and every store behaves the same.

pub mod account;
pub mod change;
pub mod clock;
pub mod command;
pub mod decide;
mod difference;
pub mod email;
mod entity_tag;
pub mod event;
pub mod id;
pub mod lane;
pub mod link;
pub mod mention;
pub mod notice;
pub mod operation;
pub mod page;
pub mod ports;
pub mod problem;
pub mod profile;
mod prose;
pub mod rate;
mod retry;
pub mod rights;
pub mod state;
pub mod task;
pub mod team;
pub mod team_command;
#[cfg(feature = "testing")]
#[expect(clippy::unwrap_used, reason = "a suite fails by panicking")]
pub mod testing;
pub mod text;
pub mod trace;
