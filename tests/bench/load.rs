//! The loads: one waited create after the other, and a flood that does not wait.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::{report::Times, served::Served, wire::Wire};

const CONNECTIONS: usize = 64;
const SIGN_UP: &str = r#"{"email":"bench@example.com","password":"correct horse battery","name":"Bench"}"#;
const SIGN_IN: &str = r#"{"email":"bench@example.com","password":"correct horse battery"}"#;
const ASYNC: &str = "Prefer: respond-async\r\n";

/// Somebody with workspaces, and a token.
pub struct Team {
    /// Where the server answers.
    pub address: String,
    /// The header with the token.
    pub token: String,
    /// The ids of the workspaces.
    pub workspaces: Vec<String>,
}

impl Team {
    /// Makes a workspace of that name.
    pub async fn make(served: &Served, name: &str) -> Self {
        Self::with(&served.address, 1, name).await
    }

    /// Makes so many workspaces, each with one project.
    pub async fn with(address: &str, count: usize, name: &str) -> Self {
        let mut wire = Wire::open(address, "").await;
        let mut signed = wire.call("POST", "/v1/auth/sign-up", "", SIGN_UP).await;
        if signed.status == 409 {
            signed = wire.call("POST", "/v1/auth/sign-in", "", SIGN_IN).await;
        }
        let csrf =
            serde_json::from_slice::<serde_json::Value>(&signed.body).expect("JSON")["csrf_token"].clone();
        let line = signed
            .head
            .lines()
            .find(|l| l.to_ascii_lowercase().starts_with("set-cookie:"))
            .expect("a cookie");
        let cookie = line.split([':', ';']).nth(1).expect("a cookie").trim().to_owned();
        let browser = format!("Cookie: {cookie}\r\nX-CSRF-Token: {}\r\n", csrf.as_str().expect("a token"));
        let token = r#"{"name":"bench","scopes":["admin"]}"#;
        let token = wire.call("POST", "/v1/me/tokens", &browser, token).await.json(201);
        let token = format!("Authorization: Bearer {}\r\n", token["token"].as_str().expect("a token"));
        let mut team = Self { address: address.to_owned(), token, workspaces: Vec::new() };
        for first in (0..count).step_by(CONNECTIONS) {
            let some = (first..count.min(first + CONNECTIONS)).map(|number| team.workspace(name, number));
            let made = join_all(some).await;
            team.workspaces.extend(made);
        }
        team
    }

    async fn workspace(&self, name: &str, number: usize) -> String {
        let mut wire = self.wire().await;
        let body = json!({"name": format!("{name} {number}")}).to_string();
        let made = wire.call("POST", "/v1/workspaces", "", &body).await.json(201);
        let id = made["id"].as_str().expect("an id").to_owned();
        let body = r#"{"key":"WEB","name":"Web"}"#;
        wire.call("POST", &format!("/v1/workspaces/{id}/projects"), "", body).await.json(201);
        id
    }

    /// A connection of its own.
    pub async fn wire(&self) -> Wire {
        Wire::open(&self.address, &self.token).await
    }
}

/// Waited creates, one after the other, with a pause before each: after a rest a server has done what the last one left
/// it to do, and is idle; without one it answers while it does.
pub async fn waited(team: &Team, count: usize, pause: Duration) -> Times {
    let mut wire = team.wire().await;
    let path = format!("/v1/workspaces/{}/tasks", team.workspaces[0]);
    let mut times = Vec::new();
    for number in 0..count + 20 {
        tokio::time::sleep(pause).await;
        let body = body(number);
        let begun = Instant::now();
        wire.call("POST", &path, "", &body).await.json(201);
        times.push(begun.elapsed());
    }
    // The first ones fill caches.
    Times::new(times.split_off(20))
}

/// What a flood took.
pub struct Flood {
    operations: usize,
    accepted: Duration,
    applied: Duration,
    /// Of each request that was accepted.
    pub answers: Times,
}

impl Flood {
    /// How many were accepted a second.
    pub fn accepted_per_second(&self) -> f64 {
        self.operations as f64 / self.accepted.as_secs_f64()
    }

    /// How many were accepted and applied a second.
    pub fn applied_per_second(&self) -> f64 {
        self.operations as f64 / self.applied.as_secs_f64()
    }
}

fn body(number: usize) -> String {
    format!(
        r#"{{"project":"WEB","title":"Task number {number} of the load","body":"Some words about it.","priority":"high"}}"#
    )
}

/// Creates that do not wait, spread over so many new workspaces, from 64 connections.
pub async fn flood(served: &Served, workspaces: usize, operations: usize) -> Flood {
    let team = Team::with(&served.address, workspaces, "Load").await;
    flood_team(&team, operations, true).await
}

