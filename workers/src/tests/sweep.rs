//! The sweeper hints again what waited too long, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use fairy_jobs::{clock::Clock as _, lane::Sink, ports::PortError};
use jiff::SignedDuration;

use super::{
    deliver::{Bench, FakeBacklog, FakeUpkeep, row},
    fakes::FakeFeed,
    world::{MINA, WORKSPACE, World},
};
use crate::{Services, sweep_once, sweeper};

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

#[tokio::test(start_paused = true)]
async fn the_sweeper_tidies_up_and_outlives_errors() {
    let bench = Bench::new();
    bench.add(row(1));
    bench.clock.advance(SignedDuration::from_secs(60));
    let feed = Arc::new(FakeFeed::default());
    let upkeep = Arc::new(FakeUpkeep::default());
    *upkeep.old.lock().unwrap() = 1_200;
    // Three sinks are not asked in a sweep that fails at once, so these are the first two sweeps.
    feed.errors.lock().unwrap().extend(vec![PortError::Broken("a defect".to_owned()); 4]);
    let services = Services { upkeep: upkeep.clone(), ..bench.services(&feed) };

    // The first sweep is after 1 s, and after two that failed the waits are 2 s and 4 s: four are done by then.
    let begun = tokio::time::Instant::now();
    sweeper(Arc::new(services), tokio::time::sleep(Duration::from_millis(8_500))).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(8_500), "it ends when it is told to");
    assert!(feed.errors.lock().unwrap().is_empty());
    assert_eq!(bench.said.due.lock().unwrap().len(), 4, "what is due is looked for even so");
    assert_eq!((*upkeep.old.lock().unwrap(), *upkeep.calls.lock().unwrap()), (0, 4), "once, for this hour");

    bench.clock.advance(SignedDuration::from_hours(1));
    *upkeep.old.lock().unwrap() = 1_000_000;
    let services = Services { upkeep: upkeep.clone(), ..bench.services(&feed) };
    sweeper(Arc::new(services), tokio::time::sleep(Duration::from_millis(1_500))).await;
    assert_eq!(*upkeep.calls.lock().unwrap(), 24, "one round does not go on for ever");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_purged_that_the_lane_may_hand_out_again() {
    let bench = Bench::new();
    let feed = Arc::new(FakeFeed::default());
    let (upkeep, backlog) = (Arc::new(FakeUpkeep::default()), Arc::new(FakeBacklog::default()));
    let day = Duration::from_secs(24 * 60 * 60);
    let away = Err(PortError::Unavailable("away".to_owned()));
    backlog.0.lock().unwrap().extend([away, Ok(Some(day * 40))]);
    let sweep = async |millis| {
        let services = Services { upkeep: upkeep.clone(), backlog: backlog.clone(), ..bench.services(&feed) };
        sweeper(Arc::new(services), tokio::time::sleep(Duration::from_millis(millis))).await;
    };
    sweep(1_500).await;
    assert_eq!(*upkeep.calls.lock().unwrap(), 0, "who cannot know what the lane holds deletes nothing");
    sweep(1_500).await;
    let bound = bench.clock.now() - SignedDuration::from_hours(41 * 24);
    assert_eq!(*upkeep.settled_before.lock().unwrap(), Some(bound), "a day's doubt on top");
}
