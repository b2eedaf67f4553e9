//! Carrying out one round: one transaction for everything that had gathered.

use std::collections::{HashMap, HashSet};

use sqlx::SqliteConnection;

use super::account::acquit;
use super::claim::{Claiming, claim};
use super::command::{Answers, Fault, Round};
use super::operate::operate;
use super::push::push;
use super::settle::{renew, settle};
use super::transaction::{Counters, Sync, Transaction};

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
    /// What the connection was set to; a fault of any kind ends it.
    sync: Option<Sync>,
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
        Ok(Self { conn, lanes: HashMap::new(), counters, sync: None, never_sync })
    }

    /// Carries out a round whole, or nothing of it.
    ///
    /// # Errors
    /// With a fault that says whether the round may have been written all the same.
    pub async fn run(&mut self, round: &Round, now: i64) -> Result<(Answers, Woken), Fault> {
        let certain = |error: sqlx::Error| Fault { error: error.to_string(), unknown: false };
        self.know_lanes(round).await.map_err(certain)?;
        let sync = self.sync(round);
        let mut tx = Transaction::new(&mut self.conn, now, &self.lanes, &mut self.counters);
        if self.sync.replace(sync) != Some(sync) {
            tx.statement(sync.pragma());
        }
        tx.begin();
        match carry_out(&mut tx, round).await {
            Ok((answers, claims)) => match tx.commit().await {
                Ok(()) => finish(tx, answers, claims).await,
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
    fn sync(&self, round: &Round) -> Sync {
        match (self.never_sync, round.is_promise()) {
            (true, _) => Sync::Never,
            (false, true) => Sync::Full,
            (false, false) => Sync::Normal,
        }
    }
}

/// The answers but for the claims, whose jobs are read with the commit.
async fn carry_out(tx: &mut Transaction<'_>, round: &Round) -> Result<(Answers, Vec<Claiming>), sqlx::Error> {
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
    for (lane, known, _) in &round.acquittals {
        acquit(tx, lane, known)?;
    }
    let mut claims = Vec::with_capacity(round.claims.len());
    for (lane, ask, _) in &round.claims {
        claims.push(claim(tx, lane, ask).await?);
    }
    Ok((answers, claims))
}

/// What is told when all is written.
async fn finish(
    mut tx: Transaction<'_>,
    mut answers: Answers,
    claims: Vec<Claiming>,
) -> Result<(Answers, Woken), Fault> {
    for claim in claims {
        let claimed = claim.claimed(&mut tx).await;
        answers.claims.push(claimed.map_err(|error| Fault { error: error.to_string(), unknown: true })?);
    }
    Ok((answers, Woken { lanes: tx.woken, all: tx.wake_all }))
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
