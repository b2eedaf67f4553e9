//! `fairy lanes retry operations`: what `crate::retry` does, from the command line.

use fairy_api::{Again, Retried};
use fairy_queue::{JobId, Queue, Which};

use super::{arguments::Letters, run::print};
use crate::{
    Failure,
    config::Config,
    process::clock::SystemClock,
    retry::Retrial,
    stack::{Parts, open_ready_store},
};

/// Tries the operations in these dead letters again, printing each when it is; how many, and the letters that stay, each
/// with the reason.
pub async fn retry(
    config: &Config,
    queue: &Queue,
    letters: &Letters,
    by: &str,
) -> Result<(usize, Vec<String>), Failure> {
    let which = match letters.all {
        true => Which::Oldest(u32::MAX),
        false => Which::Ids(letters.jobs.iter().cloned().map(JobId::from).collect()),
    };
    let store = open_ready_store(config, &Parts::default()).await?;
    let (mut count, mut left, mut printed) = (0, Vec::new(), Ok(()));
    let retrial = Retrial { queue, ledger: &store, clock: &SystemClock, by };
    let ended = retrial.run(&which, |Retried { job, way }| match way {
        Ok(Again::As { failed, retry }) => {
            count += 1;
            if printed.is_ok() {
                printed = print(&format!("{retry} tries {failed} again")).map(drop);
            }
        }
        Ok(Again::Back) => count += 1,
        Err(reason) => left.push(format!("job {job} ({reason})")),
    });
    let ended = ended.await;
    store.close().await;
    ended?;
    printed?;
    Ok((count, left))
}
