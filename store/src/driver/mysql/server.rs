//! How a server is reached, and what every session on it is set to.
//!
//! Two pools on the writing endpoint, so that reads do not wait behind transactions that wait for locks; lists may go to a
//! reading endpoint. TLS, its certificates and the password come with the URL. Whoever is stopped within a transaction
//! holds its locks until the server cuts its session: MariaDB knows how long a session may idle in a transaction; MySQL
//! only how long it may idle at all, which is therefore set for the time of each transaction.

use std::{str::FromStr as _, time::Duration};

use fairy_jobs::ports::PortResult;
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _,
    mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions},
};

use super::{PATIENCE, Writer, error, in_time, script};
use crate::{OpenError, driver::Connection};

/// Prepared statements of one connection; a server keeps at most 16,382 for everybody.
const STATEMENTS: usize = 128;
/// How long a read waits for a connection, and a unit of work, before which others may stand in line.
const ACQUIRE: Duration = Duration::from_secs(3);
const ACQUIRE_TO_WRITE: Duration = Duration::from_secs(6);
/// A connection that idled for longer is asked whether it is still there, and must answer within this time.
const TRUSTED: Duration = Duration::from_secs(1);
/// The longest that a schema change may take.
const CHANGE: Duration = Duration::from_secs(6 * 3600);

/// What a session is set to. Lock waits and isolation are those of the design; without semi-joins, a condition on rows of
/// another table never leads a list. What stands in `/*M! */` only MariaDB reads.
const SET_UP: &str = "\
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET SESSION time_zone = '+00:00',
    sql_mode = 'STRICT_ALL_TABLES,ONLY_FULL_GROUP_BY,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
    innodb_lock_wait_timeout = 2,
    lock_wait_timeout = 30,
    wait_timeout = 28800,
    optimizer_switch = 'semijoin=off,materialization=off'
    /*M!100301 , idle_transaction_timeout = {lease}, idle_write_transaction_timeout = {lease} */";

const BEGIN: &str = "\
SET SESSION wait_timeout = {lease};
START TRANSACTION";

/// After a transaction, before the connection waits for the next.
const REST: &str = "\
ROLLBACK;
SET SESSION wait_timeout = 28800";

/// Where a server is and how it is used. Its `Debug` is left out because its URLs hold passwords.
#[derive(Clone)]
pub struct Server {
    /// `mysql://user:password@host:port/database`; TLS is used where it is offered, `?ssl-mode=VERIFY_IDENTITY` insists on it
    /// and `&ssl-ca=FILE` names who must have signed.
    pub url: String,
    /// An endpoint for lists, where there is one; it may lag a little behind.
    pub reader_url: Option<String>,
    /// The most connections of each kind, of which there are two, or three with an endpoint for lists.
    pub connections: u32,
    /// How long somebody who stopped within a transaction may hold its locks; in whole seconds, at least one.
    pub lease: Duration,
}

impl Server {
    /// The server at a URL, with the settings for most.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), reader_url: None, connections: 8, lease: Duration::from_secs(5) }
    }
}

/// Opens connections to one server; it holds the password, so it has no `Debug`.
#[derive(Clone)]
pub(crate) struct Opener {
    options: MySqlConnectOptions,
    connections: u32,
    lease: u64,
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(crate) struct Readers(MySqlPool);

/// A connection that belongs to no pool.
pub(crate) struct Alone(MySqlConnection);

impl Opener {
    /// For the server at one of its URLs.
    pub fn new(server: &Server, url: &str) -> Result<Self, OpenError> {
        let options =
            MySqlConnectOptions::from_str(url).map_err(|error| OpenError::Url(error.to_string()))?;
        if options.get_database().is_none() {
            return Err(OpenError::Url("it names no database".to_owned()));
        }
        let options = options
            .charset("utf8mb4")
            .collation("utf8mb4_bin")
            .pipes_as_concat(false)
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let lease = server.lease.as_secs().max(1);
        Ok(Self { options, connections: server.connections.max(1), lease })
    }

