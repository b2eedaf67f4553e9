//! The commands of `fairy`: one file each, and the line that a failure is told in.

mod admin;
mod arguments;
mod backup;
mod doctor;
mod health;
mod lanes;
mod migrate;
mod rebuild;
mod retry;
mod run;
mod serve;
mod table;
mod welcome;

pub use run::{main, main_of};