/// The same on a server of its own.
pub async fn alone(workspaces: usize, operations: usize) -> Flood {
    let mut served = Served::start().await;
    let flood = flood(&served, workspaces, operations).await;
    served.stop().await;
    flood
}

/// Creates that do not wait; `applied`: until the last of each connection is applied.
pub async fn flood_team(team: &Team, operations: usize, applied: bool) -> Flood {
    let begun = Instant::now();
    let each = operations / CONNECTIONS;
    let lasts = join_all((0..CONNECTIONS).map(|number| async move {
        let mut wire = team.wire().await;
        let path = format!("/v1/workspaces/{}/tasks", team.workspaces[number % team.workspaces.len()]);
        let mut last = String::new();
        let mut pace = tokio::time::interval(Duration::from_millis(5));
        let mut times = Vec::with_capacity(each);
        for count in 0..each {
            let body = body(count);
            let mut asked = Instant::now();
            let mut answer = wire.call("POST", &path, ASYNC, &body).await;
            // A full backlog is not an error of the load: it means that accepting is faster than applying.
            while answer.status == 429 {
                pace.tick().await;
                asked = Instant::now();
                answer = wire.call("POST", &path, ASYNC, &body).await;
            }
            times.push(asked.elapsed());
            assert_eq!(answer.status, 202, "{}", String::from_utf8_lossy(&answer.body));
            last = operation(&answer.head);
        }
        (wire, last, times)
    }));
    let mut lasts = lasts.await;
    let accepted = begun.elapsed();
    let answers = Times::new(lasts.iter_mut().flat_map(|(_, _, times)| std::mem::take(times)).collect());
    if applied {
        join_all(lasts.into_iter().map(|(wire, last, _)| ended(wire, last))).await;
    }
    Flood { operations: each * CONNECTIONS, accepted, applied: begun.elapsed(), answers }
}

/// Creates in calls of 500, over 64 workspaces of a new server.
pub async fn in_batches(operations: usize) -> Flood {
    let mut served = Served::start().await;
    let team = Team::with(&served.address, CONNECTIONS, "Batch").await;
    let items: Vec<String> = (0..500).map(body).collect();
    let body = format!(r#"{{"items":[{}]}}"#, items.join(","));
    let calls = operations.div_ceil(500);
    let begun = Instant::now();
    let workers = join_all((0..8).map(|worker| {
        let (team, body) = (&team, &body);
        async move {
            let mut wire = team.wire().await;
            let mut lasts = Vec::new();
            for call in (worker..calls).step_by(8) {
                let path = format!("/v1/workspaces/{}/tasks/batch", team.workspaces[call % CONNECTIONS]);
                let answer = wire.call("POST", &path, "", body).await.json(202);
                lasts.push(answer["operations"][499]["id"].as_str().expect("an id").to_owned());
            }
            (wire, lasts)
        }
    }));
    let workers = workers.await;
    let accepted = begun.elapsed();
    for (mut wire, lasts) in workers {
        for last in lasts {
            wire = ended(wire, last).await;
        }
    }
    let flood =
        Flood { operations: calls * 500, accepted, applied: begun.elapsed(), answers: Times::default() };
    served.stop().await;
    flood
}

/// Has so many creates accepted in each workspace, in calls of at most 500 from eight connections.
pub async fn fill(team: &Team, each: usize) {
    join_all((0..8).map(|worker| async move {
        let mut wire = team.wire().await;
        for workspace in team.workspaces.iter().skip(worker).step_by(8) {
            let path = format!("/v1/workspaces/{workspace}/tasks/batch");
            for first in (0..each).step_by(500) {
                let items: Vec<String> = (first..each.min(first + 500)).map(body).collect();
                let body = format!(r#"{{"items":[{}]}}"#, items.join(","));
                wire.call("POST", &path, "", &body).await.json(202);
            }
        }
    }))
    .await;
}

fn operation(head: &str) -> String {
    let line = head.lines().find(|l| l.to_ascii_lowercase().starts_with("operation-id:"));
    line.and_then(|l| l.split(':').nth(1)).expect("an operation has an id").trim().to_owned()
}

async fn ended(mut wire: Wire, operation: String) -> Wire {
    loop {
        let answer = wire
            .call("GET", &format!("/v1/operations/{operation}"), "Prefer: wait=30\r\n", "")
            .await
            .json(200);
        match answer["status"].as_str() {
            Some("applied") => return wire,
            Some("accepted") => {}
            _ => panic!("{answer}"),
        }
    }
}
