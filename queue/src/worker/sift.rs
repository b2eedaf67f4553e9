//! What is to be done with each job of a hand-out, before the handler sees any, and what its answers mean.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Answer, DeadJob, Job, JobId, LaneSpec, Order, RawJob, Verdict};

/// How long a job that needs a newer program is left to others.
const TOO_NEW: Duration = Duration::from_secs(1);
/// Longest wait that another side's `Retry-After` can ask for.
const LONGEST_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A hand-out, sifted.
pub(super) struct Sifted<J> {
    /// For the handler, in order.
    pub jobs: Vec<Job<J>>,
    /// Already decided.
    pub verdicts: Vec<(JobId, Verdict)>,
}

/// Decodes jobs; in a grouped lane nothing passes one that cannot be done now.
pub(super) fn sift<J: DeserializeOwned>(lane: &LaneSpec, version: u32, raw: Vec<RawJob>) -> Sifted<J> {
    let mut sifted = Sifted { jobs: Vec::with_capacity(raw.len()), verdicts: Vec::new() };
    let mut barred = false;
    for job in raw {
        let id = job.id.clone();
        if barred {
            sifted.verdicts.push((id, Verdict::HandBack));
            continue;
        }
        match decode(lane, version, job) {
            Ok(job) => sifted.jobs.push(job),
            Err(verdict) => {
                sifted.verdicts.push((id, verdict));
                barred = lane.order == Order::Grouped;
            }
        }
    }
    sifted
}

/// Whether this program is too old for the job.
pub(super) fn too_new(job: &RawJob, version: u32) -> Option<Verdict> {
    (job.needs > version).then_some(Verdict::Snooze(TOO_NEW))
}

fn decode<J: DeserializeOwned>(lane: &LaneSpec, version: u32, raw: RawJob) -> Result<Job<J>, Verdict> {
    if let Some(verdict) = too_new(&raw, version) {
        return Err(verdict);
    }
    let undecodable = |error: serde_json::Error| Verdict::Doom {
        error: format!("the payload cannot be decoded: {error}"),
        attempted: false,
    };
    let payload = serde_json::from_slice(&raw.payload).map_err(undecodable)?;
    let attempt = raw.attempts + 1;
    Ok(Job {
        id: raw.id,
        payload,
        group: raw.group,
        attempt,
        last_attempt: attempt >= lane.retry.attempts(),
        pushed_at: raw.pushed_at,
        unique_key: raw.unique_key,
        trace: raw.trace,
    })
}

/// What the store is to do after an answer to attempt number `attempt` of a job.
pub(super) fn verdict(lane: &LaneSpec, id: &JobId, attempt: u32, answer: Answer) -> Verdict {
    match answer {
        Answer::Done => Verdict::Remove,
        Answer::Discard { reason } => {
            tracing::info!(lane = lane.name, job = %id, reason, "job discarded");
            Verdict::Remove
        }
        Answer::HandBack => Verdict::HandBack,
        Answer::Snooze(time) => Verdict::Snooze(time),
        Answer::Dead { error } => Verdict::Doom { error, attempted: true },
        Answer::Retry { error, after } => match lane.retry.delay(id, attempt) {
            Some(delay) => {
                Verdict::Retry { error, after: delay.max(after.unwrap_or_default().min(LONGEST_AFTER)) }
            }
            None => Verdict::Doom { error, attempted: true },
        },
    }
}

/// A doomed job as its burial sees it.
pub(super) fn dead_job(raw: RawJob) -> Option<DeadJob> {
    let doom = raw.doomed?;
    Some(DeadJob {
        id: raw.id,
        payload: raw.payload,
        group: raw.group,
        error: doom.error,
        attempts: raw.attempts,
        history: doom.history,
        pushed_at: raw.pushed_at,
        died_at: doom.at,
        unique_key: raw.unique_key,
        tag: raw.tag,
        trace: raw.trace,
    })
}
