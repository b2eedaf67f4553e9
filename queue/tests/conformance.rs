//! The conformance suite on every broker.

mod file;
mod server;

use fairy_queue::testing::{SCENARIOS, Scale, Store, exercise, run};
use file::TempFile;
use server::{Engine, Fresh, Server};

/// What a suite runs on.
#[derive(Debug, Clone, Copy)]
enum On {
    File,
    Server(Engine),
}

impl On {
    async fn fresh(self) -> Box<dyn Store> {
        match self {
            Self::File => Box::new(TempFile::new()),
            Self::Server(engine) => Box::new(Fresh(Server::start(engine).await)),
        }
    }
}

async fn part(on: On, module: &str) {
    let prefix = format!("{module}::");
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        run(name, *scenario, on.fresh().await, Scale::QUICK).await;
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
                exercise(async || $on.fresh().await, Scale::FULL).await;
            }
        }
    };
}

suite!(sqlite on On::File;
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, stop);
suite!(redis_7 on On::Server(Engine::Redis);
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, stop);
suite!(valkey on On::Server(Engine::Valkey);
    books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, stop);
