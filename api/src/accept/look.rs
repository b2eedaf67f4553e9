//! Looking at the rows for outcomes that are waited for, in case the message that brings one got lost.
//!
//! All who wait in this process are looked for together, every 250 ms, so a lost message costs no more than that, and
//! the database is asked a few times in a second whether one request waits or a thousand. Only when more wait than are
//! looked for in a round does it take several rounds. While nobody waits nobody looks.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use fairy_jobs::{id::OperationId, operation::Outcome, ports::Ledger};
use tokio::{
    sync::SetOnce,
    time::{Instant, MissedTickBehavior, interval_at},
};

use crate::auth::Reach;

/// How often it is looked.
const EVERY: Duration = Duration::from_millis(250);
/// Most operations that are looked for in one round, and in one read.
const MOST_A_ROUND: usize = 2_000;
const MOST_A_READ: usize = 500;

/// Where the outcome comes; those who wait for one operation share it.
type Place = SetOnce<Outcome>;

/// Who looks, and for what.
pub(crate) struct Looks(Arc<Shared>);

struct Shared {
    ledger: Arc<dyn Ledger>,
    reach: Reach,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    /// An entry is dead when nobody waits any more, and is cleared away by the next round.
    places: BTreeMap<OperationId, Weak<Place>>,
    /// Where the last round ended.
    after: Option<OperationId>,
    /// Whether a task looks.
    looking: bool,
}

impl Looks {
    /// Looks at these rows, and notes whether they can be reached.
    pub fn new(ledger: Arc<dyn Ledger>, reach: Reach) -> Self {
        Self(Arc::new(Shared { ledger, reach, waiting: Mutex::default() }))
    }

    /// The outcome of an operation, when the rows have it; never ends before.
    pub async fn look(&self, id: OperationId) -> Outcome {
        let place = self.enter(id);
        place.wait().await.clone()
    }

    fn enter(&self, id: OperationId) -> Arc<Place> {
        let mut waiting = self.0.lock();
        let place = waiting.places.get(&id).and_then(Weak::upgrade).unwrap_or_default();
        waiting.places.insert(id, Arc::downgrade(&place));
        if !waiting.looking {
            waiting.looking = true;
            tokio::spawn(Looking { shared: Arc::clone(&self.0), ended: false }.run());
        }
        place
    }
}

/// The task that looks; should it end by a panic, the next request starts another.
struct Looking {
    shared: Arc<Shared>,
    ended: bool,
}

impl Looking {
    async fn run(mut self) {
        let mut rounds = interval_at(Instant::now() + EVERY, EVERY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let Some(ids) = self.shared.round() else {
                self.ended = true;
                return;
            };
            for ids in ids.chunks(MOST_A_READ) {
                let found = self.shared.ledger.outcomes(ids).await;
                self.shared.reach.note(&found);
                match found {
                    Ok(found) => found.into_iter().for_each(|outcome| self.shared.tell(outcome)),
                    Err(_) => break,
                }
            }
        }
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        if !self.ended {
            self.shared.lock().looking = false;
        }
    }
}

impl Shared {
    /// What the next round looks for; nothing when nobody waits, and then the task counts as ended.
    fn round(&self) -> Option<Vec<OperationId>> {
        let mut waiting = self.lock();
        waiting.places.retain(|_, place| place.strong_count() > 0);
        if waiting.places.is_empty() {
            waiting.looking = false;
            return None;
        }
        let from = waiting.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = waiting.places.range((from, Bound::Unbounded));
        let count = waiting.places.len().min(MOST_A_ROUND);
        let ids: Vec<_> = rest.chain(&waiting.places).map(|(id, _)| *id).take(count).collect();
        waiting.after = ids.last().copied();
        Some(ids)
    }

