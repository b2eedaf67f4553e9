//! `fairy lanes retry operations`: trying failed operations again.
//!
//! `failed` is final, for it was told. So a dead letter of this lane is not put back as those of other lanes are: a new
//! operation asks for the same, under an id derived from the old one's, and the letter goes when that is in the lane.
//! Whoever is interrupted in between does it once more and gets the same operation.

use fairy_jobs::{
    clock::Clock as _,
    operation::{End, Operation, VERSION},
    ports::Ledger as _,
};
use fairy_queue::{DeadJob, Page, Queue, Which};
use fairy_store::Store;

use super::{arguments::Letters, run::print};
use crate::{
    Failure,
    config::Config,
    lanes::OPERATIONS,
    process::clock::SystemClock,
    stack::{Parts, open_ready_store},
};

/// Dead letters read at a time.
const PAGE: u32 = 500;

/// What came of it.
#[derive(Debug, Default)]
pub struct Retried {
    /// How many are tried again; each was printed when it was.
    pub count: usize,
    /// The letters that stay, each with the reason.
    pub left: Vec<String>,
}

/// Tries the operations in these dead letters again.
pub async fn retry(config: &Config, queue: &Queue, letters: &Letters, by: &str) -> Result<Retried, Failure> {
    if let Some(file) = config.database.file().filter(|file| !file.exists()) {
        return Err(Failure::new(format_args!(
            "there is no database at {}, which says how the operations ended",
            file.display()
        )));
    }
    let store = open_ready_store(config, &Parts::default()).await?;
    let retried = Desk { store: &store, queue, by }.retry(letters).await;
    store.close().await;
    retried
}

struct Desk<'a> {
    store: &'a Store,
    queue: &'a Queue,
    by: &'a str,
}

impl Desk<'_> {
    async fn retry(&self, letters: &Letters) -> Result<Retried, Failure> {
        let mut retried = Retried::default();
        let mut missing = letters.jobs.clone();
        // What is tried again may fail again before the end is reached: it is not chased.
        let mut most = if letters.all { self.queue.stats(&OPERATIONS).await?.dead } else { u64::MAX };
        let mut after = None;
        loop {
            let page = self.queue.dead(&OPERATIONS, Page { after, limit: PAGE }).await?;
            for letter in page.items {
                let Some(rest) = most.checked_sub(1) else { return Ok(retried) };
                most = rest;
                missing.retain(|job| job != letter.id.as_str());
                if letters.all || letters.jobs.iter().any(|job| job == letter.id.as_str()) {
                    match self.retry_one(&letter).await? {
                        Ok(line) => {
                            print(&line)?;
                            retried.count += 1;
                        }
                        Err(reason) => retried.left.push(format!("job {} ({reason})", letter.id)),
                    }
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        retried
            .left
            .extend(missing.into_iter().map(|job| format!("job {job} (not a dead letter of this lane)")));
        Ok(retried)
    }

    /// Tries one again; says under which id, or why its letter stays.
    async fn retry_one(&self, letter: &DeadJob) -> Result<Result<String, String>, Failure> {
        let Ok(failed) = serde_json::from_slice::<Operation>(&letter.payload) else {
            return Ok(Err("its payload cannot be read as an operation".to_owned()));
        };
        let now = SystemClock.now();
        // Also where its end was never written down: it is now, so that its id answers when the letter is gone.
        let held = self.store.fail(&failed.failure(now)).await?;
        if !matches!(held.end, End::Failed(_)) {
            return Ok(Err(format!("{} is {}", held.id, held.end.status().as_str())));
        }
        let retry = failed.retry(now);
        let job = fairy_api::operation_job(&retry, VERSION).map_err(Failure::new)?;
        if let Err(error) = self.queue.push(&OPERATIONS, vec![job]).await {
            return Ok(Err(error.to_string()));
        }
        // The audit knows no other word for what became of the letter.
        let by = format!("{}, for {}", self.by, retry.id);
        self.queue.discard_dead(&OPERATIONS, Which::Ids(vec![letter.id.clone()]), &by).await?;
        Ok(Ok(format!("{} tries {} again", retry.id, failed.id)))
    }
}
