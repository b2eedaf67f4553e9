//! Lanes over Redis with all that they promise, beside bare commands by the same client and beside peers, in rounds.
//!
//! Everything is on one machine. Jobs carry about 250 bytes and do nothing. `always` and `everysec` are Redis' own
//! settings of when a write is on disk; the first is what Fairy asks for.

use fairy_queue::{LaneSpec, Order};

use super::{
    bare,
    peers::{self, Peer},
    redis_server::RedisServer,
    rounds::Rounds,
};
use crate::{
    Size,
    measure::{idle, lane, push_bulk, push_one_by_one, work},
    report::{Aim, Report},
};

static SINGLE: LaneSpec = lane("single", Order::Plain, 1);
static BATCHED: LaneSpec = lane("batched", Order::Plain, 64);
static GROUPED: LaneSpec = lane("grouped by 64", Order::Grouped, 64);
/// By name into ten thousand groups, see `measure`.
pub static MANY: LaneSpec = lane("grouped by 10,000", Order::Grouped, 64);

/// Rows of jobs a second: the name in the table, and that of the figure.
const RATES: [(&str, &str); 17] = [
    ("floor: bare `XADD` from 64 tasks", "bare push"),
    ("plain: push from 64 tasks", "plain push"),
    ("10,000 groups: push from 64 tasks", "many push"),
    ("BullMQ: push from 64 tasks", "BullMQ push"),
    ("plain: push of 1,000", "plain bulk"),
    ("10,000 groups: push of 1,000", "many bulk"),
    ("Sidekiq: push of 1,000", "Sidekiq bulk"),
    ("BullMQ: push of 1,000", "BullMQ bulk"),
    ("floor: bare `XREADGROUP` of 64 and `XACK`", "bare work"),
    ("plain: work, job by job at concurrency 64", "plain work"),
    ("plain: work, 64 jobs a hand-out, 8 at once", "batched work"),
    ("64 groups: work, up to 64 jobs a hand-out, 8 at once", "grouped work"),
    ("10,000 groups: work, up to 64 jobs a hand-out, 64 at once", "many work"),
    ("BullMQ: work at concurrency 64", "BullMQ work"),
    ("Sidekiq: work at concurrency 10, its default", "Sidekiq work"),
    ("10,000 groups: work after bulk pushes", "many work after bulk"),
    ("plain: work after bulk pushes", "plain work after bulk"),
];

/// Rows of times from a push to the start of its job.
const STARTS: [(&str, &str); 5] = [
    ("floor: `XADD` to a blocking `XREADGROUP`", "bare start"),
    ("plain, idle: push to start, p50/p99", "plain start"),
    ("grouped, idle: push to start, p50/p99", "grouped start"),
    ("BullMQ, idle: push to start, p50/p99", "BullMQ start"),
    ("Sidekiq, idle: push to start, p50/p99", "Sidekiq start"),
];

/// Measures lanes.
pub async fn measure(size: Size, report: &mut Report) {
    let peers = peers::present();
    let mut both = Vec::new();
    for flush in ["always", "everysec"] {
        let mut rounds = Rounds::default();
        for number in 1..=size.rounds {
            eprintln!("\n== appendfsync {flush}, round {number}");
            round(flush, size.jobs, &peers, &mut rounds).await;
        }
        both.push(rounds);
    }
    for (row, name) in RATES {
        if both[0].has(name) {
            report.jobs(row, [both[0].median(name), both[1].median(name)]);
        }
    }
    for (row, name) in STARTS {
        if both[0].has(name) {
            report.starts(row, [both[0].times(name), both[1].times(name)]);
        }
    }
    aims("always", 0.7, &both[0], report);
    aims("everysec", 0.45, &both[1], report);
}

/// One round of everything, on a server of its own.
async fn round(flush: &str, jobs: usize, peers: &[&'static Peer], rounds: &mut Rounds) {
    let server = RedisServer::start(flush).await;
    let client = server.client();
    rounds.note("bare push", bare::push(&client, jobs).await);
    rounds.note("bare work", bare::work(&client, jobs).await);
    rounds.note_times("bare start", bare::idle(&client).await);
    server.ask::<()>(&["FLUSHALL"]).await;
    let queue = server.lanes("bench");
    rounds.note("plain push", push_one_by_one(&queue, &SINGLE, 64, jobs).await);
    rounds.note("plain work", work(&queue, &SINGLE, 64).await);
    push_one_by_one(&queue, &BATCHED, 64, jobs).await;
    rounds.note("batched work", work(&queue, &BATCHED, 8).await);
    push_one_by_one(&queue, &GROUPED, 64, jobs).await;
    rounds.note("grouped work", work(&queue, &GROUPED, 8).await);
    rounds.note("many push", push_one_by_one(&queue, &MANY, 64, jobs).await);
    rounds.note("many work", work(&queue, &MANY, 64).await);
    rounds.note("plain bulk", push_bulk(&queue, &SINGLE, jobs).await);
    rounds.note("plain work after bulk", work(&queue, &SINGLE, 64).await);
    rounds.note("many bulk", push_bulk(&queue, &MANY, jobs).await);
    rounds.note("many work after bulk", work(&queue, &MANY, 64).await);
    rounds.note_times("plain start", idle(&queue, &SINGLE).await);
    rounds.note_times("grouped start", idle(&queue, &GROUPED).await);
    queue.close().await;
    for peer in peers {
        server.ask::<()>(&["FLUSHALL"]).await;
        peer.run(server.port, jobs / 2, rounds).await;
    }
}

fn aims(flush: &str, work: f64, rounds: &Rounds, report: &mut Report) {
    let mut ratio = |what: &str, of: &str, to: &str, bound: f64| {
        if rounds.has(of) && rounds.has(to) {
            report.aim(Aim::above(format!("`{flush}`: {what}"), rounds.ratio(of, to), bound, "×"));
        }
    };
    ratio("plain push : bare `XADD`", "plain push", "bare push", 0.5);
    ratio("bulk push : Sidekiq's", "plain bulk", "Sidekiq bulk", 1.0);
    ratio("work job by job : bare `XREADGROUP` and `XACK`", "plain work", "bare work", work);
    ratio("work in batches : bare `XREADGROUP` and `XACK`", "batched work", "bare work", work);
    ratio("work job by job : BullMQ's", "plain work", "BullMQ work", 3.5);
    ratio("10,000 groups : plain, push", "many push", "plain push", 0.6);
    ratio("10,000 groups : plain, work", "many work", "plain work", 0.6);
    let starts = [("plain", "plain start"), ("grouped", "grouped start")];
    for (what, name) in starts {
        let ratio = rounds.ratio(name, "bare start");
        let row = format!("`{flush}`: idle start, {what} : bare blocking read, p50");
        report.aim(Aim::below(row, ratio, 1.25, "×"));
        let row = format!("`{flush}`: idle start, {what}, p99");
        report.aim(Aim::below(row, rounds.times(name)[1], 4.0, "ms"));
    }
}
