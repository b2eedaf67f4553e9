//! `fairy migrate`: the schema of this version, without starting anything.

use std::process::ExitCode;

use super::run::print;
use crate::{
    Failure,
    config::Config,
    process::data_dir,
    stack::{Parts, open_store},
};

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    data_dir::create(&config.data_dir).map_err(|error| {
        let path = config.data_dir.display();
        Failure::new(format_args!(
            "the data directory {path} cannot be made: {error}; set FAIRY__DATA_DIR to another"
        ))
    })?;
    let store = open_store(&config, &Parts::default()).await?;
    let report = store.migrate().await.map_err(|error| {
        Failure::new(format_args!("{} cannot be migrated: {error}", config.database.display()))
    })?;
    store.close().await;
    let path = config.database.display();
    print(&match report.applied.len() {
        0 => format!("{path} has the schema of this version already"),
        count => format!("{path} has the schema of this version now: {count} migrations applied"),
    })
}
