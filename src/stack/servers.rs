//! What is kept on servers: how they are reached, and whether that of the lanes can be trusted with what is accepted.

use std::{path::PathBuf, time::Duration};

use fairy_queue::{
    Queue,
    redis::{Inspection, Options, Unfit, inspect, open},
};
use fairy_store::Server;

use super::patience::Patience;
use crate::{
    Failure,
    cluster::{Between, Hears},
    config::{DatabaseServer, QueueServer},
};

/// How long an answer of the lanes' server may take before its connection counts as broken.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database server as the store takes it.
pub fn database(server: &DatabaseServer) -> Server {
    Server {
        reader_url: server.reader_url.as_ref().map(|url| url.secret().to_owned()),
        connections: server.connections,
        ..Server::at(server.url.secret())
    }
}

/// Opens the lanes on a server, under a name that no other process has.
///
/// # Errors
/// When its address or certificate cannot be used; whether it is there shows later.
pub fn open_queue(server: &QueueServer, instance: &str) -> Result<Queue, Failure> {
    open(&options(server, instance)?).map_err(Failure::new)
}

/// Opens what goes on between processes, over the server of the lanes; whether it is there shows later.
///
/// # Errors
/// When its address or certificate cannot be used.
pub fn open_between(server: &QueueServer, instance: &str, hears: Hears) -> Result<Between, Failure> {
    Between::open(&options(server, instance)?, hears).map_err(Failure::new)
}

/// Looks whether the lanes' server keeps what it accepts.
///
/// # Errors
/// When it cannot be asked, or must not be used.
pub async fn look_at(
    server: &QueueServer,
    instance: &str,
    patience: &Patience,
) -> Result<Inspection, Failure> {
    let options = options(server, instance)?;
    let inspection = patience.wait("the queue's server", Unfit::may_pass, async || inspect(&options).await);
    inspection.await.map_err(|late| Failure::new(format_args!("{}: {late}", server.url)))
}

fn options(server: &QueueServer, instance: &str) -> Result<Options, Failure> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|error| {
            Failure::new(format_args!("queue.ca {} cannot be read: {error}", path.display()))
        })
    };
    Ok(Options {
        url: server.url.secret().to_owned(),
        authority: server.ca.as_ref().map(read).transpose()?,
        prefix: server.prefix.clone(),
        instance: instance.to_owned(),
        replicas: server.replicas,
        patience: PATIENCE,
    })
}
