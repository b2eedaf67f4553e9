//! Units of work as transactions, beside each other.
//!
//! What must stay true: a unit is written whole or not at all; it is answered after its commit; once begun, it is not torn
//! by its caller's going away, for it runs in a task of its own. A unit that met another transaction is run again, so it
//! does nothing but through its connection.

use std::{panic::AssertUnwindSafe, sync::Arc};

use fairy_jobs::ports::{PortError, PortResult};
use futures::{FutureExt as _, future::BoxFuture};
use sqlx::mysql::MySqlPool;

use super::{Trouble, error, error::commit_error, script};
use crate::driver::Connection;

/// Runs units of work.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    pool: MySqlPool,
    begin: Arc<str>,
}

impl Writer {
    /// `begin` begins a transaction.
    pub(super) fn new(pool: MySqlPool, begin: &str) -> Self {
        Self { pool, begin: begin.into() }
    }

    /// Runs a unit of work: all of it is written and durable when this answers `Ok`, and nothing of it on an error but
    /// `Unknown`. If the caller goes away, the unit is done whole or not begun.
    pub async fn write<T, F>(&self, work: F) -> PortResult<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Clone + Send + 'static,
    {
        let writer = self.clone();
        let unit = tokio::spawn(async move { writer.run(work).await });
        unit.await.unwrap_or_else(|_| Err(PortError::Unavailable("the store is closed".to_owned())))
    }

    /// Waits for the units that were begun, then ends all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Waits until every connection is at rest: each unit has one, and they are given out in order.
    #[cfg(test)]
    pub async fn at_rest(&self) {
        let all = (0..self.pool.options().get_max_connections()).map(|_| self.pool.acquire());
        futures::future::try_join_all(all).await.unwrap();
    }

    async fn run<T, F>(&self, work: F) -> PortResult<T>
    where
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>> + Clone,
    {
        for again in 1.. {
            let (result, trouble) = self.attempt(work.clone()).await;
            match trouble {
                Some(trouble) if result.is_err() && again < trouble.tries() => {
                    tracing::debug!(?trouble, again, "a unit of work is run again");
                }
                _ => return result,
            }
        }
        Err(PortError::Unavailable("tried for ever".to_owned()))
    }

    async fn attempt<T, F>(&self, work: F) -> (PortResult<T>, Option<Trouble>)
    where
        F: for<'c> FnOnce(&'c mut Connection<'_>) -> BoxFuture<'c, PortResult<T>>,
    {
        let mut pooled = match self.pool.acquire().await {
            Ok(pooled) => pooled,
            Err(failed) => return (Err(error(&failed)), None),
        };
        if let Err(failed) = script(&mut pooled, &self.begin).await {
            pooled.close_on_drop();
            return (Err(error(&failed)), None);
        }
        let mut connection = Connection::mysql(&mut pooled);
        let end = AssertUnwindSafe(async { work(&mut connection).await }).catch_unwind().await;
        let trouble = connection.trouble();
        let result = end.unwrap_or_else(|_| Err(PortError::Broken("a unit of work panicked".to_owned())));
        let (end, result) = match (result, trouble) {
            // After a deadlock there is no transaction any more, whatever the unit made of it.
            (Ok(_), Some(trouble @ (Trouble::Deadlock | Trouble::LockWait | Trouble::Lost))) => {
                ("ROLLBACK", Err(PortError::Unavailable(format!("{trouble:?} in a unit of work"))))
            }
            (Err(failed), _) => ("ROLLBACK", Err(failed)),
            (Ok(value), _) => ("COMMIT", Ok(value)),
        };
        if trouble == Some(Trouble::Lost) {
            pooled.close_on_drop();
            return (result, trouble);
        }
        match (script(&mut pooled, end).await, result) {
            (Ok(()), result) => (result, trouble),
            (Err(failed), Ok(_)) => {
                pooled.close_on_drop();
                let certain = Trouble::of(&failed).filter(|trouble| *trouble == Trouble::Deadlock);
                (Err(commit_error(&failed)), certain)
            }
            (Err(_), Err(failed)) => {
                // The server rolls back when the connection ends.
                pooled.close_on_drop();
                (Err(failed), trouble)
            }
        }
    }
}
