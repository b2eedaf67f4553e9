//! The same route with the push replaced by nothing: what HTTP, JSON and the checks of a request cost by themselves.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fairy::{
    channels::Channels,
    desk::Desk,
    hints::{Hints, Lanes},
    lanes,
    process::{clock::SystemClock, ids::OsIds},
};
use fairy_jobs::{lane::Sink, link::LinkKey};
use fairy_queue::{
    Ask, AuditEntry, Broker, Claimed, DeadPage, Found, JobId, LaneSpec, LaneStats, NewJob, Owed, OwedPage,
    Page, PushError, Pushed, Queue, QueueError, Settled, Token, Which,
};
use fairy_store::{Database, Options, Store};
use poem::{Server, listener::TcpListener};
use tokio::sync::watch;

use crate::{
    load::{Flood, Team, flood_team},
    served::free_address,
};

/// A store that accepts everything and keeps nothing.
struct Nowhere;

#[async_trait]
impl Broker for Nowhere {
    async fn push(&self, _: &LaneSpec, jobs: Vec<NewJob>) -> Result<Vec<Pushed>, PushError> {
        let pushed = |_| Pushed { id: JobId::from("0".to_owned()), existing: None };
        Ok(jobs.into_iter().map(pushed).collect())
    }

    async fn find(&self, _: &LaneSpec, _: &str) -> Result<Option<Found>, QueueError> {
        Ok(None)
    }

    async fn claim(&self, _: &LaneSpec, _: Ask) -> Result<Claimed, QueueError> {
        Ok(Claimed::default())
    }

    async fn renew(&self, _: &LaneSpec, _: Vec<Token>) -> Result<Vec<Token>, QueueError> {
        Ok(Vec::new())
    }

    async fn settle(&self, _: &LaneSpec, _: Vec<Settled>) -> Result<Vec<Token>, QueueError> {
        Ok(Vec::new())
    }

    async fn oldest_held(&self, _: &LaneSpec) -> Result<Option<Duration>, QueueError> {
        Ok(None)
    }

    async fn stats(&self, _: &LaneSpec) -> Result<LaneStats, QueueError> {
        Ok(LaneStats::default())
    }

    async fn dead(&self, _: &LaneSpec, _: Page) -> Result<DeadPage, QueueError> {
        Ok(DeadPage::default())
    }

    async fn retry_dead(&self, _: &LaneSpec, _: Which, _: &str) -> Result<Vec<JobId>, QueueError> {
        Ok(Vec::new())
    }

    async fn owed(&self, _: &LaneSpec, _: Option<JobId>, _: u32) -> Result<OwedPage, QueueError> {
        Ok(OwedPage::default())
    }

    async fn acquit(&self, _: &LaneSpec, _: Vec<Owed>) -> Result<(), QueueError> {
        Ok(())
    }

    async fn discard_dead(&self, _: &LaneSpec, _: Which, _: &str) -> Result<Vec<JobId>, QueueError> {
        Ok(Vec::new())
    }

    async fn pause(&self, _: &LaneSpec, _: Option<&str>, _: bool, _: &str) -> Result<(), QueueError> {
        Ok(())
    }

    async fn audit(&self, _: u32) -> Result<Vec<AuditEntry>, QueueError> {
        Ok(Vec::new())
    }

    fn wake(&self, _: &LaneSpec) -> watch::Receiver<u64> {
        watch::channel(0).1
    }

    async fn shift_clock(&self, _: Duration) -> Result<(), QueueError> {
        Ok(())
    }

    async fn close(&self) {}
}

/// The flood with rows in a file.
pub async fn on_file(operations: usize) -> Flood {
    let directory =
        tempfile::Builder::new().prefix("no-op-").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    flood(Database::File(directory.path().join("fairy.db")), operations).await
}

/// The flood over 64 workspaces against an API in this process whose pushes go nowhere, on a database with nothing in it.
pub async fn flood(database: Database, operations: usize) -> Flood {
    let options = Options {
        database,
        clock: Arc::new(SystemClock),
        ids: Arc::new(OsIds::default()),
        sinks: vec![Sink::Record, Sink::Notify],
    };
    let store = Store::open(options).await.expect("a new database");
    store.migrate().await.expect("a new database");
    let address = free_address();
    let mut settings = fairy_api::Settings::new(format!("http://{address}").parse().unwrap());
    for rate in [&mut settings.rates.address, &mut settings.rates.caller, &mut settings.rates.workspace] {
        rate.burst = u32::MAX;
    }
    let app = fairy_api::app(services(store), settings);
    let server = tokio::spawn(Server::new(TcpListener::bind(address.clone())).run(app));
    let mut pace = tokio::time::interval(Duration::from_millis(5));
    while tokio::net::TcpStream::connect(&address).await.is_err() {
        pace.tick().await;
    }
    let team = Team::with(&address, 64, "No-op").await;
    let flood = flood_team(&team, operations, false).await;
    server.abort();
    flood
}

fn services(store: Store) -> fairy_api::Services {
    let store = Arc::new(store);
    let channels = Channels::default();
    let hints = Hints::new(channels.clone(), Lanes { sinks: Vec::new(), deliver: &lanes::DELIVER });
    let queue = Queue::new(Arc::new(Nowhere));
    fairy_api::Services {
        accounts: store.clone(),
        teams: store.clone(),
        ledger: store.clone(),
        tasks: store.clone(),
        feed: store.clone(),
        activity: store.clone(),
        notices: store.clone(),
        upkeep: store.clone(),
        queue: queue.clone(),
        operations: &lanes::OPERATIONS,
        desk: Arc::new(Desk { queue: queue.clone(), ledger: store, clock: Arc::new(SystemClock) }),
        outcomes: channels.outcomes(),
        signal: channels.signal(),
        relay: Arc::new(hints),
        limiter: None,
        meter: Arc::new(()),
        clock: Arc::new(SystemClock),
        ids: Arc::new(OsIds::default()),
        link_key: LinkKey::new([7; 32]),
    }
}
