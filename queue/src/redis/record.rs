//! A job as the server keeps it.
//!
//! What was said at its push is its record, which is written once: a line of JSON, then the payload as it is. What has
//! become of it since is its mark, JSON that scripts read and write, and most jobs never have one. When it was pushed
//! is told by its id.

use serde::{Deserialize, Serialize};

use crate::{DeadJob, Doom, Failure, Hold, JobId, NewJob, RawJob};

/// The first line of a record.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Header<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    group: Option<std::borrow::Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    needs: u32,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    key: Option<std::borrow::Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hold: Option<u64>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    tag: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    trace: Option<std::borrow::Cow<'a, str>>,
}

/// What became of a job; see `scripts/marks.lua`.
#[derive(Debug, Default, Deserialize)]
struct Mark {
    #[serde(default)]
    a: u32,
    #[serde(default)]
    c: u32,
    #[serde(default)]
    h: Vec<Failure>,
    d: Option<String>,
    t: Option<i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// How long a key is held, in ms; 0 until the job is acknowledged.
pub(super) fn hold(hold: Hold) -> u64 {
    match hold {
        Hold::UntilAcknowledged => 0,
        Hold::For(time) => millis(time).max(1),
    }
}

/// Milliseconds, at most what a script counts exactly after adding them to its clock.
pub(super) fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 50)
}

/// The record of a job that is to be pushed.
pub(super) fn record(job: &NewJob) -> Vec<u8> {
    let header = Header {
        group: job.group.as_deref().map(Into::into),
        needs: job.needs,
        key: job.unique.as_ref().map(|unique| unique.key.as_str().into()),
        hold: job.unique.as_ref().map(|unique| hold(unique.hold)).filter(|hold| *hold > 0),
        tag: job.tag.as_deref().map(Into::into),
        trace: job.trace.as_deref().map(Into::into),
    };
    let mut record = serde_json::to_vec(&header).unwrap_or_default();
    record.push(b'\n');
    record.extend_from_slice(&job.payload);
    record
}

fn split(record: &[u8]) -> (Header<'_>, &[u8]) {
    // JSON has no bare line break, so the first ends the header.
    let end = record.iter().position(|byte| *byte == b'\n').unwrap_or(record.len());
    let header = serde_json::from_slice(&record[..end]).unwrap_or_default();
    (header, record.get(end + 1..).unwrap_or_default())
}

fn mark(text: &[u8]) -> Mark {
    serde_json::from_slice(text).unwrap_or_default()
}

/// When a job was pushed, epoch ms.
fn pushed_at(id: &str) -> i64 {
    id.parse::<i64>().map_or(0, |micros| micros / 1_000)
}

fn text(value: Option<std::borrow::Cow<'_, str>>) -> Option<String> {
    value.map(std::borrow::Cow::into_owned)
}

/// A job as it is handed out.
pub(super) fn raw(id: String, record: &[u8], of_it: &[u8]) -> RawJob {
    let (header, payload) = split(record);
    let mark = mark(of_it);
    let pushed_at = pushed_at(&id);
    let doomed =
        mark.d.map(|error| Doom { error, at: mark.t.unwrap_or(pushed_at), history: mark.h, crashes: mark.c });
    RawJob {
        id: JobId::from(id),
        payload: payload.to_vec(),
        group: text(header.group),
        attempts: mark.a,
        doomed,
        needs: header.needs,
        pushed_at,
        unique_key: text(header.key),
        tag: text(header.tag),
        trace: text(header.trace),
    }
}

/// A dead letter.
pub(super) fn letter(id: String, record: &[u8], epitaph: &[u8]) -> DeadJob {
    let (header, payload) = split(record);
    let mark = mark(epitaph);
    let pushed_at = pushed_at(&id);
    DeadJob {
        id: JobId::from(id),
        payload: payload.to_vec(),
        group: text(header.group),
        error: mark.d.unwrap_or_default(),
        attempts: mark.a,
        history: mark.h,
        pushed_at,
        died_at: mark.t.unwrap_or(pushed_at),
        unique_key: text(header.key),
        tag: text(header.tag),
        trace: text(header.trace),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_whatever_is_in_it() {
        let job = NewJob::new(b"\n{\0\xff".to_vec())
            .group("line\nbreak \u{1f980}")
            .unique("k\"", Hold::UntilAcknowledged)
            .tag("t")
            .trace("")
            .needs(3);
        let raw = raw("1764269472123456".into(), &record(&job), b"");
        assert_eq!((raw.payload, raw.group, raw.needs), (job.payload, job.group, 3));
        assert_eq!((raw.tag, raw.trace, raw.unique_key), (job.tag, job.trace, Some("k\"".into())));
        assert_eq!((raw.pushed_at, raw.attempts, raw.doomed), (1_764_269_472_123, 0, None));
    }
}
