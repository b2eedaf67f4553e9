//! What is kept: database and lanes, in files or on servers.

use fairy_jobs::ports::PortResult;
use fairy_queue::redis::Inspection;
use fairy_store::{Health, MigrateError};
use jiff::Timestamp;

use super::{
    disk::to_be_made,
    report::{
        Finding::{self, Note, Well, Wrong},
        Report,
    },
};
use crate::{
    config::{Config, DatabaseServer, Place, ServerUrl},
    lanes,
    stack::{Lost, Parts, Patience, look_at, open_queue, open_store, refuse_without_database},
};

/// The time by each server that told it.
pub type Times = Vec<(&'static str, Timestamp)>;

/// Whether the database is as it must be; answers with what is gone beside it.
pub async fn database(config: &Config, parts: &Parts, report: &mut Report, times: &mut Times) -> Lost {
    let place = &config.database;
    if let Some(file) = place.file().filter(|file| !file.exists()) {
        let gone = refuse_without_database(config).err();
        report.add("database", gone.map_or_else(|| to_be_made(file), |failure| Wrong(failure.to_string())));
        return Lost::default();
    }
    let store = match open_store(config, parts, &Patience::none()).await {
        Ok(store) => store,
        Err(failure) => {
            report.add("database", Wrong(failure.to_string()));
            return Lost::default();
        }
    };
    let checked = store.check().await;
    let (missing, harmless) = match place.is_file() {
        true => (store.pending_migrations().await, true),
        false => (store.missing_migrations().await, false),
    };
    if let Ok(Some(time)) = store.server_time().await {
        times.push(("the database", time));
    }
    // What cannot be read is told of as the database's own fault.
    let lost = Lost::beside(&store, config).await.unwrap_or_default();
    store.close().await;
    report.add("database", health(&place.to_string(), checked, missing, harmless));
    if let Place::Server(DatabaseServer { reader_url: Some(url), .. }) = place {
        report.add("database for lists", reader(config, parts, url.clone()).await);
    }
    lost
}

/// Whoever runs on a file migrates it; on a server nobody but `fairy migrate` and `fairy up` does.
fn health(
    place: &str,
    checked: PortResult<Health>,
    missing: Result<Vec<&str>, MigrateError>,
    harmless: bool,
) -> Finding {
    match (checked, missing) {
        (Err(error), _) => Wrong(format!("{place}: {error}")),
        (_, Err(error)) => Wrong(format!("{place}: {error}")),
        (Ok(report), Ok(missing)) if missing.is_empty() => Well(format!("{place}: {report}")),
        (Ok(_), Ok(missing)) if harmless => Note(format!(
            "{place}: sound; {} migrations wait for `fairy migrate` or the next `fairy up`",
            missing.len()
        )),
        (Ok(_), Ok(missing)) => Wrong(format!(
            "{place}: {} migrations are missing, run `fairy migrate`: `fairy api` and `fairy worker` do not start before",
            missing.len()
        )),
    }
}

/// Whether the endpoint for lists answers; without it everything but lists works.
async fn reader(config: &Config, parts: &Parts, url: ServerUrl) -> Finding {
    let place = url.to_string();
    let alone = DatabaseServer { url, reader_url: None, connections: 1 };
    let config = Config { database: Place::Server(alone), ..config.clone() };
    let store = match open_store(&config, parts, &Patience::none()).await {
        Ok(store) => store,
        Err(failure) => return Wrong(failure.to_string()),
    };
    let missing = store.missing_migrations().await;
    store.close().await;
    match missing {
        Ok(missing) if missing.is_empty() => Well(format!("{place} answers")),
        Ok(missing) => {
            Wrong(format!("{place} is not the same database: {} migrations are missing", missing.len()))
        }
        Err(error) => Wrong(format!("{place}: {error}")),
    }
}

/// Whether the lanes can be used, and whether their server keeps what it accepts.
pub async fn queue(config: &Config, parts: &Parts, lost: &Lost, report: &mut Report, times: &mut Times) {
    let place = match &config.queue {
        Place::File(path) if lost.lanes().is_some() || !path.exists() => {
            return report.add("queue", lost.lanes().map_or_else(|| to_be_made(path), Wrong));
        }
        Place::File(path) => path.display().to_string(),
        Place::Server(server) => match look_at(server, &parts.name, &Patience::none()).await {
            Ok(Inspection { server, warnings, times: told }) => {
                let told = told.into_iter().filter_map(|time| Timestamp::from_millisecond(time).ok());
                times.extend(told.map(|time| ("the queue", time)));
                for warning in warnings {
                    report.add("queue durability", Note(warning));
                }
                format!("{}: {server}", config.queue)
            }
            Err(failure) => return report.add("queue", Wrong(failure.to_string())),
        },
    };
    report.add("queue", jobs(config, parts, &place).await);
}

async fn jobs(config: &Config, parts: &Parts, place: &str) -> Finding {
    let queue = match open_queue(config, parts).await {
        Ok(queue) => queue,
        Err(failure) => return Wrong(format!("{place}: {failure}")),
    };
    let (mut waiting, mut dead, mut see) = (0, 0, Vec::new());
    for lane in lanes::ALL {
        match queue.stats(lane).await {
            Ok(stats) => {
                waiting += stats.waiting;
                dead += stats.dead;
                if stats.dead > 0 {
                    see.push(format!("`fairy lanes dead {}`", lane.name));
                }
            }
            Err(error) => return Wrong(format!("{place}: {error}")),
        }
    }
    queue.close().await;
    match dead {
        0 => Well(format!("{place}, {waiting} jobs wait")),
        _ => Note(format!("{place}, {waiting} jobs wait, {dead} are dead letters: see {}", see.join(", "))),
    }
}
