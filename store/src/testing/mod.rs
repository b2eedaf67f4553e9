//! The suite of the store, written over the ports, with a few looks behind them.
//!
//! It opens real databases in directories of their own. What it asks of one engine it will ask of every engine: only
//! `stage` knows how a store is opened, and only `plans` and `sqlite` know which one it is.

mod ledger;
mod properties;
#[path = "../../../jobs/tests/invariants/requests.rs"]
#[expect(
    clippy::unwrap_used,
    unused_qualifications,
    reason = "the requests of the domain's own tests, as they are"
)]
mod requests;
mod stage;
