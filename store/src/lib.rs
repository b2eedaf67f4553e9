//! All rows of Fairy: the ports of `fairy-jobs` over SQL.
//!
//! Each port method is one unit of work. Statements are constants above the functions that run them, written once over a
//! thin driver for SQLite, MySQL and MariaDB; where engines differ, the difference is in the driver or said at the
//! statement. Nothing here decides what is allowed: the domain does, from what is loaded here.

mod accounts;
mod activity;
mod driver;
mod error;
mod feed;
mod health;
mod ledger;
mod migration;
mod page;
mod store;
mod tasks;
mod teams;
mod telling;
#[cfg(test)]
mod testing;
mod upkeep;

pub use self::{
    driver::mysql::Server,
    error::{MigrateError, OpenError},
    health::Health,
    migration::MigrationReport,
    store::{Database, Options, Store},
};