    fn tell(&self, outcome: Outcome) {
        let place = self.lock().places.remove(&outcome.id).and_then(|place| place.upgrade());
        if let Some(place) = place {
            // It is set once: the entry is gone.
            let _ = place.set(outcome);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use async_trait::async_trait;
    use fairy_jobs::{
        id::WorkspaceId,
        operation::{End, Operation},
        ports::{Applied, PortError, PortResult},
        testing::outcome,
    };
    use futures::future::join_all;
    use jiff::Timestamp;

    use super::*;

    /// Rows in which outcomes appear, and how many were asked for in each read.
    #[derive(Default)]
    struct Rows {
        there: Mutex<HashSet<OperationId>>,
        away: Mutex<bool>,
        reads: Mutex<Vec<usize>>,
    }

    #[async_trait]
    impl Ledger for Rows {
        async fn apply(&self, _: WorkspaceId, _: &[Operation], _: Timestamp) -> PortResult<Applied> {
            Err(PortError::Broken("only read here".into()))
        }

        async fn fail(&self, _: &Outcome) -> PortResult<Outcome> {
            Err(PortError::Broken("only read here".into()))
        }

        async fn outcome(&self, _: OperationId) -> PortResult<Option<Outcome>> {
            Err(PortError::Broken("looked for together".into()))
        }

        async fn known(&self, _: &[OperationId]) -> PortResult<Vec<OperationId>> {
            Err(PortError::Broken("outcomes are looked for".into()))
        }

        async fn outcomes(&self, ids: &[OperationId]) -> PortResult<Vec<Outcome>> {
            self.reads.lock().unwrap().push(ids.len());
            if *self.away.lock().unwrap() {
                return Err(PortError::Unavailable("away".into()));
            }
            let there = self.there.lock().unwrap();
            Ok(ids
                .iter()
                .filter(|id| there.contains(id))
                .map(|id| outcome(*id, End::Applied(None)))
                .collect())
        }
    }

    fn id(number: usize) -> OperationId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        OperationId::from_bytes(bytes)
    }

    fn looks() -> (Arc<Rows>, Looks) {
        let rows = Arc::new(Rows::default());
        (Arc::clone(&rows), Looks::new(rows as Arc<dyn Ledger>, Reach::default()))
    }

    /// However late the outcome comes after the request began to wait.
    #[tokio::test(start_paused = true)]
    async fn a_lost_message_costs_a_quarter_of_a_second_at_most() {
        for late in [0, 100, 260, 3_900, 60_000] {
            let (rows, looks) = looks();
            let applied = async {
                tokio::time::sleep(Duration::from_millis(late)).await;
                rows.there.lock().unwrap().insert(id(1));
                Instant::now()
            };
            let found = async {
                assert_eq!(looks.look(id(1)).await.id, id(1));
                Instant::now()
            };
            let (applied, found) = tokio::join!(applied, found);
            assert!(found - applied <= EVERY, "{late}: {:?}", found - applied);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_who_wait_are_looked_for_together_and_in_turn() {
        let (rows, looks) = looks();
        rows.there.lock().unwrap().extend((0..1_200).map(id));
        let start = Instant::now();
        let both = (0..2_400).map(|number| looks.look(id(number / 2)));
        assert_eq!(join_all(both).await.len(), 2_400);
        assert_eq!((start.elapsed(), rows.reads.lock().unwrap().clone()), (EVERY, vec![500, 500, 200]));
        // Those who wait in vain do not stand before the others.
        let vain = join_all((10_000..10_000 + MOST_A_ROUND).map(|number| looks.look(id(number))));
        let last = async {
            rows.there.lock().unwrap().insert(id(20_000));
            looks.look(id(20_000)).await
        };
        tokio::select! {
            biased;
            _ = vain => unreachable!("they have no outcome"),
            _ = last => {}
            () = tokio::time::sleep(EVERY * 4) => panic!("it is never its turn"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_ends_nothing_and_who_went_leaves_nothing() {
        let (rows, looks) = looks();
        *rows.away.lock().unwrap() = true;
        let waiting = looks.look(id(1));
        let comes_back = async {
            while rows.reads.lock().unwrap().len() < 3 {
                tokio::time::sleep(EVERY).await;
            }
            assert!(looks.0.reach.away());
            rows.there.lock().unwrap().insert(id(1));
            *rows.away.lock().unwrap() = false;
        };
        tokio::join!(waiting, comes_back);
        assert!(!looks.0.reach.away());
        let given_up = tokio::time::timeout(EVERY / 2, looks.look(id(2))).await;
        assert!(given_up.is_err());
        while looks.0.lock().looking {
            tokio::time::sleep(EVERY).await;
        }
        assert!(looks.0.lock().places.is_empty());
        rows.there.lock().unwrap().insert(id(3));
        assert_eq!(looks.look(id(3)).await.id, id(3), "it begins again");
    }
}
