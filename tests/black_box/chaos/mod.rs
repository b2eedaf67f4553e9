//! Chaos, and nothing is lost, doubled, out of order or unaccounted for.
//!
//! Two API and three worker processes on Redis, MariaDB, DynamoDB, EventBridge and a mail server, clients as in the
//! conservation test, and a schedule of faults drawn from a seed: processes are killed and suspended longer than their leases,
//! servers die and come back, lines are cut, slow, half open and deaf, commits are done while their workers do not learn it,
//! services refuse, clocks step, versions are apart. After each round the system must be itself again before clients give up.
//! At the end it is judged from outside, as there; besides, the events on the bus are the feed, and what came twice is
//! explained by a fault. `FAIRY_TEST_SEED` plays a schedule again, though never the same interleaving.
//!
//! A short schedule has each kind of fault once; `make chaos` plays a long one.

mod cluster;
mod fault;
mod import;
mod lanes;
mod next;
mod play;
mod repeats;
mod schedule;
mod upgrade;

use std::time::Duration;

use crate::{
    conservation::{judge, load::Shared, storm::under_load, told},
    harness::{cluster_only, seed, without},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_whatever_breaks_once() {
    chaos(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes ten minutes: `make chaos`"]
async fn nothing_is_lost_or_doubled_whatever_breaks_again_and_again() {
    chaos(5).await;
}

/// Plays so many decks of faults and judges.
async fn chaos(decks: usize) {
    if cluster_only() || without("smtp") || without("faketime") {
        return;
    }
    let seed = seed();
    let Some(mut cluster) = cluster::Cluster::new("700000000050").await else { return };
    let rounds = schedule::draw(seed, decks);
    let mut world = cluster.world().await;
    let shared = Shared { rest: Duration::from_millis(150), may_be_away: true, ..Shared::default() };
    let (mut sent, past) = under_load(&mut world, seed, shared, async |server, shared| {
        cluster.play(&rounds, server, shared).await
    })
    .await;
    eprintln!("{} faults; {} starts in vain; {}", past.len(), cluster.restarts, sent.summary());
    eprintln!("commits without answer, and not heard, each time: {:?}", cluster.lost_commits);
    assert_eq!(cluster.lost_commits.len(), decks, "each deck loses commits");
    let reports = judge::judge(&world, &mut sent, judge::Claim::Everything).await;
    let told = told::judge(&world, &reports, || cluster.sink.letters()).await;
    let mails = repeats::mails(&told.repeated, &past);
    let events = repeats::events(&cluster, &world, &reports).await;
    lanes::are_empty(&mut world.server).await;
    let changes: usize = reports.iter().map(|report| report.feed.len()).sum();
    eprintln!(
        "{changes} changes, each in feed, rows, activity log and on the bus, {events} events again; {} mails, sent again {mails:?}",
        told.mails
    );
    let end = world.server.stop().await;
    assert_eq!(end, Some(0), "it was to stop in order:\n{}", world.server.log());
}
