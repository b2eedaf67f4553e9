//! Suites over ports: what every implementation must do, whatever it stores in; and what tests of several crates need.

pub mod activity;
mod outcome;

pub use outcome::outcome;
