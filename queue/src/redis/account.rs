//! The account of a lane.

use crate::{JobId, Owed, OwedPage};

use super::failure::Failure;
use super::link::Link;
use super::reply::{list, number, text};
use super::script::{ACQUIT, Call, OWED};

/// Most entries in one call.
const MOST: usize = 500;

/// Reads a part of the account.
pub(super) async fn owed(
    link: &Link,
    lane: &str,
    after: Option<&JobId>,
    limit: u32,
) -> Result<OwedPage, Failure> {
    let after: u64 = after.and_then(|id| id.as_str().parse().ok()).unwrap_or(0);
    let mut call = Call::new(&OWED, &link.key(lane));
    call.arg(after).arg((limit as usize).clamp(1, MOST));
    let mut items = list(link.look(&call).await?)?.into_iter();
    let held = items.next().map(|held| number(&held)).transpose()?.unwrap_or(0);
    let last = items.next().map(text).transpose()?.filter(|last| !last.is_empty());
    let mut gone = Vec::new();
    while let (Some(job), Some(key)) = (items.next(), items.next()) {
        gone.push(Owed { job: JobId::from(text(job)?), key: text(key)? });
    }
    Ok(OwedPage { gone, held: u64::try_from(held).unwrap_or(0), next: last.map(JobId::from) })
}

/// Strikes jobs out of it.
pub(super) async fn acquit(link: &Link, lane: &str, known: &[Owed]) -> Result<(), Failure> {
    for part in known.chunks(MOST) {
        let mut call = Call::new(&ACQUIT, &link.key(lane));
        for Owed { job, key } in part {
            call.arg(job.as_str()).arg(key);
        }
        link.run(lane, &call).await?;
    }
    Ok(())
}