    /// Which server this is, for people; without its password.
    pub fn place(&self) -> String {
        let database = self.options.get_database().unwrap_or_default();
        format!("{}:{}/{database}", self.options.get_host(), self.options.get_port())
    }

    /// Whether the server can be reached and is one that is known to work.
    pub async fn try_out(&self) -> Result<(), OpenError> {
        let failed = |failed: sqlx::Error| {
            let (at, reason) = (self.place(), failed.to_string());
            if error::denies(&failed) {
                OpenError::Denied { at, reason }
            } else {
                OpenError::Away { at, reason }
            }
        };
        let mut session = self.session().await.map_err(failed)?;
        let version = sqlx::query("SELECT VERSION()").fetch_one(&mut session).await.map_err(failed)?;
        let version: String = version.try_get_unchecked(0).map_err(failed)?;
        session.close().await.map_err(failed)?;
        if is_known(&version) { Ok(()) } else { Err(OpenError::TooOld { at: self.place(), version }) }
    }

    /// The writing connections.
    pub fn writer(&self) -> Writer {
        let pool = self
            .pool()
            .acquire_timeout(ACQUIRE_TO_WRITE)
            .after_release(|session, _| Box::pin(async move { script(session, REST).await.map(|()| true) }));
        Writer::new(pool.connect_lazy_with(self.options.clone()), &self.say(BEGIN))
    }

    /// The reading connections.
    pub fn readers(&self) -> Readers {
        Readers(self.pool().connect_lazy_with(self.options.clone()))
    }

    /// A connection of its own, which may take its time and is in no transaction.
    pub async fn alone(&self) -> PortResult<Alone> {
        Ok(Alone(self.session().await.map_err(|failed| error(&failed))?))
    }

    async fn session(&self) -> Result<MySqlConnection, sqlx::Error> {
        let mut session = in_time(PATIENCE, self.options.connect()).await?;
        script(&mut session, &self.say(SET_UP)).await?;
        Ok(session)
    }

    fn pool(&self) -> MySqlPoolOptions {
        let set_up = self.say(SET_UP);
        MySqlPoolOptions::new()
            .max_connections(self.connections)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .after_connect(move |session, _| {
                let set_up = set_up.clone();
                Box::pin(async move { script(session, &set_up).await })
            })
            .before_acquire(|session, held| {
                Box::pin(async move {
                    if held.idle_for > TRUSTED {
                        in_time(TRUSTED, session.ping()).await?;
                    }
                    Ok(true)
                })
            })
    }

    fn say(&self, text: &str) -> String {
        text.replace("{lease}", &self.lease.to_string())
    }
}

impl Alone {
    /// It in hand.
    pub fn connection(&mut self) -> Connection<'_> {
        Connection::mysql(&mut self.0).with_patience(CHANGE)
    }

    /// Ends it.
    pub async fn close(self) -> PortResult<()> {
        self.0.close().await.map_err(|failed| error(&failed))
    }
}

impl Readers {
    /// A connection to read with, outside any transaction.
    pub async fn acquire(&self) -> PortResult<Connection<'static>> {
        let connection = self.0.acquire().await.map_err(|failed| error(&failed))?;
        Ok(Connection::mysql_reader(connection))
    }

    /// Ends all of them.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// MySQL from 8.0 and MariaDB from 10.6.
fn is_known(version: &str) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse::<u32>().ok());
    let version_of = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version_of >= if version.contains("MariaDB") { (10, 6) } else { (8, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_not_known() {
        for known in ["8.0.36", "9.7.0-debian", "10.6.0-MariaDB", "11.4.2-MariaDB-ubu2404", "8.4.0-aurora"] {
            assert!(is_known(known), "{known}");
        }
        for old in ["5.7.44", "10.5.29-MariaDB-0+deb11u1", "10.4.34-MariaDB", "nonsense"] {
            assert!(!is_known(old), "{old}");
        }
    }
}
