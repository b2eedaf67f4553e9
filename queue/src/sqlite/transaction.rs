//! One transaction of the writer: what its statements share.
//!
//! Statements are written for sets: what a round carries goes in as one JSON array and is joined by key, so a round
//! costs a fixed number of statements whatever it carries, and each row costs a lookup. They wait and go to SQLite together
//! when an answer is needed (see `script`); the first of them begins the transaction, the last commits it.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, Sqlite, SqliteConnection, Type};

use super::script::Script;

/// Ids that the writer gives out, ahead of the database, which never gives one twice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    /// The last job.
    pub seq: i64,
    /// The last hand-out.
    pub token: i64,
    /// The file as it was when they were read, as far as others write it.
    version: Option<i64>,
}

const READ_COUNTERS: &str = "
SELECT
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'jobs'), 0),
    coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'hands'), 0)
";

impl Counters {
    /// Where the database stands.
    pub async fn read(conn: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let (seq, token) = sqlx::query_as(READ_COUNTERS).fetch_one(conn).await?;
        Ok(Self { seq, token, version: None })
    }

    /// Goes on after what others gave out, if another process has written since.
    async fn catch_up(&mut self, conn: &mut SqliteConnection, version: i64) -> Result<(), sqlx::Error> {
        if self.version != Some(version) {
            let written = Self::read(conn).await?;
            self.seq = self.seq.max(written.seq);
            self.token = self.token.max(written.token);
            self.version = Some(version);
        }
        Ok(())
    }
}

/// By how much the counts of one lane change.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delta {
    pub waiting: i64,
    pub later: i64,
    pub in_flight: i64,
    pub dead: i64,
}

/// Whether a transaction is flushed before it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sync {
    /// It is.
    Full,
    /// It may be lost with the power.
    Normal,
    /// Only a test of the power-cut test sets it: promises are then not kept.
    Never,
}

/// Begins, and answers whether another process has written: it may have given out ids.
const BEGIN: &str = "BEGIN IMMEDIATE; PRAGMA data_version";

impl Sync {
    /// Makes it so for the connection; not within a transaction.
    pub const fn pragma(self) -> &'static str {
        match self {
            Self::Full => "PRAGMA synchronous = FULL",
            Self::Normal => "PRAGMA synchronous = NORMAL",
            Self::Never => "PRAGMA synchronous = OFF",
        }
    }
}

/// A transaction.
pub(super) struct Transaction<'a> {
    conn: &'a mut SqliteConnection,
    script: Script,
    /// Answers that came with others and wait to be read.
    answers: HashMap<u64, Vec<SqliteRow>>,
    asked: u64,
    begun: Option<Asked<(i64,)>>,
    /// The broker's time, epoch ms, the same for all of it.
    pub now: i64,
    /// Ids of lanes by name.
    pub lanes: &'a HashMap<&'static str, i64>,
    counters: &'a mut Counters,
    /// Changes of counts, written once at the end.
    pub deltas: HashMap<i64, Delta>,
    /// Lanes that may now have something to hand out.
    pub woken: HashSet<i64>,
    /// Whether all lanes should look again.
    pub wake_all: bool,
}

const RELEASE_GROUPS: &str = "
UPDATE groups
SET held = held - v.gone,
    due = CASE WHEN v.due > ?2 THEN v.due END,
    turn = 1 + (
        SELECT coalesce(max(r.turn), 0)
        FROM groups AS r
        WHERE r.lane = ?3 AND r.state = 1 AND r.paused = 0
    ),
    state = CASE WHEN v.due > ?2 THEN 3 ELSE coalesce((
        SELECT CASE WHEN suspect = 1 THEN 4 ELSE 1 END
        FROM jobs
        WHERE grp = groups.id AND state = 0 AND grp IS NOT NULL
        ORDER BY seq
        LIMIT 1
    ), 0) END
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS gone, value ->> 2 AS due
    FROM json_each(?1)
) AS v
WHERE groups.id = v.id;

DELETE FROM groups
WHERE id IN (SELECT value ->> 0 FROM json_each(?1)) AND held = 0 AND paused = 0
";

const COMMIT: &str = "
UPDATE lanes
SET waiting = waiting + v.a,
    later = later + v.b,
    in_flight = in_flight + v.c,
    dead = dead + v.d
FROM (
    SELECT value ->> 0 AS id, value ->> 1 AS a, value ->> 2 AS b, value ->> 3 AS c, value ->> 4 AS d
    FROM json_each(?1)
) AS v
WHERE lanes.id = v.id;

COMMIT
";

