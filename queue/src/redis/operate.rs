//! What operators do. Everything is written down with who did it, in the same call.

use crate::{JobId, LaneSpec, Which};

use super::failure::Failure;
use super::link::Link;
use super::reply::texts;
use super::script::{Call, DISCARD, PAUSE, RETRY, Script};

/// Puts dead letters back.
pub(super) async fn retry(
    link: &Link,
    lane: &LaneSpec,
    which: &Which,
    by: &str,
) -> Result<Vec<JobId>, Failure> {
    letters(link, lane, &RETRY, which, by).await
}

/// Deletes dead letters.
pub(super) async fn discard(
    link: &Link,
    lane: &LaneSpec,
    which: &Which,
    by: &str,
) -> Result<Vec<JobId>, Failure> {
    letters(link, lane, &DISCARD, which, by).await
}

async fn letters(
    link: &Link,
    lane: &LaneSpec,
    script: &'static Script,
    which: &Which,
    by: &str,
) -> Result<Vec<JobId>, Failure> {
    let mut call = Call::new(script, &link.key(lane.name));
    call.arg(by).arg(lane.name);
    match which {
        Which::Ids(ids) => {
            call.arg("ids");
            for id in ids.iter().take(500) {
                call.arg(id.as_str());
            }
        }
        Which::Oldest(count) => {
            call.arg("oldest").arg(*count);
        }
    }
    Ok(texts(link.run(lane.name, &call).await?)?.into_iter().map(JobId::from).collect())
}

/// Stops or restarts handing out.
pub(super) async fn pause(
    link: &Link,
    lane: &LaneSpec,
    group: Option<&str>,
    paused: bool,
    by: &str,
) -> Result<(), Failure> {
    let mut call = Call::new(&PAUSE, &link.key(lane.name));
    call.arg(by).arg(lane.name).arg(u8::from(paused));
    match group {
        Some(group) => call.arg("group").arg(group),
        None => call.arg("lane"),
    };
    link.run(lane.name, &call).await.map(|_| ())
}
