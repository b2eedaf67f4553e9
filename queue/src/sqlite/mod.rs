//! Lanes in one SQLite file, for a single process that serves them.
//!
//! What is accepted or settled is synced before it is answered; what is handed out or renewed is not, because losing
//! that with the power only hands it out again. Nothing reads more than it moves: every state a job can be in has its
//! own index, and counts are kept, not made.

mod account;
mod backup;
mod broker;
mod claim;
mod command;
mod connect;
mod due;
mod fill;
mod hand_out;
mod notice;
mod open;
mod operate;
#[cfg(test)]
mod plans;
mod push;
mod read;
mod round;
mod schema;
mod script;
mod settle;
mod standing;
mod suspect;
mod take_over;
mod transaction;
mod writer;

pub use backup::{BackupError, backup_to};
pub use open::{Knobs, Mode, OpenError, Options, open, open_with};
