//! Trying failed operations again, for `fairy lanes retry operations` and for the admin API.
//!
//! `failed` is final, for it was told. So a dead letter of this lane is not put back as those of other lanes are: a new
//! operation asks for the same, under an id derived from the old one's, and the letter goes when that is in the lane.
//! Whoever is interrupted in between does it once more and gets the same operation.

use fairy_api::{Again, Retried};
use fairy_jobs::{
    clock::Clock,
    operation::{End, Operation, VERSION},
    ports::{Ledger, PortError},
};
use fairy_queue::{DeadJob, JobId, Page, Queue, QueueError, Which};

use crate::{Failure, lanes::OPERATIONS};

/// Dead letters read at a time.
const PAGE: u32 = 500;

/// Who tries again, and with what.
pub struct Retrial<'a> {
    /// The lanes.
    pub queue: &'a Queue,
    /// How the operations ended.
    pub ledger: &'a dyn Ledger,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Who does it, for the audit.
    pub by: &'a str,
}

/// What did not let itself be asked.
#[derive(Debug, thiserror::Error)]
pub enum Hindrance {
    /// The lanes.
    #[error(transparent)]
    Lanes(#[from] QueueError),
    /// The rows.
    #[error(transparent)]
    Rows(#[from] PortError),
}

impl From<Hindrance> for Failure {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Lanes(error) => error.into(),
            Hindrance::Rows(error) => error.into(),
        }
    }
}

impl From<Hindrance> for PortError {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Lanes(error) => Self::Unavailable(error.to_string()),
            Hindrance::Rows(error) => error,
        }
    }
}

impl Retrial<'_> {
    /// Tries the operations in these dead letters again, oldest first, and tells what became of each when it is known.
    ///
    /// # Errors
    /// When lanes or rows cannot be reached; what was told before that holds.
    pub async fn run(&self, which: &Which, mut tell: impl FnMut(Retried) + Send) -> Result<(), Hindrance> {
        let mut missing = which.named().to_vec();
        // What is tried again may fail again before the end is reached: it is not chased.
        let mut most = match which {
            Which::Ids(_) => u64::MAX,
            Which::Oldest(count) => u64::from(*count).min(self.queue.stats(&OPERATIONS).await?.dead),
        };
        let mut after = None;
        loop {
            let page = self.queue.dead(&OPERATIONS, Page { after, limit: PAGE }).await?;
            for letter in page.items {
                if most == 0 || (matches!(which, Which::Ids(_)) && missing.is_empty()) {
                    return Ok(());
                }
                most -= 1;
                if matches!(which, Which::Oldest(_)) || missing.contains(&letter.id) {
                    missing.retain(|job| *job != letter.id);
                    let way = self.retry_one(&letter).await?;
                    tell(Retried { job: letter.id, way });
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let stranger = |job: JobId| Retried { job, way: Err("not a dead letter of this lane".to_owned()) };
        missing.into_iter().map(stranger).for_each(tell);
        Ok(())
    }

    /// Tries one again; says under which id, or why its letter stays.
    async fn retry_one(&self, letter: &DeadJob) -> Result<Result<Again, String>, Hindrance> {
        let Ok(failed) = serde_json::from_slice::<Operation>(&letter.payload) else {
            return Ok(Err("its payload cannot be read as an operation".to_owned()));
        };
        let now = self.clock.now();
        // Also where its end was never written down: it is now, so that its id answers when the letter is gone.
        let held = self.ledger.fail(&failed.failure(now)).await?;
        if !matches!(held.end, End::Failed(_)) {
            return Ok(Err(format!("{} is {}", held.id, held.end.status().as_str())));
        }
        let retry = failed.retry(now);
        let job = fairy_api::operation_job(&retry, VERSION)
            .map_err(|error| PortError::Broken(error.to_string()))?;
        if let Err(error) = self.queue.push(&OPERATIONS, vec![job]).await {
            return Ok(Err(error.to_string()));
        }
        // The audit knows no other word for what became of the letter.
        let by = format!("{}, for {}", self.by, retry.id);
        self.queue.discard_dead(&OPERATIONS, Which::Ids(vec![letter.id.clone()]), &by).await?;
        Ok(Ok(Again::As { failed: failed.id, retry: retry.id }))
    }
}
