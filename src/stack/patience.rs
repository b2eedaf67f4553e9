//! Waiting at the start for servers that are not there yet: where containers start together, some are later than others.
//!
//! All that a start waits for shares one time, and what waiting cannot mend (a password, a setting) is said at once.

use std::{
    fmt::{self, Display},
    time::Duration,
};

use tokio::time::Instant;

/// How long between two tries, and how often it is said that something is waited for.
const PAUSE: Duration = Duration::from_millis(250);
const SAY: Duration = Duration::from_secs(5);

/// The time that a start has.
#[derive(Debug)]
pub struct Patience {
    until: Instant,
    whole: Duration,
}

/// What is still so at the end of it.
#[derive(Debug)]
pub struct Late<E> {
    error: E,
    waited: Option<Duration>,
}

impl<E: Display> Display for Late<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)?;
        match self.waited {
            Some(waited) => write!(out, "; waited {} s for it (start.wait_seconds)", waited.as_secs()),
            None => Ok(()),
        }
    }
}

impl Patience {
    /// So long, from now on.
    pub fn of(whole: Duration) -> Self {
        Self { until: Instant::now() + whole, whole }
    }

    /// None: what is not there is said at once.
    pub fn none() -> Self {
        Self::of(Duration::ZERO)
    }

    /// Tries until it succeeds, fails in a way that does not pass, or the time is over.
    ///
    /// # Errors
    /// The last failure.
    pub async fn wait<T, E: Display>(
        &self,
        what: &str,
        may_pass: impl Fn(&E) -> bool,
        mut attempt: impl AsyncFnMut() -> Result<T, E>,
    ) -> Result<T, Late<E>> {
        let mut said: Option<Instant> = None;
        loop {
            let error = match attempt().await {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            if self.whole.is_zero() || !may_pass(&error) {
                return Err(Late { error, waited: None });
            }
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Late { error, waited: Some(self.whole) });
            }
            if said.is_none_or(|said| said.elapsed() >= SAY) {
                said = Some(Instant::now());
                tracing::warn!(%error, seconds_left = left.as_secs(), "waiting for {what}");
            }
            tokio::time::sleep(PAUSE.min(left)).await;
        }
    }
}
