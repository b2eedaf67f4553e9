//! The workers: one file per job, and the adapters to the outside that jobs need.
//!
//! A worker turns what a lane hands out into calls on the ports of `fairy-jobs` and says what became of each job. It
//! holds no state of its own that a restart would miss, so any number of processes may work the same lanes, and every
//! job may come again: each handler's documentation says why a repeat is harmless. To add a job, write its file and
//! add its line in `register.rs`.

mod apply;
pub mod aws;
mod backlog;
mod bury;
mod deliver;
mod failure;
mod follow;
pub mod mail;
mod notify;
mod publish;
mod rebuild;
mod record;
mod register;
mod retry;
mod services;
mod sweep;
#[cfg(test)]
mod tests;
mod trace;
mod way;

pub use backlog::LaneBacklog;
pub use deliver::DELIVERIES_AT_ONCE;
pub use rebuild::{Refilled, rebuild_activity, refill};
pub use register::register;
pub use services::{Lanes, Services, Settings};
pub use sweep::{sweep_once, sweeper};
