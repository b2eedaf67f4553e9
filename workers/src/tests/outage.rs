//! What waits without fault of its own: how rarely it asks, what it costs, and when it ends.

use std::time::Duration;

use fairy_jobs::{
    clock::Clock as _,
    id::DeliveryId,
    ports::{Attempt, PortError, SendError},
};
use fairy_queue::{Answer, Handler as _};
use futures::future::join_all;
use jiff::SignedDuration;

use super::{
    deliver::{Bench, jobs, row},
    post::Reply,
    world::start,
};
use crate::deliver::DELIVERIES_AT_ONCE;

#[tokio::test]
async fn what_the_database_keeps_in_waits_and_is_no_suspect() {
    let bench = Bench::new();
    let id = bench.add(row(1));
    let away = PortError::Unavailable("down".to_owned());
    bench.deliveries.contents_errors.lock().unwrap().push_back(away);
    assert_eq!(bench.handle(&[id]).await, [Answer::Snooze(Duration::from_secs(5))]);
    assert_eq!((bench.row(id).deaths, bench.row(id).delivery.failures), (0, 0));
}

#[tokio::test]
async fn an_outage_costs_one_question_a_round_and_nothing_of_the_schedule() {
    let bench = Bench::new();
    let process = bench.process();
    let ids: Vec<DeliveryId> = (1..=200).map(|number| bench.add(row(number))).collect();
    // Four hand-outs at once, as the lane has them.
    let round = async || {
        let mut answers = Vec::new();
        for some in ids.chunks(4 * DELIVERIES_AT_ONCE) {
            let hands = some.chunks(DELIVERIES_AT_ONCE).map(|ids| process.handle(jobs(ids)));
            answers.extend(join_all(hands).await.concat());
        }
        answers
    };
    bench.away(Some("535 no"));
    let mut asked_first = None;
    let mut waits = Vec::new();
    while bench.clock.now() < start() + SignedDuration::from_hours(4 * 24) {
        let answers = round().await;
        let asked = bench.asked();
        match asked_first {
            None => assert!(asked <= 4 * DELIVERIES_AT_ONCE, "{asked} at once"),
            Some(_) => assert_eq!(asked, 1),
        }
        asked_first.get_or_insert(asked);
        let waits_now = answers.iter().map(|answer| match answer {
            Answer::Snooze(wait) => *wait,
            answer => panic!("not {answer:?}"),
        });
        let longest = waits_now.max().unwrap();
        waits.push(longest.as_secs());
        bench.clock.advance(longest.try_into().unwrap());
    }
    assert_eq!((waits[0], *waits.last().unwrap()), (5, 900));
    assert!(waits.is_sorted(), "{waits:?}");
    for id in &ids {
        let row = bench.row(*id);
        assert_eq!((row.end, row.delivery.failures, row.error.as_deref()), (None, 0, Some("535 no")));
    }
    // Somebody repairs it: the first goes ahead, the others at once behind it.
    bench.away(None);
    assert_eq!(round().await, vec![Answer::Done; 200]);
    assert_eq!(bench.mailer.sent.lock().unwrap().len(), 200);
}

#[tokio::test]
async fn who_asks_for_the_others_is_another_each_time() {
    let bench = Bench::new();
    let process = bench.process();
    let mut ids: Vec<DeliveryId> = (1..=3).map(|number| bench.add(row(number))).collect();
    bench.away(Some("no connection"));
    process.handle(jobs(&ids)).await;
    let mut before = None;
    for _ in 0..6 {
        bench.clock.advance(SignedDuration::from_mins(16));
        // In the order in which the lane hands them out.
        ids.sort_by_key(|id| bench.row(*id).due_at);
        let attempts: Vec<u32> = ids.iter().map(|id| bench.row(*id).delivery.attempt).collect();
        process.handle(jobs(&ids)).await;
        let asked = ids.iter().zip(attempts).filter(|(id, had)| bench.row(**id).delivery.attempt > *had);
        let asked: Vec<DeliveryId> = asked.map(|(id, _)| *id).collect();
        assert_eq!(asked.len(), 1);
        assert_ne!(before.replace(asked[0]), Some(asked[0]));
    }
}

#[tokio::test]
async fn what_waits_for_five_days_is_given_up() {
    let bench = Bench::new();
    let process = bench.process();
    let ids: Vec<DeliveryId> = (1..=3).map(|number| bench.add(row(number))).collect();
    let held = bench.add(row(4));
    bench.away(Some("no connection"));
    bench.clock.advance(SignedDuration::from_hours(5 * 24) - SignedDuration::from_secs(1));
    assert!(matches!(process.handle(jobs(&ids)).await[..], [Answer::Snooze(_), ..]));
    bench.clock.advance(SignedDuration::from_secs(7));
    assert_eq!(process.handle(jobs(&ids)).await, vec![Answer::Done; 3]);
    bench.away(None);
    bench.server([Reply::Refuses(SendError::Held { error: "554 relay".to_owned() })]);
    bench.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(process.handle(jobs(&[held])).await, [Answer::Done]);
    let error = |why| Some(Attempt::Failed { error: format!("given up after five days: {why}") });
    assert!(ids.iter().all(|id| bench.end(*id) == error("no connection")), "{:?}", bench.end(ids[0]));
    assert_eq!(bench.end(held), error("554 relay"));
}

#[tokio::test]
async fn what_is_held_up_holds_up_no_other() {
    let bench = Bench::new();
    let process = bench.process();
    let ids: Vec<DeliveryId> = (1..=3).map(|number| bench.add(row(number))).collect();
    bench.server([Reply::Refuses(SendError::Held { error: "554 relay".to_owned() })]);
    let answers = process.handle(jobs(&ids)).await;
    assert_eq!(answers, [Answer::Snooze(Duration::from_secs(5)), Answer::Done, Answer::Done]);
    assert_eq!(bench.row(ids[0]).delivery.failures, 0);
}
