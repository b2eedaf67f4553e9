//! Starting the stack, from the bottom up.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use apalis::prelude::{Event, Monitor, WorkerContext};
use fairy_queue::Queue;
use poem::{Server, endpoint::BoxEndpoint};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    Opened, Parts,
    stop::http_share,
    tasks::{Running, first_end},
    wire::{LANES, Wired, api_settings},
};
use crate::{
    Failure,
    config::{Config, Http},
    embedded::Hints,
    observe,
    process::{connection::UNANSWERED, listen::Gate},
};

/// Most connections of the admin listener.
const ADMIN_CONNECTIONS: usize = 64;
/// A connection on which nothing happens is asked to end after this long: longer than the longest wait and the heartbeat.
const IDLE: Duration = UNANSWERED.saturating_add(Duration::from_secs(10));
/// Requests at once on one connection of HTTP/2; without a number there is no limit.
const STREAMS: u32 = 100;

/// Fairy, running.
pub struct Stack {
    /// Where the API listens.
    pub address: SocketAddr,
    /// Where metrics and health listen.
    pub admin_address: SocketAddr,
    /// What people type.
    pub public_url: Url,
    pub(super) opened: Opened,
    pub(super) services: Arc<fairy_workers::Services>,
    pub(super) hints: Hints,
    pub(super) stop_within: Duration,
    pub(super) stopping: CancellationToken,
    pub(super) drain: CancellationToken,
    pub(super) http: Running,
    pub(super) workers: Running,
    pub(super) sweeper: Running,
    pub(super) relay: Running,
    pub(super) admin: Running,
}

impl Stack {
    /// Opens what is kept, binds the listeners, starts the parts; ready when it returns.
    ///
    /// # Errors
    /// When something cannot be opened or bound; nothing runs then.
    pub async fn start(config: &Config, parts: Parts) -> Result<Self, Failure> {
        let opened = Opened::open(config, &parts).await?;
        let gate = bind(config.http.address, config.http.max_connections, "FAIRY__HTTP__ADDRESS").await?;
        let gate = shared(gate, &config.http);
        let admin_gate =
            bind(config.http.admin_address, ADMIN_CONNECTIONS, "FAIRY__HTTP__ADMIN_ADDRESS").await?;
        let (address, admin_address) = (gate.address(), admin_gate.address());
        let public_url = match &config.http.public_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{address}")).map_err(Failure::new)?,
        };
        let stopping = CancellationToken::new();
        let drain = CancellationToken::new();
        let wired = Wired::new(config, &parts, &opened, &public_url)?;
        let settings = api_settings(config, public_url.clone(), drain.clone());
        let app = fairy_api::app(wired.api(&opened, &parts), settings);
        let observed = observe::app(wired.vitals(&opened, stopping.clone()));
        let Wired { hints, workers: services, .. } = wired;
        free_begun(&services).await?;
        let queue = opened.queue.clone();
        let grace = http_share(config.stop_within);
        Ok(Self {
            address,
            admin_address,
            public_url,
            relay: relay(hints.clone(), queue.clone()),
            workers: workers(queue, services.clone()),
            sweeper: sweeper(services.clone()),
            http: serve("the HTTP server", gate, app, grace),
            admin: serve("the admin server", admin_gate, observed, Duration::from_secs(1)),
            opened,
            services,
            hints,
            stop_within: config.stop_within,
            stopping,
            drain,
        })
    }

    /// Ends when a part ends that should not, and says which: a reason to end the process loudly.
    pub async fn broken(&mut self) -> Failure {
        let tasks =
            vec![&mut self.http, &mut self.workers, &mut self.sweeper, &mut self.relay, &mut self.admin];
        Failure::new(first_end(tasks).await)
    }
}

/// Nobody else sends, so what was begun is in nobody's hands, as it is with the leases of the queue.
async fn free_begun(services: &fairy_workers::Services) -> Result<(), Failure> {
    match services.deliveries.free_begun(services.clock.now()).await {
        Ok(0) => Ok(()),
        Ok(count) => {
            tracing::info!(count, "deliveries were being sent when the process ended; they are tried again");
            Ok(())
        }
        Err(error) => Err(Failure::new(format_args!("deliveries that were begun cannot be freed: {error}"))),
    }
}

async fn bind(address: SocketAddr, connections: usize, variable: &str) -> Result<Gate, Failure> {
    Gate::bind(address, connections).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => Failure::new(format_args!(
            "{address} is in use: stop what listens there, or set {variable} to another address"
        )),
        _ => Failure::new(format_args!(
            "{address} cannot be listened on: {error}; set {variable} to another address"
        )),
    })
}

/// No address gets more than a quarter of the places, unless proxies stand in front: then all come from theirs.
fn shared(gate: Gate, http: &Http) -> Gate {
    match http.proxies {
        0 => gate.sharing(http.max_connections.div_ceil(4)),
        _ => gate,
    }
}

fn serve(name: &'static str, gate: Gate, app: BoxEndpoint<'static>, grace: Duration) -> Running {
    Running::spawn(name, |stop| async move {
        Server::new_with_acceptor(gate)
            .name(name)
            .idle_timeout(IDLE)
            .http2_max_concurrent_streams(STREAMS)
            .run_with_graceful_shutdown(app, stop.cancelled_owned(), Some(grace))
            .await
            .map_err(|error| error.to_string())
    })
}

fn relay(hints: Hints, queue: Queue) -> Running {
    Running::spawn("the relay", |stop| async move {
        hints.run(queue, stop).await;
        Ok(())
    })
}

fn sweeper(services: Arc<fairy_workers::Services>) -> Running {
    Running::spawn("the sweeper", |stop| async move {
        fairy_workers::sweeper(services, stop.cancelled_owned()).await;
        Ok(())
    })
}

/// All lanes under one monitor. It would go on while one worker of several has ended, so the first that ends before the
/// stop ends them all.
fn workers(queue: Queue, services: Arc<fairy_workers::Services>) -> Running {
    Running::spawn("the workers", |stop| async move {
        let (ended, mut first) = mpsc::channel(1);
        let watch = move |worker: &WorkerContext, event: &Event| match event {
            Event::Error(error) => tracing::error!(worker = worker.name(), %error, "a worker has an error"),
            // Full means that another has ended before, which is enough.
            Event::Exit => drop(ended.try_send(worker.name().to_owned())),
            _ => {}
        };
        let monitor = fairy_workers::register(Monitor::new().on_event(watch), &queue, &LANES, services);
        let asked = stop.clone();
        let run = monitor.run_with_signal(async move {
            asked.cancelled().await;
            Ok(())
        });
        tokio::pin!(run);
        let early = tokio::select! {
            result = &mut run => return result.map_err(|error| error.to_string()),
            Some(worker) = first.recv() => worker,
        };
        if stop.is_cancelled() {
            return run.await.map_err(|error| error.to_string());
        }
        Err(format!("worker {early} has ended"))
    })
}
