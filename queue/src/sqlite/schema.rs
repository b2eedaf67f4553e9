//! The tables of the queue file, and its version.
//!
//! The file is this crate's own: its schema is counted in `PRAGMA user_version` and not among the migrations of the
//! application. Counters stand in `lanes` and `groups`, because counting rows would cost more the deeper a lane is.
//! A job's state decides which one of the partial indexes holds it, so a hand-out never meets a job it must skip:
//!
//! | `jobs.state` | held by |
//! |---|---|
//! | 0 waiting | `jobs_waiting`, and `jobs_in_group` when grouped |
//! | 1 later | `jobs_later` |
//! | 2 in hand | none; `hands.jobs` lists them |
//! | 3 suspect, plain lanes only | `jobs_suspect`, and `jobs_cohort` when it is of a cohort |
//!
//! `jobs.cohort`: the hand-out that a suspect was in when its worker died, while that is to be handed out again whole.
//!
//! `hands.alone`: 0 among others, 1 a suspect, 2 an accused, 3 a cohort (see `suspect`).
//!
//! `groups.state`: 0 nothing to hand out, 1 in the rota, 2 in hand, 3 blocked until `due`, 4 its head is a suspect.

use sqlx::{Connection, SqliteConnection};

/// The version this program writes.
pub(super) const VERSION: i64 = 3;

const READ_VERSION: &str = "PRAGMA user_version";

const CREATE: &str = "
CREATE TABLE lanes (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    paused    INTEGER NOT NULL DEFAULT 0,
    waiting   INTEGER NOT NULL DEFAULT 0,
    later     INTEGER NOT NULL DEFAULT 0,
    in_flight INTEGER NOT NULL DEFAULT 0,
    dead      INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE groups (
    id     INTEGER PRIMARY KEY,
    lane   INTEGER NOT NULL,
    name   TEXT NOT NULL,
    state  INTEGER NOT NULL DEFAULT 0,
    held   INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0,
    turn   INTEGER NOT NULL DEFAULT 0,
    due    INTEGER,
    UNIQUE (lane, name)
) STRICT;
CREATE INDEX groups_rota ON groups (lane, state, paused, turn);
CREATE INDEX groups_blocked ON groups (lane, due) WHERE state = 3;
CREATE INDEX groups_paused ON groups (lane) WHERE paused = 1;

CREATE TABLE jobs (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    lane       INTEGER NOT NULL,
    grp        INTEGER,
    state      INTEGER NOT NULL,
    due        INTEGER,
    hand       INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    suspect    INTEGER NOT NULL DEFAULT 0,
    cohort     INTEGER,
    crashes    INTEGER NOT NULL DEFAULT 0,
    needs      INTEGER NOT NULL,
    pushed_at  INTEGER NOT NULL,
    unique_key TEXT,
    hold       INTEGER,
    tag        TEXT,
    trace      TEXT,
    history    TEXT,
    doom       TEXT,
    doomed_at  INTEGER,
    payload    BLOB NOT NULL
) STRICT;
CREATE INDEX jobs_waiting ON jobs (lane, seq) WHERE state = 0;
CREATE INDEX jobs_in_group ON jobs (grp, seq) WHERE state = 0 AND grp IS NOT NULL;
CREATE INDEX jobs_later ON jobs (lane, due) WHERE state = 1;
CREATE INDEX jobs_suspect ON jobs (lane, seq) WHERE state = 3;
CREATE INDEX jobs_cohort ON jobs (cohort, seq) WHERE state = 3 AND cohort IS NOT NULL;

CREATE TABLE hands (
    token      INTEGER PRIMARY KEY AUTOINCREMENT,
    lane       INTEGER NOT NULL,
    grp        INTEGER,
    alone      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    worker     TEXT NOT NULL,
    jobs       TEXT NOT NULL
) STRICT;
CREATE INDEX hands_lapse ON hands (lane, expires_at);
CREATE INDEX hands_alone ON hands (alone, lane);

CREATE TABLE uniques (
    lane  INTEGER NOT NULL,
    key   TEXT NOT NULL,
    seq   INTEGER NOT NULL,
    tag   TEXT,
    until INTEGER,
    PRIMARY KEY (lane, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX uniques_until ON uniques (until) WHERE until IS NOT NULL;

CREATE TABLE dead (
    seq        INTEGER PRIMARY KEY,
    lane       INTEGER NOT NULL,
    grp_name   TEXT,
    error      TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    history    TEXT,
    needs      INTEGER NOT NULL,
    pushed_at  INTEGER NOT NULL,
    died_at    INTEGER NOT NULL,
    unique_key TEXT,
    hold       INTEGER,
    tag        TEXT,
    trace      TEXT,
    payload    BLOB NOT NULL
) STRICT;
CREATE INDEX dead_lane ON dead (lane, seq);
CREATE INDEX dead_key ON dead (lane, unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    action  TEXT NOT NULL,
    lane    TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;

CREATE TABLE owed (
    lane INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    key  TEXT NOT NULL,
    PRIMARY KEY (lane, seq)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
";

/// Version 1 knew no cohorts, and no doomed suspects.
const FROM_1: &str = "
ALTER TABLE jobs ADD COLUMN cohort INTEGER;

CREATE INDEX jobs_cohort ON jobs (cohort, seq) WHERE state = 3 AND cohort IS NOT NULL;

UPDATE jobs
SET suspect = 0, crashes = 0
WHERE doom IS NOT NULL;

PRAGMA user_version = 2;
";

/// Version 2 knew no account; what it holds is not entered, for whoever pushed it did not ask for it.
const FROM_2: &str = "
CREATE TABLE owed (
    lane INTEGER NOT NULL,
    seq  INTEGER NOT NULL,
    key  TEXT NOT NULL,
    PRIMARY KEY (lane, seq)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
";

/// The version of the file; 0 when it is new.
pub(super) async fn version(conn: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(READ_VERSION).fetch_one(conn).await
}

/// Makes the tables in a new file, or those of an older file as they are now, in one transaction.
pub(super) async fn bring_up(conn: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut tx = conn.begin_with("BEGIN IMMEDIATE").await?;
    loop {
        let text = match version(&mut tx).await? {
            0 => CREATE,
            1 => FROM_1,
            2 => FROM_2,
            _ => return tx.commit().await,
        };
        sqlx::raw_sql(text).execute(&mut *tx).await?;
    }
}
