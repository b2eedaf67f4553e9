//! A rolling restart under load: each process is replaced, one after the other, and no request is refused.
//!
//! Whoever stands in front sees only connections and readiness. So a process that is to stop says first that it is not ready,
//! serves on, and lets go of the connections it has: a client that keeps one would otherwise have it closed under a request.

mod balancer;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::future::join_all;
use rustix::process::Signal;
use serde_json::json;

use self::balancer::Balancer;
use crate::{
    client::Api,
    harness::{Launch, Version, cluster_only, wait_until},
    team::Team,
};

const PARTS: &[&str] = &["api", "api", "worker", "worker"];
const APIS: [usize; 2] = [0, 1];
const WORKERS: [usize; 2] = [2, 3];
/// Each has one connection, which is kept for as long as the server keeps it.
const CLIENTS: usize = 6;
/// How many answers show that work goes on.
const SOME: usize = 60;

/// Clients that write until they are told to end, and take no refusal.
#[derive(Default)]
struct Load {
    answers: AtomicUsize,
    over: AtomicBool,
}

impl Load {
    /// Makes tasks; their titles, and the operations whose end was not told yet.
    async fn client(&self, number: usize, api: Api, path: &str) -> (Vec<String>, Vec<String>) {
        let (mut titles, mut open) = (Vec::new(), Vec::new());
        while !self.over.load(Ordering::Relaxed) {
            let title = format!("{number}-{}", titles.len());
            let reply = api.post(path, &json!({"project": "WEB", "title": title})).await;
            match reply.status {
                201 => {}
                202 => open.push(reply.str("id")),
                _ => panic!("refused: {reply:?}"),
            }
            titles.push(title);
            self.answers.fetch_add(1, Ordering::Relaxed);
        }
        (titles, open)
    }

    async fn goes_on(&self) {
        let from = self.answers.load(Ordering::Relaxed);
        let enough = || async { (self.answers.load(Ordering::Relaxed) >= from + SOME).then_some(()) };
        wait_until("the load goes on", enough).await;
    }
}

#[tokio::test]
async fn no_request_is_refused() {
    if cluster_only() {
        return;
    }
    // What a process does by default before it stops, which the other tests do without.
    let launch = Launch::new().made_of(PARTS).without("STOP__DRAIN_SECONDS");
    let mut team = Team::launch(launch).await;
    let launch = team.server.launch();
    let balancer = Balancer::before(APIS.map(|part| (launch.url(2 * part), launch.url(2 * part + 1)))).await;
    for door in 0..APIS.len() {
        wait_until("it is seen", || async { balancer.gives_to(door).then_some(()) }).await;
    }
    let path = team.at("/tasks");
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(team.owner.token(&["write"]).await.at(&balancer.url()).on_one_connection());
    }
    let load = Load::default();
    let work = clients.into_iter().enumerate().map(|(number, api)| load.client(number, api, &path));
    let (told, ()) = tokio::join!(join_all(work), async {
        roll(&mut team, &balancer, &load).await;
        load.over.store(true, Ordering::Relaxed);
    });
    for operation in told.iter().flat_map(|(_, open)| open) {
        let path = format!("/operations/{operation}");
        wait_until("it is applied", || async {
            let ended = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
            (ended["status"] == "applied").then_some(())
        })
        .await;
    }
    let mut made: Vec<_> = team
        .owner
        .api
        .all(&path)
        .await
        .iter()
        .map(|task| task["title"].as_str().unwrap().to_owned())
        .collect();
    let mut sent: Vec<_> = told.into_iter().flat_map(|(titles, _)| titles).collect();
    made.sort();
    sent.sort();
    assert!(made == sent, "{} tasks were asked for, and {} were made", sent.len(), made.len());
    assert_eq!(team.server.stop().await, Some(0));
}

/// Replaces every process, workers first, each when the one before is back.
async fn roll(team: &mut Team, balancer: &Balancer, load: &Load) {
    for part in WORKERS {
        load.goes_on().await;
        team.server.replace(part, Version::This).await;
        team.server.ready().await;
    }
    for (door, part) in APIS.into_iter().enumerate() {
        load.goes_on().await;
        team.server.process(part).signal(Signal::TERM);
        wait_until("it is given nothing more", || async { (!balancer.gives_to(door)).then_some(()) }).await;
        let late = Api::new(&team.server.launch().url(2 * part));
        let late = late.get("/me").await.problem(401, "unauthenticated");
        assert_eq!(late.header("connection"), Some("close"), "who keeps a connection is let go");
        assert_eq!(team.server.process(part).ended().await.code(), Some(0), "{}", team.server.log());
        load.goes_on().await;
        team.server.spawn_one(part, Version::This);
        team.server.ready().await;
        wait_until("it is given something again", || async { balancer.gives_to(door).then_some(()) }).await;
    }
    load.goes_on().await;
}
