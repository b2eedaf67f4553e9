//! The composition root: the only place that knows which mode Fairy runs in.
//!
//! It reads the configuration, opens the stores, joins the crates by the ports of `fairy_jobs`, and gives the commands
//! of the `fairy` program. It is a library so that tests can start the same stack in their own process, under a clock
//! and with ids of their own.

pub mod channels;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod desk;
pub mod embedded;
mod failure;
pub mod hints;
pub mod lanes;
mod observe;
pub mod process;
pub mod retry;
pub mod stack;

pub use failure::Failure;
