//! The workspaces and people of a storm.

use std::sync::Mutex;

use crate::{
    harness::Server,
    team::{Person, Team, workspace},
};

/// What people are called; each can be mentioned by it.
const NAMES: [&str; 4] = ["Ana", "Ben", "Cho", "Dia"];
const SITES: usize = 3;

/// One workspace with its people; the first is its owner.
pub struct Site {
    /// `wsp_…`.
    pub id: String,
    /// Its people.
    pub people: Vec<Person>,
    /// Tasks that have an id, applied or not.
    pub tasks: Mutex<Vec<String>>,
}

impl Site {
    /// A path in the workspace.
    pub fn at(&self, path: &str) -> String {
        format!("/workspaces/{}{path}", self.id)
    }
}

/// A server and its workspaces.
pub struct World {
    /// The server.
    pub server: Server,
    /// The workspaces.
    pub sites: Vec<Site>,
}

impl World {
    /// Makes the workspaces, each with four people and two projects.
    pub async fn make(server: Server) -> Self {
        let mut server = server;
        let mut sites = Vec::new();
        for number in 0..SITES {
            let mut people = Vec::new();
            for name in NAMES {
                people.push(Person::sign_up(&server.url(), name).await);
            }
            let owner = people[0].clone();
            let (id, slug) = workspace(&owner, &format!("Site {number}")).await;
            let team = Team { server, owner, id, slug };
            team.project("WEB").await;
            team.project("OPS").await;
            for person in &people[1..] {
                team.admit(person, "member").await;
            }
            sites.push(Site { id: team.id, people, tasks: Mutex::default() });
            server = team.server;
        }
        Self { server, sites }
    }

    /// The same workspaces and people, as another server has them.
    pub fn on(&mut self, server: Server) -> Self {
        let mut sites = Vec::new();
        for site in &self.sites {
            let people =
                site.people.iter().map(|p| Person { api: p.api.at(&server.url()), ..p.clone() }).collect();
            sites.push(Site { id: site.id.clone(), people, tasks: Mutex::default() });
        }
        Self { server, sites }
    }
}
