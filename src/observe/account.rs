//! Whether anything that was accepted is lost.
//!
//! Every operation stands in the account of its lane from its push until somebody vouches for it. This does, by looking it
//! up in the database: what the lane neither holds nor has among its dead letters has ended, and then its row is there,
//! for it is committed before the job goes. So what is in none of the three places was lost, by a defect, by a hand in the
//! files, or by a restored copy that is older than the lane; and it is known by name, not as a difference of counts, and
//! nothing is written for it where operations are applied.
//!
//! For a minute nothing is said, for a reader may lag behind. Whoever works the lane looks; more than one do no harm.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fairy_jobs::{
    clock::Clock,
    id::OperationId,
    ports::{Ledger, PortError},
};
use fairy_queue::{JobId, Owed, OwedPage, Queue, QueueError};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::lanes::OPERATIONS;

/// How often it looks.
const LOOK: Duration = Duration::from_secs(1);
/// Entries read at a time.
const PAGE: u32 = 500;
/// Pages of one look: a deep lane is walked over several.
const PAGES: usize = 20;
/// How long an operation may seem lost before it is.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// What was found last.
#[derive(Debug, Clone, Default)]
pub struct Found(Arc<[AtomicU64; 2]>);

impl Found {
    /// Operations that are lost.
    pub fn unaccounted(&self) -> u64 {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Operations that nobody has vouched for yet, most of which wait in the lane.
    pub fn unconfirmed(&self) -> u64 {
        self.0[1].load(Ordering::Relaxed)
    }

    fn set(&self, at: usize, count: usize) {
        self.0[at].store(count as u64, Ordering::Relaxed);
    }
}

/// Walks the account again and again.
pub struct Auditor {
    queue: Queue,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    found: Found,
    walk: Walk,
    missing: BTreeMap<JobId, Missing>,
}

/// A walk that is under way.
#[derive(Default)]
struct Walk {
    after: Option<JobId>,
    held: usize,
    missing: BTreeSet<JobId>,
}

struct Missing {
    key: String,
    since: Timestamp,
    told: bool,
}

impl Auditor {
    /// Somebody who looks, and says here what was found.
    pub fn new(queue: Queue, ledger: Arc<dyn Ledger>, clock: Arc<dyn Clock>, found: Found) -> Self {
        Self { queue, ledger, clock, found, walk: Walk::default(), missing: BTreeMap::new() }
    }

    /// Looks until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let next = async {
                ticks.tick().await;
                self.look().await
            };
            // A look may wait for a database that says nothing.
            let looked = tokio::select! {
                () = stop.cancelled() => return,
                looked = next => looked,
            };
            if let Err(error) = looked {
                tracing::debug!(%error, "the account cannot be read for now");
                self.walk = Walk::default();
            }
            self.tell();
        }
    }

    /// Goes on with the walk, or begins the next one.
    async fn look(&mut self) -> Result<(), PortError> {
        for _ in 0..PAGES {
            let after = self.walk.after.take();
            let page = self.queue.owed(&OPERATIONS, after, PAGE).await.map_err(away)?;
            let next = page.next.clone();
            self.judge(page).await?;
            if next.is_none() {
                let Walk { held, missing, .. } = std::mem::take(&mut self.walk);
                self.missing.retain(|job, _| missing.contains(job));
                self.found.set(1, held + missing.len());
                return Ok(());
            }
            self.walk.after = next;
        }
        Ok(())
    }

    /// Vouches for what the database knows.
    async fn judge(&mut self, page: OwedPage) -> Result<(), PortError> {
        self.walk.held += usize::try_from(page.held).unwrap_or(usize::MAX);
        let ids: Vec<OperationId> = page.gone.iter().filter_map(|owed| owed.key.parse().ok()).collect();
        if page.gone.is_empty() {
            return Ok(());
        }
        let known: BTreeSet<String> =
            self.ledger.known(&ids).await?.into_iter().map(|id| id.to_string()).collect();
        let (known, missing): (Vec<Owed>, Vec<Owed>) =
            page.gone.into_iter().partition(|owed| known.contains(&owed.key));
        for Owed { job, .. } in &known {
            self.missing.remove(job);
        }
        let since = self.clock.now();
        for Owed { job, key } in missing {
            self.walk.missing.insert(job.clone());
            self.missing.entry(job).or_insert(Missing { key, since, told: false });
        }
        self.queue.acquit(&OPERATIONS, known).await.map_err(away)
    }

    /// Counts what is lost, and says so once.
    fn tell(&mut self) {
        let now = self.clock.now();
        let mut lost = 0;
        for (job, missing) in &mut self.missing {
            if now.duration_since(missing.since) < GRACE {
                continue;
            }
            lost += 1;
            if !std::mem::replace(&mut missing.told, true) {
                let operation = missing.key.as_str();
                tracing::error!(
                    operation,
                    %job,
                    "an accepted operation is lost: neither its lane nor the database knows it; `fairy lanes discard operations JOB` ends this alarm"
                );
            }
        }
        self.found.set(0, lost);
    }
}

