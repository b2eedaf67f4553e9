//! Plays a schedule: lets each fault begin and end at its time, and after each round looks that the system is itself again.

use std::{
    collections::BTreeMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::task::block_in_place;

use super::{
    cluster::{Cluster, forget_the_dead},
    fault::{Engine, Fault, PARTS, Planned, Service},
    schedule::Round,
};
use crate::{
    aws::{DYNAMODB, EVENTBRIDGE},
    conservation::load::Shared,
    harness::{Server, Version, Way, now, pass, wait_until},
};

/// How long it may take after a round until all processes are ready.
const READY: Duration = Duration::from_secs(60);
/// How many answers show that clients get on again.
const ANSWERS: usize = 12;

/// How many commits lose their answers before a line is mended: so many that they changed something of each kind.
const UNANSWERED: usize = 12;
const MARIADB: usize = Engine::MariaDb as usize;

/// A fault that was, and when.
#[derive(Debug, Clone, Copy)]
pub struct Past {
    pub fault: Fault,
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Cluster {
    /// Plays all rounds under this load.
    pub async fn play(&mut self, rounds: &[Round], server: &mut Server, shared: &Shared) -> Vec<Past> {
        let mut past = Vec::new();
        for (number, round) in rounds.iter().enumerate() {
            progress(shared).await;
            let begun = Instant::now();
            self.play_round(round, server, &mut past).await;
            let ended = begun.elapsed();
            self.settle(server).await;
            let ready = begun.elapsed() - ended;
            progress(shared).await;
            let words: Vec<String> = round.iter().map(ToString::to_string).collect();
            eprintln!(
                "round {number} ({}): ready after {ready:.1?}, {:.1?} in all",
                words.join("; "),
                begun.elapsed()
            );
        }
        past
    }

    async fn play_round(&mut self, round: &Round, server: &mut Server, past: &mut Vec<Past>) {
        // Beginnings and ends by time. An end is put in once its fault has begun, for a process may take a while to stop.
        let mut moments: BTreeMap<(Duration, usize), Option<Timestamp>> =
            round.iter().enumerate().map(|(number, planned)| ((planned.begins, number), None)).collect();
        let begun = Instant::now();
        while let Some(((at, number), began)) = moments.pop_first() {
            pass(at.saturating_sub(begun.elapsed())).await;
            let Planned { fault, lasts, .. } = round[number];
            if let Some(from) = began {
                self.end(server, fault).await;
                past.push(Past { fault, from, to: now() });
            } else {
                let from = now();
                self.begin(server, fault).await;
                moments.insert((begun.elapsed() + lasts, number), Some(from));
            }
        }
    }

    async fn begin(&mut self, server: &mut Server, fault: Fault) {
        match fault {
            Fault::Kill(part) => {
                server.process(part).kill().await;
                forget_the_dead();
            }
            Fault::Suspend(part) => server.process(part).suspend().await,
            Fault::Crash(engine) => self.engines[engine as usize].kill(),
            Fault::Line(part, engine, way) => self.lines[part][engine as usize].set(way).await,
            Fault::Commits(part) => self.lines[part][MARIADB].set(Way::LosesCommits).await,
            Fault::Outside(service, way) => self.set_outside(service, way).await,
            Fault::Clock(part, step) => self.set_clock(part, step),
            Fault::Upgrade(worker, api) => {
                for part in [worker, api] {
                    self.replace(server, part, Version::Next).await;
                }
                // It is to be asked something, and one that has not begun to listen for SIGTERM does not stop in order.
                server.process(api).ready().await;
            }
        }
    }

    async fn end(&mut self, server: &mut Server, fault: Fault) {
        match fault {
            Fault::Kill(part) => self.spawn(server, part),
            Fault::Suspend(part) => server.process(part).resume(),
            Fault::Crash(engine) => block_in_place(|| self.engines[engine as usize].restart()),
            Fault::Line(part, engine, _) => self.lines[part][engine as usize].set(Way::Open).await,
            Fault::Commits(part) => self.end_of_losing_commits(server, part).await,
            Fault::Outside(service, _) => self.set_outside(service, Way::Open).await,
            Fault::Clock(part, _) => self.set_clock(part, 0),
            Fault::Upgrade(_, api) => self.replace(server, api, Version::This).await,
        }
    }

    /// Waits until commits were lost and the worker has noticed, and mends its line.
    async fn end_of_losing_commits(&mut self, server: &mut Server, part: usize) {
        let line = &mut self.lines[part][MARIADB];
        let (unanswered, unheard) = wait_until("commits get lost", || async {
            let (unanswered, unheard) = line.lost_commits();
            (unanswered >= UNANSWERED && unheard > 0).then_some((unanswered, unheard))
        })
        .await;
        let worker = &*server.process(part);
        let unknown = "fairy_apply_errors_total{kind=\"unknown\"} ";
        wait_until("the worker does not know what became of them", || async {
            let figures = worker.metrics().await?;
            let count: usize = figures.lines().find_map(|line| line.strip_prefix(unknown)?.parse().ok())?;
            (count >= unanswered + unheard).then_some(())
        })
        .await;
        line.set(Way::Open).await;
        self.lost_commits.push((unanswered, unheard));
    }

    async fn set_outside(&mut self, service: Service, way: Way) {
        let line = match service {
            Service::DynamoDb => &mut self.cloud.lines[DYNAMODB],
            Service::EventBridge => &mut self.cloud.lines[EVENTBRIDGE],
            Service::Mail => &mut self.mail,
        };
        line.set(way).await;
    }

    /// Stops a process in order and starts one of a version in its place.
    async fn replace(&mut self, server: &mut Server, part: usize, version: Version) {
        server.replace(part, version).await;
        (self.versions[part], self.ready[part]) = (version, false);
    }

    /// Waits until all processes are ready. One that found something away at its start ended, and is started again, as whatever
    /// supervises it would; one that was ready once must not end by itself.
    pub async fn settle(&mut self, server: &mut Server) {
        let until = Instant::now() + READY;
        for (part, command) in PARTS.iter().enumerate() {
            while !server.process(part).is_ready().await {
                if let Some(status) = server.process(part).end() {
                    let log = server.log();
                    assert!(!self.ready[part], "{command} {part} ended by itself, {status}:\n{log}");
                    self.restarts += 1;
                    self.spawn(server, part);
                }
                let late = Instant::now() >= until;
                assert!(!late, "{command} {part} does not become ready:\n{}", server.log());
                pass(Duration::from_millis(30)).await;
            }
            self.ready[part] = true;
        }
    }
}

/// Waits until clients had some answers more.
async fn progress(shared: &Shared) {
    let goal = shared.answers.load(Ordering::Relaxed) + ANSWERS;
    wait_until("clients get on", || async { (shared.answers.load(Ordering::Relaxed) >= goal).then_some(()) })
        .await;
}

/// Whether an engine is that of a fault; a fault names it by its place.
const _: () = assert!(Engine::Redis as usize == 0 && MARIADB == 1);