/// A group that is let go: its id, how many of its jobs have left the lane, and until when it is blocked.
pub(super) type Released = (i64, i64, Option<i64>);

/// Rows that were asked for.
pub(super) struct Asked<T>(u64, PhantomData<fn() -> T>);

/// A statement that is being put together; it waits to be sent.
pub(super) struct Statement<'t, 'a>(&'t mut Transaction<'a>);

impl Statement<'_, '_> {
    /// Binds its next argument.
    pub fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(self, value: T) -> Self {
        self.0.script.bind(value);
        self
    }

    /// Asks for the rows it answers, to be read later.
    pub fn ask<T>(self) -> Asked<T> {
        self.0.ask()
    }

    /// Sends what waits and this, and reads the rows it answers.
    pub async fn rows<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow>,
    {
        let Self(tx) = self;
        let asked = tx.ask();
        tx.rows(asked).await
    }
}

impl<'a> Transaction<'a> {
    /// A transaction that is about to begin.
    pub fn new(
        conn: &'a mut SqliteConnection,
        now: i64,
        lanes: &'a HashMap<&'static str, i64>,
        counters: &'a mut Counters,
    ) -> Self {
        let (script, answers, deltas, woken) = Default::default();
        let (asked, begun, wake_all) = (0, None, false);
        Self { conn, script, answers, asked, begun, now, lanes, counters, deltas, woken, wake_all }
    }

    /// Begins; this goes with the first statement.
    pub fn begin(&mut self) {
        self.begun = Some(self.statement(BEGIN).ask());
    }

    /// The next statement.
    pub fn statement<'t>(&'t mut self, text: &str) -> Statement<'t, 'a> {
        self.script.add(text);
        Statement(self)
    }

    /// The rows that were asked for; sends what waits if they are not here yet.
    pub async fn rows<T>(&mut self, asked: Asked<T>) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow>,
    {
        if !self.answers.contains_key(&asked.0) {
            self.send().await?;
        }
        let rows = self.answers.remove(&asked.0);
        let rows = rows.ok_or_else(|| sqlx::Error::Protocol("a statement was not answered".to_owned()))?;
        rows.iter().map(T::from_row).collect()
    }

    fn ask<T>(&mut self) -> Asked<T> {
        self.asked += 1;
        self.script.ask(self.asked);
        Asked(self.asked, PhantomData)
    }

    async fn send(&mut self) -> Result<(), sqlx::Error> {
        let answers = &mut self.answers;
        let keep = |number, rows| drop(answers.insert(number, rows));
        self.script.send(self.conn, keep).await
    }

    /// The ids to give out, which nobody else gives out while this transaction is open.
    pub async fn counters(&mut self) -> Result<&mut Counters, sqlx::Error> {
        if let Some(begun) = self.begun.take() {
            let version = self.rows(begun).await?;
            let (version,) = version.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
            self.counters.catch_up(self.conn, version).await?;
        }
        Ok(self.counters)
    }

    /// The id of a lane, which the writer made sure of before the transaction.
    pub fn lane(&self, name: &str) -> Result<i64, sqlx::Error> {
        self.lanes
            .get(name)
            .copied()
            .ok_or_else(|| sqlx::Error::Protocol(format!("lane {name} is not known")))
    }

    /// The changes of counts of a lane so far.
    pub fn delta(&mut self, lane: i64) -> &mut Delta {
        self.deltas.entry(lane).or_default()
    }

    /// Puts groups of one lane back into the rota, or where else their head belongs, and forgets the empty ones.
    pub fn release_groups(&mut self, lane: i64, groups: &[Released]) -> Result<(), sqlx::Error> {
        if groups.is_empty() {
            return Ok(());
        }
        let now = self.now;
        self.statement(RELEASE_GROUPS).bind(json(groups)?).bind(now).bind(lane);
        self.woken.insert(lane);
        Ok(())
    }

    /// Writes the changes of counts and commits; what was asked for can be read afterwards too.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        let changed = self.deltas.iter().filter(|(_, delta)| **delta != Delta::default());
        let rows: Vec<(i64, i64, i64, i64, i64)> = changed
            .map(|(lane, delta)| (*lane, delta.waiting, delta.later, delta.in_flight, delta.dead))
            .collect();
        self.statement(COMMIT).bind(json(&rows)?);
        self.send().await
    }
}

/// Rows for `json_each`.
pub(super) fn json<T: serde::Serialize + ?Sized>(rows: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// A count as SQLite wants it.
pub(super) fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Milliseconds as SQLite wants them.
pub(super) fn millis(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