fn away(error: QueueError) -> PortError {
    PortError::Unavailable(error.0)
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, atomic::AtomicI64};

    use async_trait::async_trait;
    use fairy_jobs::{
        id::WorkspaceId,
        operation::{Operation, Outcome},
        ports::{Applied, PortResult},
    };
    use fairy_queue::{
        Ask, Hold, NewJob, Settled, Verdict, Which,
        sqlite::{Mode, Options, open},
    };
    use sqlx::Connection as _;

    use super::*;

    struct Manual(AtomicI64);

    impl Clock for Manual {
        fn now(&self) -> Timestamp {
            Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
        }
    }

    /// Rows that are there.
    #[derive(Default)]
    struct Rows(Mutex<Vec<OperationId>>);

    #[async_trait]
    impl Ledger for Rows {
        async fn apply(&self, _: WorkspaceId, _: &[Operation], _: Timestamp) -> PortResult<Applied> {
            Err(PortError::Broken("only read here".into()))
        }

        async fn fail(&self, _: &Outcome) -> PortResult<Outcome> {
            Err(PortError::Broken("only read here".into()))
        }

        async fn known(&self, ids: &[OperationId]) -> PortResult<Vec<OperationId>> {
            let there = self.0.lock().unwrap();
            Ok(ids.iter().filter(|id| there.contains(id)).copied().collect())
        }

        async fn outcome(&self, _: OperationId) -> PortResult<Option<Outcome>> {
            Err(PortError::Broken("whether it is there is enough".into()))
        }

        async fn outcomes(&self, _: &[OperationId]) -> PortResult<Vec<Outcome>> {
            Err(PortError::Broken("whether it is there is enough".into()))
        }
    }

    /// What is logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Log {
        fn alarms(&self) -> usize {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap().matches("is lost").count()
        }
    }

    fn operation(number: u8) -> OperationId {
        OperationId::from_bytes([number; 16])
    }

    struct Scene {
        directory: tempfile::TempDir,
        clock: Arc<Manual>,
        rows: Arc<Rows>,
        queue: Queue,
        auditor: Auditor,
    }

    impl Scene {
        async fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("queue.db");
            let options = Options { path, clock: Arc::new(|| 0), mode: Mode::Serve };
            let queue = open(options).await.unwrap();
            let (clock, rows) = (Arc::new(Manual(AtomicI64::new(0))), Arc::new(Rows::default()));
            let auditor = Auditor::new(queue.clone(), rows.clone(), clock.clone(), Found::default());
            Self { directory, clock, rows, queue, auditor }
        }

        /// Accepts operations, as the API does.
        async fn accept(&self, numbers: std::ops::Range<u8>) {
            let job = |number| {
                let key = operation(number).to_string();
                NewJob::new(b"{}".to_vec()).group("g").unique(key, Hold::UntilAcknowledged).accountable()
            };
            self.queue.push(&OPERATIONS, numbers.map(job).collect()).await.unwrap();
        }

        /// Looks after so many more seconds; what is lost, and what nobody has vouched for.
        async fn after(&mut self, seconds: i64) -> (u64, u64) {
            self.clock.0.fetch_add(seconds, Ordering::Relaxed);
            self.auditor.look().await.unwrap();
            self.auditor.tell();
            (self.auditor.found.unaccounted(), self.auditor.found.unconfirmed())
        }

        /// Acknowledges everything.
        async fn acknowledge(&self) {
            let ask = Ask { hands: 1, worker: "test".into() };
            let claimed = self.queue.broker().claim(&OPERATIONS, ask).await.unwrap();
            let done = |hand: fairy_queue::Hand| Settled {
                token: hand.token,
                verdicts: hand.jobs.into_iter().map(|job| (job.id, Verdict::Remove)).collect(),
            };
            let settled = claimed.hands.into_iter().map(done).collect();
            assert_eq!(self.queue.broker().settle(&OPERATIONS, settled).await.unwrap(), []);
        }
    }

    #[tokio::test]
    async fn what_was_applied_is_vouched_for_and_nothing_is_lost() {
        let mut scene = Scene::new().await;
        scene.accept(0..3).await;
        assert_eq!(scene.after(100).await, (0, 3), "they wait in the lane");
        scene.rows.0.lock().unwrap().extend((0..3).map(operation));
        assert_eq!(scene.after(100).await, (0, 3), "and are in both");
        scene.acknowledge().await;
        assert_eq!(scene.after(0).await, (0, 0));
        let account = scene.queue.owed(&OPERATIONS, None, PAGE).await.unwrap();
        assert_eq!((account.held, account.gone), (0, vec![]), "they are struck out");
    }

    #[tokio::test]
    async fn what_is_lost_is_counted_and_said_once_after_a_minute_until_an_operator_ends_it() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
        let _logging = tracing::subscriber::set_default(subscriber);
        let mut scene = Scene::new().await;
        scene.accept(0..3).await;
        let url = format!("sqlite://{}", scene.directory.path().join("queue.db").display());
        let mut file = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::query("DELETE FROM jobs WHERE seq = 2").execute(&mut file).await.unwrap();
        assert_eq!(scene.after(0).await, (0, 3));
        assert_eq!(scene.after(59).await, (0, 3));
        assert_eq!(log.alarms(), 0, "not yet");
        assert_eq!(scene.after(1).await, (1, 3));
        assert_eq!(scene.after(1).await, (1, 3));
        assert_eq!(log.alarms(), 1, "once");
        let lost = Which::Ids(vec![JobId::from("2".to_owned())]);
        assert_eq!(scene.queue.discard_dead(&OPERATIONS, lost, "ada").await.unwrap().len(), 1);
        assert_eq!(scene.after(1).await, (0, 2));
    }

    #[tokio::test]
    async fn what_is_acknowledged_and_was_never_applied_is_lost() {
        let mut scene = Scene::new().await;
        scene.accept(0..2).await;
        scene.rows.0.lock().unwrap().push(operation(0));
        scene.acknowledge().await;
        assert_eq!(scene.after(0).await, (0, 1));
        scene.rows.0.lock().unwrap().push(operation(1));
        assert_eq!(scene.after(59).await, (0, 0), "a reader lagged behind");
        scene.accept(2..3).await;
        scene.acknowledge().await;
        scene.after(0).await;
        assert_eq!(scene.after(60).await, (1, 1));
    }
}
