//! The suite of the store, written over the ports, with a few looks behind them.
//!
//! It opens real databases in directories of their own. What it asks of one engine it will ask of every engine: only
//! `stage` knows how a store is opened, and only `plans` and `sqlite` know which one it is.

mod accounts;
mod activity;
mod attempts;
mod feed;
mod ledger;
mod lists;
mod plans;
mod properties;
#[expect(dead_code, reason = "it has a clock of its own, which stands where the stage's does not")]
#[path = "../../../jobs/tests/invariants/requests.rs"]
mod requests;
mod search;
mod sqlite;
mod stage;
mod teams;
mod telling;
mod upkeep;

/// Makes a test of each of these, on a stage of its own; `all` runs them one after the other for `plans`.
macro_rules! tests {
    ($($name:ident,)*) => {
        mod run {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&super::Stage::new().await).await;
            })*
        }

        pub async fn all() {
            $($name(&Stage::new().await).await;)*
        }
    };
}
use tests;
