//! One transaction of the writer: what its statements share.
//!
//! Statements are written for sets: what a round carries goes in as one JSON array and is joined by key, so a round
//! costs a fixed number of statements whatever it carries, and each row costs a lookup. Those that need no answer wait
//! and go to SQLite together with the next that does (see `script`).

use std::collections::{HashMap, HashSet};

use sqlx::sqlite::SqliteRow;
use sqlx::{Encode, FromRow, Sqlite, SqliteConnection, Type};

use super::script::Script;

/// Ids that the writer gives out, ahead of the database, which never gives one twice. What another process gave out in
/// between is looked up before a round (see `round`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Counters {
    /// The last job.
    pub seq: i64,
    /// The last hand-out.
    pub token: i64,
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
        Ok(Self { seq, token })
    }

    /// Goes on after what others gave out.
    pub async fn raise(&mut self, conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let written = Self::read(conn).await?;
        self.seq = self.seq.max(written.seq);
        self.token = self.token.max(written.token);
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

/// An open transaction.
pub(super) struct Transaction<'a> {
    conn: &'a mut SqliteConnection,
    script: Script,
    /// The broker's time, epoch ms, the same for all of it.
    pub now: i64,
    /// Ids of lanes by name.
    pub lanes: &'a HashMap<&'static str, i64>,
    /// Ids to give out.
    pub counters: &'a mut Counters,
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

/// A statement that is being put together; it waits to be sent unless its rows are asked for.
pub(super) struct Statement<'t, 'a>(&'t mut Transaction<'a>);

impl Statement<'_, '_> {
    /// Binds its next argument.
    pub fn bind<'q, T: Encode<'q, Sqlite> + Type<Sqlite>>(self, value: T) -> Self {
        self.0.script.bind(value);
        self
    }

    /// Sends what waits and this, and reads the rows it answers.
    pub async fn rows<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        self.0.script.send(self.0.conn).await
    }
}

impl<'a> Transaction<'a> {
    /// A transaction that has just begun on this connection.
    pub fn new(
        conn: &'a mut SqliteConnection,
        now: i64,
        lanes: &'a HashMap<&'static str, i64>,
        counters: &'a mut Counters,
    ) -> Self {
        let (script, deltas, woken) = Default::default();
        Self { conn, script, now, lanes, counters, deltas, woken, wake_all: false }
    }

    /// The next statement.
    pub fn statement<'t>(&'t mut self, text: &str) -> Statement<'t, 'a> {
        self.script.add(text);
        Statement(self)
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

    /// Writes the changes of counts and commits.
    pub async fn commit(&mut self) -> Result<(), sqlx::Error> {
        let changed = self.deltas.iter().filter(|(_, delta)| **delta != Delta::default());
        let rows: Vec<(i64, i64, i64, i64, i64)> = changed
            .map(|(lane, delta)| (*lane, delta.waiting, delta.later, delta.in_flight, delta.dead))
            .collect();
        let nothing: Vec<()> = self.statement(COMMIT).bind(json(&rows)?).rows().await?;
        debug_assert!(nothing.is_empty(), "a commit answers with no rows");
        Ok(())
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
