//! The storm: clients write, and the server is killed or suspended under them.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::{
    account::{Account, Known},
    load::{Client, Shared},
    world::World,
};
use crate::harness::{Server, eventually, pass};

const CLIENTS: usize = 9;
/// How long the server stands still, in ms: longer than the lease of an operation (5 s), so that it finds its own work taken
/// from it when it goes on.
const STILL: Range<u64> = 5_200..7_000;

/// What kind of storm.
pub struct Storm {
    /// What its choices come from.
    pub seed: u64,
    /// How often the server is killed, at least.
    pub kills: usize,
    /// How often it is suspended.
    pub suspensions: usize,
    /// Where to copy the system to in the midst of it.
    pub backup: Option<PathBuf>,
}

/// What a storm left.
pub struct Aftermath {
    /// What was sent.
    pub sent: Account,
    /// What had been acknowledged when the copy was begun.
    pub sent_before_backup: Account,
    /// How often the server was killed.
    pub kills: usize,
}

impl Storm {
    /// Lets it rage until the server was killed often enough and all clients have their answers.
    pub async fn rage(self, world: &mut World) -> Aftermath {
        let shared = Shared::default();
        let kill = async |server: &mut Server, shared: &Shared| self.kill(server, shared).await;
        let (sent, (kills, sent_before_backup)) = under_load(world, self.seed, shared, kill).await;
        Aftermath { sent, sent_before_backup, kills }
    }

    async fn kill(&self, server: &mut Server, shared: &Shared) -> (usize, Account) {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut kills = 0;
        let mut before_backup = Account::default();
        let mut suspensions = self.suspensions;
        let rounds = self.kills + self.suspensions;
        for round in 0..rounds {
            if let Some(dir) = self.backup.as_ref().filter(|_| round == rounds / 2) {
                before_backup = backup(server, dir, shared).await;
            }
            let goal = shared.answers.load(Ordering::Relaxed) + random.random_range(1..250);
            let moment = Duration::from_millis(random.random_range(1..2_500));
            eventually(moment, || async { (shared.answers.load(Ordering::Relaxed) >= goal).then_some(()) })
                .await;
            if random.random_range(0..rounds - round) < suspensions {
                suspensions -= 1;
                server.suspend().await;
                pass(Duration::from_millis(random.random_range(STILL))).await;
                server.resume();
                continue;
            }
            server.kill().await;
            kills += 1;
            if random.random_ratio(1, 4) {
                server.spawn();
                pass(Duration::from_millis(random.random_range(1..400))).await;
                server.kill().await;
                kills += 1;
            }
            server.start().await;
        }
        (kills, before_backup)
    }
}

/// Lets clients write while there is trouble; what was sent when all have their answers, and what the trouble left.
pub async fn under_load<T>(
    world: &mut World,
    seed: u64,
    shared: Shared,
    trouble: impl AsyncFnOnce(&mut Server, &Shared) -> T,
) -> (Account, T) {
    let shared = Arc::new(shared);
    let (sites, server) = (&world.sites, &mut world.server);
    let doors = server.urls();
    let clients = (0..CLIENTS).map(|number| {
        let site = number % sites.len();
        let person = number / sites.len();
        Client::new(&sites[site], (site, person, number), shared.clone(), seed).by(&doors).run()
    });
    let trouble = async {
        let left = trouble(server, &shared).await;
        shared.stop.store(true, Ordering::Relaxed);
        left
    };
    let (_, left) = tokio::join!(join_all(clients), trouble);
    let sent = shared.account.lock().unwrap().clone();
    (sent, left)
}

/// Copies the system while the clients go on; what they had been told before that.
async fn backup(server: &Server, dir: &Path, shared: &Shared) -> Account {
    let goal = shared.answers.load(Ordering::Relaxed) + 20;
    eventually(Duration::from_secs(30), || async {
        (shared.answers.load(Ordering::Relaxed) >= goal).then_some(())
    })
    .await;
    let mut before = shared.account.lock().unwrap().clone();
    before.operations.retain(|_, sent| sent.known != Known::Nothing);
    server.beside(&["backup", &dir.display().to_string()]).await.succeeded();
    before
}
