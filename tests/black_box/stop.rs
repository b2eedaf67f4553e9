//! Stopping: in-flight work ends, what was accepted is kept, the exit code is 0.

use futures::future::join_all;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    harness::{Backing, Home, Launch, Line, Server, Version, Way, cluster_only, wait_until, without},
    mail::{sink::Sink, smtp},
    team::{Person, Team},
};

/// A connection on which half a request was sent.
async fn half_a_request(server: &Server) -> TcpStream {
    let address = server.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HT").await.unwrap();
    // Answered on another connection after it: the half is with the server by now.
    assert_eq!(reqwest::get(server.url()).await.unwrap().status(), 200);
    stream
}

async fn readiness(server: &Server) -> Option<(u16, Value)> {
    let answer = reqwest::get(format!("{}/health/ready", server.admin_url())).await.ok()?;
    Some((answer.status().as_u16(), answer.json().await.ok()?))
}

/// Waits until the server says that it is not to be given work any more.
async fn not_ready(server: &Server) {
    wait_until("it is not ready any more", || async {
        let (status, told) = readiness(server).await?;
        (status == 503 && told["stopping"] == true && told["ready"] == false).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_stops_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = Server::new().await;
        server.signal(signal);
        assert_eq!(server.ended().await, Some(0), "{signal:?}");
    }
}

#[tokio::test]
async fn waited_creates_in_flight_are_answered_and_nothing_is_lost() {
    let mut team = Team::new().await;
    let api = team.owner.api.clone();
    let path = team.at("/tasks");
    let create = |n: u32| {
        let body = json!({"project": "WEB", "title": format!("t{n}")});
        api.post(&path, &body).key(&format!("k{n}"))
    };
    let load = join_all((0..200).map(|n| create(n).attempt()));
    let (replies, code) = tokio::join!(load, async {
        wait_until("work is under way", || async {
            let first = api.get(&path).await;
            first["items"].as_array().is_some_and(|items| !items.is_empty()).then_some(())
        })
        .await;
        team.server.stop().await
    });
    assert_eq!(code, Some(0));
    let mut accepted = Vec::new();
    for reply in replies.iter().flatten() {
        match reply.status {
            201 | 202 => accepted.push(reply.header("Operation-Id").expect("an id").to_owned()),
            503 => {}
            _ => panic!("{reply:?}"),
        }
    }
    assert!(!accepted.is_empty());
    team.server.start().await;
    for operation in accepted {
        let ended = api.get(&format!("/operations/{operation}")).header("Prefer", "wait=30").await.is(200);
        assert_eq!(ended["status"], "applied", "{ended:?}");
    }
    for n in 0..200 {
        create(n).await.is(201);
    }
    let tasks = api.all(&path).await;
    assert_eq!(tasks.len(), 200);
}

#[tokio::test]
async fn what_waits_in_a_paused_lane_does_not_hold_the_stop() {
    let mut team = Team::new().await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Waits"}));
    let (reply, ()) = tokio::join!(create.header("Prefer", "wait=60").attempt(), async {
        wait_until("the operation is in the lane", || async {
            let lanes = team.server.beside(&["lanes", "list"]).await.succeeded();
            let line = lanes.lines().find(|l| l.contains("operations")).unwrap_or_default().to_owned();
            line.split_whitespace().any(|word| word == "1").then_some(())
        })
        .await;
        team.server.signal(Signal::TERM);
    });
    assert_eq!(team.server.ended().await, Some(0));
    let reply = reply.expect("a request in flight is answered").is(202);
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let path = format!("/operations/{}", reply.str("id"));
    let ended = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "applied");
}

#[tokio::test]
async fn health_and_metrics_are_at_the_admin_address_and_nothing_else_is() {
    let team = Team::new().await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/health/live", "/health/ready", "/metrics"] {
        let answer = http.get(format!("{}{path}", team.server.admin_url())).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
    }
    let metrics =
        http.get(format!("{}/metrics", team.server.admin_url())).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("lane=\"operations\""), "{metrics}");
    for path in ["/", "/v1/me", "/docs"] {
        let answer = http.get(format!("{}{path}", team.server.admin_url())).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    let answer = team.owner.api.page("/metrics").await;
    assert_eq!(answer.status, 404, "the public address shows the metrics");
}

#[tokio::test]
async fn a_stalled_connection_does_not_hold_the_stop_and_readiness_ends_first() {
    let mut server = Launch::new().set("STOP__SECONDS", "2").start().await;
    let _half = half_a_request(&server).await;
    assert_eq!(readiness(&server).await.expect("an answer").0, 200);
    server.signal(Signal::TERM);
    not_ready(&server).await;
    assert_eq!(server.ended().await, Some(0));
}

