//! The peers: other queues over the same server, driven by a program of their own language, beside ours in each round.
//!
//! They are optional: where one is missing, a loud line says so and its figures are left out.

use std::process::{Command, Stdio};

use super::rounds::Rounds;

/// A queue of others.
pub struct Peer {
    /// Its name in the table.
    pub name: &'static str,
    /// By what its program is run.
    interpreter: &'static str,
    program: &'static str,
    /// What says where it is installed; empty where it is missing.
    variable: &'static str,
}

/// All of them.
pub const PEERS: [Peer; 2] = [
    Peer {
        name: "BullMQ",
        interpreter: "node",
        program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/cluster/peers/bullmq.cjs"),
        variable: "FAIRY_BENCH_BULLMQ",
    },
    Peer {
        name: "Sidekiq",
        interpreter: "ruby",
        program: concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/cluster/peers/sidekiq.rb"),
        variable: "FAIRY_BENCH_SIDEKIQ",
    },
];

/// Those that are there.
pub fn present() -> Vec<&'static Peer> {
    let there = |peer: &&Peer| {
        let there = std::env::var_os(peer.variable).is_some_and(|place| !place.is_empty());
        if !there {
            eprintln!(
                "\nNOT MEASURED: {} is missing ({} says where it is); `make bench` installs it.\n",
                peer.name, peer.variable
            );
        }
        there
    };
    PEERS.iter().filter(there).collect()
}

impl Peer {
    /// Runs it on a server and notes what it prints: a name and a figure a line.
    pub async fn run(&'static self, port: u16, jobs: usize, rounds: &mut Rounds) {
        let run = move || {
            Command::new(self.interpreter)
                .arg(self.program)
                .args([port.to_string(), jobs.to_string()])
                .stdin(Stdio::null())
                .stderr(Stdio::inherit())
                .output()
                .expect("its interpreter is there")
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(output.status.success(), "{} failed: {}", self.name, output.status);
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, figure) = line.rsplit_once(' ').expect("a name and a figure");
            eprintln!("{} {name}: {figure}", self.name);
            rounds.note(&format!("{} {name}", self.name), figure.parse().expect("a number"));
        }
    }
}
