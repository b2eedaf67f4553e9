//! The whole system, driven from outside as a user would: the real binary, HTTP by the contract, mail as files.
//!
//! One test binary, because linking is what costs. Each test starts a server of its own on ports and a data directory
//! of its own, so that tests may run side by side and one that kills its server harms nobody. Nothing here waits for
//! an amount of time: every wait is for a condition, with a deadline after which the test fails and says what it
//! waited for.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed, and the panic says where"
)]

mod accounts;
mod aws;
mod bad_input;
mod chaos;
mod client;
mod commands;
mod connections;
mod conservation;
mod feed;
mod harness;
mod lanes_api;
mod mail;
mod mailbox;
mod metrics;
mod operations;
mod rights;
mod rolling;
mod schemathesis;
mod servers;
mod stop;
mod team;
mod traces;