#[tokio::test]
async fn who_can_only_run_a_command_learns_of_readiness_too() {
    let mut server = Launch::new().set("STOP__SECONDS", "600").start().await;
    let _half = half_a_request(&server).await;
    let told = server.beside(&["health"]).await.succeeded();
    assert!(told.contains("\"ready\":true"), "{told}");
    server.signal(Signal::TERM);
    not_ready(&server).await;
    let line = server.beside(&["health"]).await.refused();
    assert!(line.contains("\"stopping\":true"), "{line}");
    server.signal(Signal::INT);
    server.ended().await;
    let line = server.beside(&["health"]).await.refused();
    assert!(line.contains(&server.admin_url()), "{line}");
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let mut server = Launch::new().set("STOP__SECONDS", "600").start().await;
    let _half = half_a_request(&server).await;
    server.signal(Signal::TERM);
    not_ready(&server).await;
    server.signal(Signal::INT);
    assert_eq!(server.ended().await, Some(1));
}

#[tokio::test]
async fn a_stalled_connection_does_not_cost_a_job_its_end() {
    if without("smtp") {
        return;
    }
    let sink = Sink::start().await;
    sink.hold();
    let mut server = smtp::launch(&Home::new(), &sink.url()).set("STOP__SECONDS", "8").start().await;
    let mina = Person::sign_up(&server.url(), "Mina").await;
    wait_until("the mail is under way", || async { (!sink.held().is_empty()).then_some(()) }).await;
    let mut half = half_a_request(&server).await;
    server.signal(Signal::TERM);
    // The server drops the connection when the share of the requests has passed; only then does the mail come to its end.
    let dropped = half.read(&mut [0; 16]).await;
    assert!(matches!(dropped, Ok(0) | Err(_)), "{dropped:?}");
    sink.let_go();
    assert_eq!(server.ended().await, Some(0));
    assert_eq!(sink.letters().iter().filter(|letter| letter.to == mina.email).count(), 1);
    assert_eq!(server.texts("SELECT state FROM deliveries").await, ["sent"]);
}

#[tokio::test]
async fn a_database_server_that_says_nothing_does_not_hold_the_stop() {
    if cluster_only() {
        return;
    }
    let launch = Launch::new().made_of(&["api", "worker"]).set("STOP__SECONDS", "2");
    let (mut line, over_the_line) = Line::before(&launch.backing().database).await;
    let mut team = Team::launch(launch.for_one(1, "FAIRY__DATABASE__URL", over_the_line)).await;
    let operation = one_in_hand(&mut team, &mut line).await;
    let end = team.server.process(1).stop().await;
    assert!(end.success(), "{end}: {}", team.server.log());
    line.set(Way::Open).await;
    team.server.spawn_one(1, Version::This);
    team.server.ready().await;
    applied(&team, &operation).await;
    assert_eq!(team.server.stop().await, Some(0));
}

#[tokio::test]
async fn a_queue_server_that_says_nothing_does_not_hold_the_stop() {
    if cluster_only() {
        return;
    }
    let launch = Launch::new().made_of(&["api", "worker"]).set("STOP__SECONDS", "2");
    let Backing { database, queue, .. } = launch.backing();
    let (mut rows, over_rows) = Line::before(&database).await;
    let (mut lanes, over_lanes) = Line::before(&queue).await;
    let launch = launch.for_one(1, "FAIRY__DATABASE__URL", over_rows).set("QUEUE__URL", over_lanes);
    let mut team = Team::launch(launch).await;
    let operation = one_in_hand(&mut team, &mut rows).await;
    lanes.set(Way::HalfOpen).await;
    // What it brought about is to be told to the lanes, and cannot be.
    team.project("OPS").await;
    for part in [0, 1] {
        let end = team.server.process(part).stop().await;
        assert!(end.success(), "process {part}: {end}: {}", team.server.log());
    }
    for line in [&mut rows, &mut lanes] {
        line.set(Way::Open).await;
    }
    for part in [0, 1] {
        team.server.spawn_one(part, Version::This);
    }
    team.server.ready().await;
    applied(&team, &operation).await;
    let changes = team.changes().await;
    wait_until("the activity log has what could not be told", || async {
        let log = team.owner.api.all(&team.at("/activity")).await;
        (log.len() == changes.len()).then_some(())
    })
    .await;
    team.server.accounted().await;
    assert_eq!(team.server.stop().await, Some(0));
}

/// Silences the worker's line to the database and gives it an operation that it therefore does not get done; its id.
async fn one_in_hand(team: &mut Team, line: &mut Line) -> String {
    line.set(Way::HalfOpen).await;
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Waits"}));
    let operation = create.respond_async().await.is(202).str("id");
    let worker = &*team.server.process(1);
    wait_until("the worker has it in hand", || async {
        let figures = worker.metrics().await?;
        figures.contains("fairy_lane_jobs{lane=\"operations\",state=\"in_flight\"} 1\n").then_some(())
    })
    .await;
    operation
}

async fn applied(team: &Team, operation: &str) {
    let path = format!("/operations/{operation}");
    let ended = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "applied");
}
