//! Carrying out one round: one transaction for everything that had gathered.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::claim::claim;
use super::command::{Answers, Fault, Round};
use super::operate::operate;
use super::push::push;
use super::settle::{renew, settle};
use super::transaction::{Counters, Transaction};

/// Each also says whether another process has written: it may have given out ids.
const BEGIN_SYNCED: &str = "PRAGMA synchronous = FULL; BEGIN IMMEDIATE; PRAGMA data_version";
const BEGIN_UNSYNCED: &str = "PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE; PRAGMA data_version";
const BEGIN_NEVER_SYNCED: &str = "PRAGMA synchronous = OFF; BEGIN IMMEDIATE; PRAGMA data_version";
const ROLLBACK: &str = "ROLLBACK";

const MAKE_LANE: &str = "
INSERT INTO lanes (name)
VALUES (?1)
ON CONFLICT (name) DO NOTHING
";

const LANE_ID: &str = "
SELECT id
FROM lanes
WHERE name = ?1
";

/// What the writer keeps between rounds.
pub(super) struct Desk {
    pub conn: SqliteConnection,
    pub lanes: HashMap<&'static str, i64>,
    pub counters: Counters,
    /// The file as it was when the counters were read, as far as others write it.
    version: Option<i64>,
    /// Only a test of the power-cut test sets it: promises are then not kept.
    pub never_sync: bool,
}

/// Who is to look at their lane again after a round.
#[derive(Debug, Default)]
pub(super) struct Woken {
    pub lanes: HashSet<i64>,
    pub all: bool,
}

impl Desk {
    /// A desk on a fresh connection.
    pub async fn new(mut conn: SqliteConnection, never_sync: bool) -> Result<Self, sqlx::Error> {
        let counters = Counters::read(&mut conn).await?;
        Ok(Self { conn, lanes: HashMap::new(), counters, version: None, never_sync })
    }

    /// Carries out a round whole, or nothing of it.
    ///
    /// # Errors
    /// With a fault that says whether the round may have been written all the same.
    pub async fn run(&mut self, round: &Round, now: i64) -> Result<(Answers, Woken), Fault> {
        let certain = |error: sqlx::Error| Fault { error: error.to_string(), unknown: false };
        self.know_lanes(round).await.map_err(certain)?;
        let begin = sqlx::query_scalar(self.begin(round));
        let version: i64 = begin.fetch_one(&mut self.conn).await.map_err(certain)?;
        if self.version != Some(version) {
            self.counters.raise(&mut self.conn).await.map_err(certain)?;
            self.version = Some(version);
        }
        let mut tx = Transaction::new(&mut self.conn, now, &self.lanes, &mut self.counters);
        let answers = carry_out(&mut tx, round).await;
        match answers {
            Ok(answers) => match tx.commit().await {
                Ok(()) => Ok((answers, Woken { lanes: tx.woken, all: tx.wake_all })),
                Err(error) => {
                    let undone = sqlx::query(ROLLBACK).execute(&mut self.conn).await.is_ok();
                    // A full disk makes SQLite roll back by itself, and then there is nothing left to undo.
                    let certain = is_full(&error) || (undone && is_refusal(&error));
                    Err(Fault { unknown: !certain, error: error.to_string() })
                }
            },
            Err(error) => {
                // SQLite rolls back by itself after some errors, and then this fails: there is nothing left to undo.
                let _ = sqlx::query(ROLLBACK).execute(&mut self.conn).await;
                Err(certain(error))
            }
        }
    }

    /// Lanes are made outside the round, so that a round that fails leaves no id behind that was never written.
    async fn know_lanes(&mut self, round: &Round) -> Result<(), sqlx::Error> {
        for lane in round.lanes() {
            if !self.lanes.contains_key(lane.name) {
                sqlx::query(MAKE_LANE).bind(lane.name).execute(&mut self.conn).await?;
                let id: i64 = sqlx::query_scalar(LANE_ID).bind(lane.name).fetch_one(&mut self.conn).await?;
                self.lanes.insert(lane.name, id);
            }
        }
        Ok(())
    }

    /// A round that promises something is synced; the rest may be lost with the power, which only repeats a hand-out.
    fn begin(&self, round: &Round) -> &'static str {
        match (self.never_sync, round.is_promise()) {
            (true, _) => BEGIN_NEVER_SYNCED,
            (false, true) => BEGIN_SYNCED,
            (false, false) => BEGIN_UNSYNCED,
        }
    }
}

async fn carry_out(tx: &mut Transaction<'_>, round: &Round) -> Result<Answers, sqlx::Error> {
    let mut answers = Answers::default();
    let pushes: Vec<_> = round.pushes.iter().map(|(lane, jobs, _)| (lane, jobs.as_slice())).collect();
    answers.pushes = push(tx, &pushes).await?;
    for (lane, settled, _) in &round.settles {
        answers.settles.push(settle(tx, lane, settled).await?);
    }
    for (lane, tokens, _) in &round.renews {
        answers.renews.push(renew(tx, lane, tokens).await?);
    }
    for (lane, operation, by, _) in &round.operations {
        answers.operations.push(operate(tx, lane, operation, by).await?);
    }
    for (lane, ask, _) in &round.claims {
        answers.claims.push(claim(tx, lane, ask).await?);
    }
    Ok(answers)
}

/// Whether a commit that was then rolled back left nothing behind. After an I/O error (10) its last page may stand in
/// the log, where a crash before the next commit would find it.
fn is_refusal(error: &sqlx::Error) -> bool {
    code(error).is_some_and(|code| code != 10)
}

/// Whether the disk had no room (13): the page that would have completed the commit was not written.
fn is_full(error: &sqlx::Error) -> bool {
    code(error) == Some(13)
}

fn code(error: &sqlx::Error) -> Option<i64> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}
