//! The conformance suite on every broker.

mod cluster_of;
mod file;
mod server;

use fairy_queue::testing::{SCENARIOS, Scale, Store, exercise, run};
use std::sync::Arc;

use cluster_of::Cluster;
use file::TempFile;
use server::{Engine, Fresh, Server};

/// What a suite runs on.
#[derive(Debug, Clone, Copy)]
enum On {
    File,
    Server(Engine),
    Cluster,
}

/// Gives each scenario a store of its own; it takes seconds until a cluster is one, so there they share it.
enum Stores {
    Files,
    Servers(Engine),
    Names(Arc<Cluster>),
}

impl On {
    async fn stores(self) -> Stores {
        match self {
            Self::File => Stores::Files,
            Self::Server(engine) => Stores::Servers(engine),
            Self::Cluster => Stores::Names(Cluster::start(Engine::Redis, 3, false).await),
        }
    }
}

impl Stores {
    async fn fresh(&self) -> Box<dyn Store> {
        match self {
            Self::Files => Box::new(TempFile::new()),
            Self::Servers(engine) => Box::new(Fresh(Server::start(*engine).await)),
            Self::Names(cluster) => Box::new(cluster_of::Fresh::new(cluster)),
        }
    }
}

async fn part(on: On, module: &str) {
    let stores = on.stores().await;
    let prefix = format!("{module}::");
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        run(name, *scenario, stores.fresh().await, Scale::QUICK).await;
    }
}

macro_rules! suite {
    ($store:ident on $on:expr; $($module:ident),+) => {
        mod $store {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $module() {
                    part($on, stringify!($module)).await;
                }
            )+

            #[test]
            fn every_scenario_is_run() {
                let parts = [$(concat!(stringify!($module), "::")),+];
                for (name, _) in SCENARIOS {
                    assert!(parts.iter().any(|part| name.starts_with(part)), "{name} is in no part");
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            #[ignore = "ten thousand groups, one of them with a million jobs: meant for a release build"]
            async fn at_full_scale() {
                let stores = $on.stores().await;
                exercise(async || stores.fresh().await, Scale::FULL).await;
            }
        }
    };
}

suite!(sqlite on On::File;
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, account, stop);
suite!(redis_7 on On::Server(Engine::Redis);
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, account, stop);
suite!(valkey on On::Server(Engine::Valkey);
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, account, stop);
suite!(redis_cluster on On::Cluster;
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, account, stop);
