//! Starts, watches and ends servers, and waits for conditions.

mod outside;
mod ports;
mod run;
mod server;
mod wait;

pub use self::{
    outside::{now, python, schemathesis, seed, without},
    ports::Port,
    run::fairy,
    server::{Home, Launch, Server},
    wait::{eventually, wait_until},
};
