//! Several processes over one server, which is killed under them. Each [`Between`] stands for a process.

mod server;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use fairy_jobs::{
    id::{OperationId, WorkspaceId},
    operation::{End, ReplyTo},
    ports::{FeedSignal as _, Limiter, OutcomeChannel as _, PortError, Reply},
    problem::{Problem, ProblemKind},
    rate::{Rate, Taken},
    testing::outcome,
};
use fairy_queue::redis::{Ear, Line};
use fairy_workers::aws::{Permit, SendRate as _};
use futures::{FutureExt as _, StreamExt as _, future::join_all, stream::BoxStream};

use self::server::{Server, until};
use super::{Between, Hears, SharedLimiter, SharedRate};

fn id(number: u16) -> OperationId {
    let mut bytes = [0; 16];
    bytes[14..].copy_from_slice(&number.to_be_bytes());
    OperationId::from_bytes(bytes)
}

fn reply(number: u16, to: Option<ReplyTo>, detail: &str) -> Reply {
    let end = End::Refused(Problem::new(ProblemKind::Conflict, detail));
    Reply { to, outcome: outcome(id(number), end) }
}

/// A process that listens, which has begun when this returns.
async fn api(server: &Server) -> Between {
    let options = server.options();
    let channel = format!("fairy:outcomes:{}", options.instance);
    let between = Between::open(&options, Hears::All).unwrap();
    heard(server, &channel).await;
    heard(server, "fairy:feed").await;
    between
}

async fn heard(server: &Server, channel: &str) {
    let asked = format!("PUBSUB NUMSUB {channel}");
    until(async || server.ask(&asked).await.is_some_and(|answer| !answer.ends_with(":0\r\n"))).await;
}

/// The next signal, which comes soon.
async fn next(follower: &mut BoxStream<'static, u64>) -> u64 {
    let signal = tokio::time::timeout(Duration::from_secs(30), follower.next()).await;
    signal.expect("a signal within half a minute").expect("signals go on")
}

