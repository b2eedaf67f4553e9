//! Connections kept open for a while, for mails often come in bursts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use tokio::time::Instant;

/// The most connections that are kept.
const MOST: usize = 16;
/// How long one is kept; servers close idle ones after a few minutes (RFC 5321 §4.5.3.2.7).
const IDLE: Duration = Duration::from_secs(30);

/// The connections that nobody uses just now, the one used last on top.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<(Instant, AsyncSmtpConnection)>>);

impl Pool {
    /// A connection that may still be open.
    pub(super) fn take(&self) -> Option<AsyncSmtpConnection> {
        self.parked().pop().map(|(_, connection)| connection)
    }

    /// Forgets all of them: one was closed or is silent, so the others, which are older, most likely are.
    pub(super) fn clear(&self) {
        self.parked().clear();
    }

    /// Keeps a connection for a while.
    pub(super) fn park(self: &Arc<Self>, connection: AsyncSmtpConnection) {
        let mut parked = self.parked();
        if parked.len() < MOST {
            parked.push((Instant::now(), connection));
            if parked.len() == 1 {
                tokio::spawn(tidy(Arc::downgrade(self)));
            }
        }
    }

    fn parked(&self) -> MutexGuard<'_, Vec<(Instant, AsyncSmtpConnection)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes what was kept too long, until nothing is kept.
async fn tidy(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(IDLE).await;
        let Some(pool) = pool.upgrade() else { return };
        let old: Vec<_> = {
            let mut parked = pool.parked();
            let split = parked.partition_point(|(since, _)| since.elapsed() >= IDLE);
            parked.drain(..split).collect()
        };
        for (_, mut connection) in old {
            // Saying goodbye is polite and nothing more; a server that does not answer is left at once.
            drop(tokio::time::timeout(Duration::from_secs(1), connection.abort()).await);
        }
        if pool.parked().is_empty() {
            return;
        }
    }
}
