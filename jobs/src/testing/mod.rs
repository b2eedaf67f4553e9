//! Suites over ports: what every implementation must do, whatever it stores in.

pub mod activity;
