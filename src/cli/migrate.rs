//! `fairy migrate`: the schema of this version and the table of the activity log, without starting anything.

use std::process::ExitCode;

use super::run::print;
use crate::{
    Failure,
    config::Config,
    process::data_dir,
    stack::{Cloud, Parts, Patience, open_store},
};

pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    if config.database.is_file() {
        data_dir::create(&config.data_dir).map_err(|error| {
            let path = config.data_dir.display();
            Failure::new(format_args!(
                "the data directory {path} cannot be made: {error}; set FAIRY__DATA_DIR to another"
            ))
        })?;
    }
    let parts = Parts::default();
    let cloud = Cloud::of(&config, &parts).await?;
    let store = open_store(&config, &parts, &Patience::of(config.start_within)).await?;
    let place = &config.database;
    let report = store
        .migrate()
        .await
        .map_err(|error| Failure::new(format_args!("{place} cannot be migrated: {error}")))?;
    store.close().await;
    print(&match report.applied.len() {
        0 => format!("{place} has the schema of this version already"),
        count => format!("{place} has the schema of this version now: {count} migrations applied"),
    })?;
    match &cloud.table {
        Some(table) => print(&table.create_table().await.map_err(Failure::new)?.to_string()),
        None => Ok(ExitCode::SUCCESS),
    }
}