fn worker(server: &Server) -> Between {
    Between::open(&server.options(), Hears::Nothing).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_outcome_goes_to_the_process_that_its_operation_names() {
    let server = Server::start().await;
    let (one, two, worker) = (api(&server).await, api(&server).await, worker(&server));
    assert_eq!(worker.outcomes.reply_to(), None);
    let (to_one, to_two) = (one.outcomes.reply_to(), two.outcomes.reply_to());
    assert!(to_one.is_some() && to_one != to_two);
    let other = two.outcomes.listen(id(0));
    let text = "a".repeat(5_000);
    // More than one message holds, and of both processes in one batch.
    let waiting: Vec<_> =
        (0..200).map(|n| if n % 2 == 0 { &one } else { &two }.outcomes.listen(id(n))).collect();
    let replies = (0..200).map(|n| reply(n, if n % 2 == 0 { &to_one } else { &to_two }.clone(), &text));
    worker.outcomes.send(replies.collect()).await;
    for (number, outcome) in (0..).zip(join_all(waiting).await) {
        assert_eq!(outcome, reply(number, None, &text).outcome);
    }
    assert!(other.now_or_never().is_none(), "who is not named looks at the rows");

    let published = server.ask("INFO commandstats").await.unwrap();
    worker.outcomes.send(vec![reply(300, None, "nobody waits")]).await;
    one.outcomes.send(vec![reply(301, to_one, "it is told here")]).await;
    one.close().await;
    worker.close().await;
    let calls = |text: &str| {
        text.split("cmdstat_publish:calls=").nth(1).map(|rest| rest.split(',').next().unwrap().to_owned())
    };
    assert_eq!(calls(&published), calls(&server.ask("INFO commandstats").await.unwrap()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_is_killed_costs_messages_and_nobody_else() {
    let server = Server::start().await;
    let (api, worker) = (api(&server).await, worker(&server));
    let (name, workspace) = (api.outcomes.reply_to(), WorkspaceId::from_bytes([1; 16]));
    let mut follower = api.signals.follow(workspace);
    worker.signals.grown(workspace, 1);
    assert_eq!(next(&mut follower).await, 1);
    let lost = api.outcomes.listen(id(1));
    server.kill();
    let start = Instant::now();
    for _ in 0..2_000 {
        worker.outcomes.send(vec![reply(1, name.clone(), "lost")]).await;
    }
    worker.signals.grown(workspace, 2);
    assert!(start.elapsed() < Duration::from_secs(5), "who applies does not wait: {:?}", start.elapsed());
    let own = api.outcomes.listen(id(2));
    api.outcomes.send(vec![reply(2, name.clone(), "within the process")]).await;
    assert!(own.now_or_never().is_some(), "what is said within a process needs no server");

    server.resume().await;
    assert!(next(&mut follower).await >= 1, "who may have missed something looks");
    let again = api.outcomes.listen(id(3));
    let sends = async {
        loop {
            worker.outcomes.send(vec![reply(3, name.clone(), "again")]).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        outcome = again => assert_eq!(outcome.id, id(3)),
        () = sends => unreachable!("it goes on for ever"),
        () = tokio::time::sleep(Duration::from_secs(30)) => panic!("the listener does not come back"),
    }
    drop(lost);
    assert_eq!(api.outcomes.here().waiting(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_grows_anywhere_wakes_followers_everywhere() {
    let server = Server::start().await;
    let (one, two, worker) = (api(&server).await, api(&server).await, worker(&server));
    let workspaces: Vec<_> = (1..=3).map(|n| WorkspaceId::from_bytes([n; 16])).collect();
    let mut followers: Vec<_> =
        [&one, &two].iter().flat_map(|api| workspaces.iter().map(|w| api.signals.follow(*w))).collect();
    // Two thousand times, of which nobody need hear more than the last.
    for seq in 1..=1_000 {
        worker.signals.grown(workspaces[0], seq);
        one.signals.grown(workspaces[1], seq);
    }
    for last in [0, 1, 3, 4] {
        let mut seen = 0;
        while seen < 1_000 {
            seen = next(&mut followers[last]).await;
        }
    }
    assert!(followers[2].next().now_or_never().is_none() && followers[5].next().now_or_never().is_none());
    let calls = server.ask("INFO commandstats").await.unwrap();
    let calls: usize =
        calls.split("publish:calls=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    assert!(calls < 1_000, "{calls} messages: what gathers goes together");
    // What is said before all hear again may be missed, which streams make up for by looking; what is said then is heard.
    server.kill();
    worker.signals.grown(workspaces[2], 7);
    server.resume().await;
    until(async || server.ask("PUBSUB NUMSUB fairy:feed").await.is_some_and(|n| n.ends_with(":2\r\n"))).await;
    worker.signals.grown(workspaces[2], 8);
    for follower in [2, 5] {
        let mut seen = 0;
        while seen < 8 {
            seen = next(&mut followers[follower]).await;
        }
    }
}

const ONE: Taken = Taken::Granted(1);

struct Deaf;

impl Ear for Deaf {
    fn hear(&self, _: &str, _: &[u8]) {}
    fn listening(&self) {}
}

/// A limiter that a slow machine does not make doubt.
fn limiter(server: &Server) -> SharedLimiter {
    let line = Line::open(&server.options(), &[], Arc::new(Deaf)).unwrap();
    SharedLimiter::new(line, Duration::from_secs(20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_a_bucket() {
    let server = Server::start().await;
    let (one, two) = (limiter(&server), limiter(&server));
    let rate = Rate::per_hour(10, 60);
    let takes = (0..30).map(|n| if n % 2 == 0 { &one } else { &two }.take("test", rate, 1..=1));
    let taken: Vec<Taken> = join_all(takes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken.iter().filter(|taken| **taken == ONE).count(), 10);
    let waits: Vec<_> = taken.iter().filter(|taken| **taken != ONE).collect();
    let Taken::Wait(wait) = waits[0] else { panic!("{waits:?}") };
    assert!((Duration::from_secs(59)..=Duration::from_secs(60)).contains(wait), "{wait:?}");
    assert_eq!(one.take("other", rate, 3..=7).await, Ok(Taken::Granted(7)));
    assert_eq!(two.take("other", rate, 3..=7).await, Ok(Taken::Granted(3)), "as many as there are");
    assert!(matches!(one.take("other", rate, 3..=7).await, Ok(Taken::Wait(_))));
    assert_eq!(one.take("third", rate, 99..=200).await, Ok(Taken::Granted(10)), "the burst at most");
    let ttl = server.ask("PTTL fairy:{test}").await.unwrap();
    let ttl: u64 = ttl.trim_start_matches(':').trim().parse().unwrap();
    assert!((590_000..=600_000).contains(&ttl), "a bucket goes when it is full: {ttl}");
    server.ask("SCRIPT FLUSH").await.unwrap();
    assert_eq!(one.take("fourth", rate, 1..=1).await, Ok(ONE), "the script is loaded again");

    // Mails a second, of all who send: what was waited for is there.
    let mails = Rate::per_second(1, 500);
    let start = Instant::now();
    let send = async |process: &SharedLimiter| {
        for _ in 0..50 {
            while let Taken::Wait(wait) = process.take("mails", mails, 1..=1).await.unwrap() {
                tokio::time::sleep(wait).await;
            }
        }
    };
    tokio::join!(send(&one), send(&two));
    assert!(
        start.elapsed() >= Duration::from_millis(190),
        "a hundred at 500 a second: {:?}",
        start.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_limiter_that_gets_no_answer_says_so_soon() {
    let server = Server::start().await;
    let (process, rate) = (worker(&server), Rate::per_hour(9, 1));
    until(async || process.limiter.take("test", rate, 1..=2).await == Ok(Taken::Granted(2))).await;
    let unavailable = async || {
        let start = Instant::now();
        let answer = process.limiter.take("test", rate, 1..=1).await;
        assert!(matches!(answer, Err(PortError::Unavailable(_))), "{answer:?}");
        start.elapsed()
    };
    server.ask("CLIENT PAUSE 2500").await.unwrap();
    let paused = Instant::now();
    assert!(unavailable().await < Duration::from_millis(1_500), "a server that hangs is not waited for");
    let mut slow = 0;
    while paused.elapsed() < Duration::from_secs(2) {
        let took = join_all((0..8).map(|_| unavailable())).await;
        slow += took.iter().filter(|took| **took > Duration::from_millis(240)).count();
        tokio::task::yield_now().await;
    }
    assert!((1..=2).contains(&slow), "of all one asks again after a while: {slow}");
    until(async || process.limiter.take("test", rate, 0..=0).await.is_ok()).await;
    server.kill();
    unavailable().await;
    server.resume().await;
    until(async || process.limiter.take("test", rate, 0..=0).await.is_ok()).await;
    // What was asked for without an answer was perhaps taken.
    let rest = process.limiter.take("test", rate, 1..=9).await;
    assert!(matches!(rest, Ok(Taken::Granted(1..=7))), "what was taken before still counts: {rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_together_send_no_faster_than_the_account_may() {
    let server = Server::start().await;
    let workers = [worker(&server), worker(&server)];
    let rate = 20.0;
    let start = Instant::now();
    let sends = workers.iter().map(|worker| async {
        let rate = SharedRate::new(worker.limiter.clone(), rate);
        let mut sent = 0;
        while rate.permit().await == Permit::Go {
            sent += 1;
        }
        sent
    });
    let sent: u32 = join_all(sends).await.into_iter().sum();
    // The server has counted no more time than has passed here, however slow this machine is.
    let most = rate + rate * start.elapsed().as_secs_f64();
    assert!((20.0..=most).contains(&f64::from(sent)), "{sent} were sent, and {most} might be");

    server.kill();
    let rate = SharedRate::new(workers[0].limiter.clone(), 2.0);
    assert_eq!(rate.permit().await, Permit::Go, "each by itself while nobody counts for all");
    assert_eq!(rate.permit().await, Permit::Go);
    assert!(matches!(rate.permit().await, Permit::Wait(_)));
}
