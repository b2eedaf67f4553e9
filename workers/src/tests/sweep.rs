//! The sweeper hints again what waited too long, and nothing else.

use std::sync::Arc;

use fairy_jobs::{lane::Sink, ports::PortError};
use jiff::SignedDuration;

use super::{
    deliver::{Bench, row},
    fakes::FakeFeed,
    world::{MINA, WORKSPACE, World},
};
use crate::sweep_once;

#[tokio::test]
async fn what_waited_too_long_is_hinted_again() {
    let bench = Bench::new();
    bench.add(row(1));
    let feed = Arc::new(FakeFeed { changes: World::new().creates(MINA).into(), ..FakeFeed::default() });
    let services = bench.services(&feed);

    bench.clock.advance(SignedDuration::from_secs(5));
    sweep_once(&services).await;
    assert!(bench.said.behind.lock().unwrap().is_empty(), "a hint may take five seconds");
    assert!(bench.said.due.lock().unwrap().is_empty());

    bench.clock.advance(SignedDuration::from_millis(1));
    feed.errors.lock().unwrap().push_back(PortError::Unavailable("down".to_owned()));
    sweep_once(&services).await;
    // The log's mark could not be read; the rest is hinted all the same. There is no bus, so nothing to publish.
    assert_eq!(*bench.said.behind.lock().unwrap(), [(Sink::Notify, vec![WORKSPACE])]);
    assert_eq!(bench.said.due.lock().unwrap().len(), 1);

    sweep_once(&services).await;
    assert_eq!(
        bench.said.behind.lock().unwrap()[1..],
        [(Sink::Record, vec![WORKSPACE]), (Sink::Notify, vec![WORKSPACE])]
    );
}
