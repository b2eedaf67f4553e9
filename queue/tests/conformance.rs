//! The conformance suite on the SQLite broker.

mod file;

use fairy_queue::testing::{SCENARIOS, Scale, exercise, run};
use file::TempFile;

async fn part(module: &str) {
    let prefix = format!("{module}::");
    for (name, scenario) in SCENARIOS.iter().filter(|(name, _)| name.starts_with(&prefix)) {
        run(name, *scenario, Box::new(TempFile::new()), Scale::QUICK).await;
    }
}

macro_rules! parts {
    ($($module:ident),+) => {
        const PARTS: &[&str] = &[$(stringify!($module)),+];

        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $module() {
                part(stringify!($module)).await;
            }
        )+
    };
}

parts!(books, plain, grouped, turns, keys, time, crash, suspects, dead, faults, operators, stop);

#[test]
fn every_scenario_is_run() {
    for (name, _) in SCENARIOS {
        assert!(PARTS.iter().any(|part| name.starts_with(&format!("{part}::"))), "{name} is in no part");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "ten thousand groups, one of them with a million jobs: meant for a release build"]
async fn at_full_scale() {
    exercise(|| Box::new(TempFile::new()), Scale::FULL).await;
}
