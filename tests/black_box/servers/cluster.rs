//! Lanes on a Redis Cluster, by the whole system: its own suite is in the crate `queue`.

use std::process::Command;

use serde_json::json;

use crate::{
    harness::{Keeper, Launch, Port, cluster_only, wait_until},
    team::Team,
};

/// Masters that share the slots; each lane is on one of them. They speak to each other at ports of their own, for those that
/// Redis would take are in the range of outgoing connections.
struct Nodes(Vec<Keeper>, #[expect(dead_code, reason = "held while the nodes run")] [Port; 3]);

impl Nodes {
    async fn start() -> Self {
        let buses = [(); 3].map(|()| Port::claim());
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port"];
        let node = |bus: &Port| Keeper::redis(&[&settings[..], &[&bus.number().to_string()]].concat());
        let nodes: Vec<Keeper> = buses.iter().map(node).collect();
        let addresses = nodes.iter().map(|node| format!("127.0.0.1:{}", node.port()));
        let made = Command::new("redis-cli")
            .args(["--cluster", "create", "--cluster-yes"])
            .args(addresses)
            .output()
            .expect("redis-cli comes with redis-server");
        assert!(made.status.success(), "{made:?}");
        let nodes = Self(nodes, buses);
        nodes.agree().await;
        nodes
    }

    async fn agree(&self) {
        for node in &self.0 {
            wait_until("the nodes know each other", || async {
                let port = node.port().to_string();
                let said = Command::new("redis-cli").args(["-p", &port, "cluster", "info"]).output().unwrap();
                String::from_utf8_lossy(&said.stdout).contains("cluster_state:ok").then_some(())
            })
            .await;
        }
    }

    fn url(&self) -> String {
        let addresses: Vec<_> = self.0.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", addresses.join(","))
    }
}

#[tokio::test]
async fn what_a_node_had_accepted_is_done_when_it_is_back() {
    if cluster_only() {
        return;
    }
    let mut nodes = Nodes::start().await;
    let mut team = Team::launch(Launch::new().set("QUEUE__URL", nodes.url())).await;
    let mina = team.member("Mina", "member").await;
    let told = team.server.beside(&["doctor"]).await.succeeded();
    assert!(told.contains("a cluster of 3 nodes, 3 of them masters"), "{told}");

    for worker in [1, 2] {
        team.server.process(worker).suspend().await;
    }
    let mut accepted = Vec::new();
    for number in 0..5 {
        let body = json!({"project": "WEB", "title": format!("t{number}"), "assignees": [mina.id]});
        let reply = team.owner.api.post(&team.at("/tasks"), &body).respond_async().await.is(202);
        accepted.push(reply.str("id"));
    }
    for node in &mut nodes.0 {
        node.kill();
    }
    for worker in [1, 2] {
        team.server.process(worker).resume();
    }
    let body = json!({"project": "WEB", "title": "Not now"});
    let refused = team.owner.api.post(&team.at("/tasks"), &body).await.problem(503, "unavailable");
    assert!(refused.header("Retry-After").is_some(), "{refused:?}");
    team.owner.api.get(&team.at("/tasks")).await.is(200);
    for node in &mut nodes.0 {
        node.restart();
    }
    nodes.agree().await;
    for (number, id) in accepted.iter().enumerate() {
        let path = format!("/operations/{id}");
        let applied = wait_until("it is applied", || async {
            let reply = team.owner.api.get(&path).header("Prefer", "wait=30").await;
            (reply["status"] == "applied").then_some(reply)
        });
        assert_eq!(applied.await["result"]["key"], format!("WEB-{}", number + 1));
    }
    team.told().await;
    let letters = team.letters().iter().filter(|l| l.to == mina.email && l.notice.is_some()).count();
    assert_eq!(letters, accepted.len(), "one mail for each");
    team.server.accounted().await;
    assert_eq!(team.server.stop().await, Some(0));
}
