//! Starts, watches and ends servers, and waits for conditions.

mod backing;
mod commits;
mod keeper;
mod launch;
mod line;
mod meddle;
mod mode;
mod outside;
mod ports;
mod process;
mod run;
mod server;
mod wait;

pub use self::{
    backing::Backing,
    keeper::{Keeper, directory},
    launch::{Home, Launch, PLAYED, Version},
    line::{Line, Way},
    mode::{About, cluster_only, embedded_only, is_cluster},
    outside::{faketime, mariadb, now, python, schemathesis, seed, setting, without},
    ports::Port,
    run::fairy,
    server::Server,
    wait::{eventually, pass, wait_until},
};
