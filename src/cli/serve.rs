//! `fairy up`, `fairy api`, `fairy worker`: a process that runs until a signal.

use std::process::ExitCode;

use super::{run::print, welcome::welcome};
use crate::{
    Failure,
    config::Config,
    process::{files, signals::StopSignals},
    stack::{Parts, Role, Stack},
};

pub async fn run(config: Config, role: Role, parts: Parts) -> Result<ExitCode, Failure> {
    let signals = StopSignals::listen();
    let mut signals =
        signals.map_err(|error| Failure::new(format_args!("signals cannot be handled: {error}")))?;
    files::make_room(config.http.max_connections);
    let mut stack = tokio::select! {
        stack = Stack::start(&config, parts, &role) => stack?,
        signal = signals.next() => {
            tracing::info!(signal, "stopped before the start was done");
            return Ok(ExitCode::SUCCESS);
        }
    };
    print(&welcome(&config, &role, &stack))?;
    let broken = tokio::select! {
        signal = signals.next() => {
            tracing::info!(signal, within = config.stop_within.as_secs(), "stopping; once more stops at once");
            None
        }
        failure = stack.broken() => {
            tracing::error!(%failure, "a part has broken; stopping");
            Some(failure)
        }
    };
    tokio::select! {
        stopped = stack.stop() => stopped?,
        signal = signals.next() => return Err(Failure::new(format_args!(
            "{signal} came again, so it stopped at once; nothing accepted is lost, the next start goes on with it"
        ))),
    }
    match broken {
        Some(failure) => Err(failure),
        None => {
            tracing::info!("stopped");
            Ok(ExitCode::SUCCESS)
        }
    }
}
