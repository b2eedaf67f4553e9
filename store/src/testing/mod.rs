//! The suite of the store, written over the ports, with a few looks behind them.
//!
//! It opens real databases of its own. What it asks of one engine it asks of every engine: only `stage` and `servers` know
//! how a store is opened, and only `plans`, `sqlite`, `mysql` and the like know which one it is.

mod accounts;
mod activity;
mod attempts;
mod feed;
mod filters;
mod ledger;
mod lists;
mod logins;
mod migrations;
mod plans;
mod properties;
mod proxy;
#[expect(dead_code, reason = "it has a clock of its own, which stands where the stage's does not")]
#[path = "../../../jobs/tests/invariants/requests.rs"]
mod requests;
mod schema;
mod search;
mod server;
mod server_plans;
mod servers;
mod sqlite;
mod stage;
mod teams;
mod telling;
mod units;
mod upkeep;

/// Makes a test of each of these on each engine, on a stage of its own; `all` runs them one after the other for `plans`.
macro_rules! tests {
    ($($name:ident,)*) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&super::Stage::new().await).await;
            })*
        }

        super::on_servers! { $($name,)* }

        pub async fn all() {
            $($name(&Stage::new().await).await;)*
        }
    };
}
use tests;

/// Makes a test of each of these on both servers.
macro_rules! on_servers {
    ($($name:ident,)*) => {
        mod on_mariadb {
            $(#[tokio::test]
            async fn $name() {
                if let Some(stage) = super::Stage::on($crate::testing::On::MariaDb).await {
                    super::$name(&stage).await;
                }
            })*
        }

        mod on_mysql {
            $(#[tokio::test]
            async fn $name() {
                if let Some(stage) = super::Stage::on($crate::testing::On::MySql).await {
                    super::$name(&stage).await;
                }
            })*
        }
    };
}
use on_servers;

use self::servers::On;
