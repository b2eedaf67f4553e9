//! Starts, watches and ends servers, and waits for conditions.

mod backing;
mod launch;
mod meddle;
mod mode;
mod outside;
mod ports;
mod process;
mod run;
mod server;
mod wait;

pub use self::{
    launch::{Home, Launch},
    mode::{About, embedded_only, is_cluster},
    outside::{now, python, schemathesis, seed, without},
    ports::Port,
    run::fairy,
    server::Server,
    wait::{eventually, wait_until},
};
