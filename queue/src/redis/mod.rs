//! Lanes on a Redis or Valkey server, for as many processes as there are.

mod broker;
mod claim;
mod failure;
mod inspect;
mod link;
mod listen;
mod operate;
mod options;
mod push;
mod read;
mod record;
mod reply;
mod script;
mod settle;

pub use inspect::{Inspection, Unfit, inspect};
pub use options::{AddressError, Options, open};
