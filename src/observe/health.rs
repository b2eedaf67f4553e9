//! Whether the process lives, and whether it should be given work.

use std::time::Duration;

use serde::Serialize;

use super::Vitals;

/// How long a part may take to answer before it counts as not answering.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the process should be given work, and if not, which part is why.
#[derive(Debug, Serialize)]
pub struct Readiness {
    /// Whether all parts are well.
    pub ready: bool,
    /// `ok`, or what is wrong with it.
    pub database: String,
    /// `ok`, or what is wrong with it.
    pub queue: String,
    /// Whether the process is about to end.
    pub stopping: bool,
}

/// Asks the parts.
pub async fn readiness(vitals: &Vitals) -> Readiness {
    let database = tokio::time::timeout(PATIENCE, vitals.upkeep.ping());
    let lane = vitals.lanes[0];
    let queue = tokio::time::timeout(PATIENCE, vitals.queue.stats(lane));
    let (database, queue) = tokio::join!(database, queue);
    let stopping = vitals.stopping.is_cancelled();
    let database = said(database.map(|answer| answer.map_err(|error| error.to_string())));
    let queue = said(queue.map(|answer| answer.map(drop).map_err(|error| error.to_string())));
    Readiness { ready: !stopping && database == "ok" && queue == "ok", database, queue, stopping }
}

fn said(answer: Result<Result<(), String>, tokio::time::error::Elapsed>) -> String {
    match answer {
        Ok(Ok(())) => "ok".to_owned(),
        Ok(Err(error)) => error,
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    }
}
