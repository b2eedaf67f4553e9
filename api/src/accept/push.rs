//! Pushing operations into their lane, and what is known afterwards.
//!
//! A push whose answer was lost is repeated with the same ids, which the lane's unique keys make harmless, until it is
//! known or time is up. Once an answer was lost, a later refusal proves nothing about the first attempt, so only a push
//! that succeeds ends the doubt.

use std::time::Duration;

use fairy_jobs::{
    lane::Tag,
    operation::{Fingerprint, Operation, VERSION},
    problem::{Problem, ProblemKind},
};
use fairy_queue::{Hold, NewJob, PushError, Pushed};
use poem::http::{HeaderName, header};
use tokio::time::Instant;

use crate::{
    front::Front,
    problem::{Refusal, internal, unavailable},
};

/// How long a push is repeated whose fate is unknown.
const MOST_DOUBT: Duration = Duration::from_secs(10);
/// The first pause between two attempts, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An operation that is in the lane.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    /// What its lane says of it.
    pub tag: Tag,
    /// Whether an earlier request had put it there.
    pub replayed: bool,
}

/// Puts the operations into their lane, all or none.
pub(super) async fn push(front: &Front, operations: &[Operation]) -> Result<Vec<Accepted>, Refusal> {
    let until = Instant::now() + MOST_DOUBT;
    let (mut pause, mut doubt) = (FIRST_PAUSE, false);
    loop {
        let jobs = operations.iter().map(job).collect::<Result<_, _>>()?;
        let error = match front.services.queue.push(front.services.operations, jobs).await {
            Ok(pushed) => return accepted(operations, &pushed, doubt),
            Err(error) => error,
        };
        let first_answer = !doubt;
        doubt |= matches!(error, PushError::Unknown(_));
        if !doubt && first_answer {
            return Err(refusal(error));
        }
        if Instant::now() + pause >= until {
            return Err(unknown(operations, &error));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn job(operation: &Operation) -> Result<NewJob, Refusal> {
    let broken = |error: serde_json::Error| Refusal { cause: Some(error.to_string()), ..internal().into() };
    let tag = serde_json::to_string(&Tag::of(operation)).map_err(broken)?;
    Ok(NewJob::json(operation)
        .map_err(broken)?
        .group(operation.workspace.to_string())
        .unique(operation.id.to_string(), Hold::UntilAcknowledged)
        .tag(tag)
        .needs(VERSION))
}

/// What is in the lane now. After a lost answer, what was there already is our own first attempt.
fn accepted(operations: &[Operation], pushed: &[Pushed], doubt: bool) -> Result<Vec<Accepted>, Refusal> {
    let one = |(operation, pushed): (&Operation, &Pushed)| {
        let own = Tag::of(operation);
        let Some(existing) = &pushed.existing else {
            return Ok(Accepted { tag: own, replayed: false });
        };
        let tag = existing.tag.as_deref().and_then(Tag::parse).unwrap_or_else(|| own.clone());
        same_request(tag.fingerprint, operation.fingerprint)?;
        let ours = doubt && tag.accepted_at == own.accepted_at;
        Ok(Accepted { tag, replayed: !ours })
    };
    operations.iter().zip(pushed).map(one).collect()
}

/// Whether a request with the same key is the same request.
pub(super) fn same_request(first: Fingerprint, now: Fingerprint) -> Result<(), Refusal> {
    if first == now {
        return Ok(());
    }
    let detail = "The Idempotency-Key was used with another method, path, body or If-Match.";
    Err(Problem::new(ProblemKind::IdempotencyKeyReused, detail).into())
}

fn refusal(error: PushError) -> Refusal {
    match error {
        PushError::Unavailable(cause) => Refusal { cause: Some(cause), ..unavailable().into() },
        PushError::GroupFull { limit, .. } => {
            let detail = format!("{limit} operations of this workspace wait to be applied.");
            Problem::new(ProblemKind::BacklogFull, detail).retry_after(2).into()
        }
        PushError::PayloadTooLarge { limit, .. } => {
            let detail = format!("An operation may have at most {limit} bytes.");
            Problem::new(ProblemKind::BodyTooLarge, detail).into()
        }
        error @ (PushError::Unknown(_) | PushError::TooMany { .. } | PushError::Misfit(_)) => {
            Refusal { cause: Some(error.to_string()), ..internal().into() }
        }
    }
}

fn unknown(operations: &[Operation], error: &PushError) -> Refusal {
    let detail = "Whether it was accepted cannot be known yet. Ask at Location, or repeat it with the same Idempotency-Key.";
    let problem = Problem::new(ProblemKind::OutcomeUnknown, detail);
    let refusal = Refusal { cause: Some(error.to_string()), ..problem.into() };
    match operations.first() {
        Some(first) => refusal
            .with(HeaderName::from_static("operation-id"), first.id.to_string())
            .with(header::LOCATION, location(&first.id.to_string())),
        None => refusal,
    }
}

/// Where an operation is asked after.
pub(super) fn location(id: &str) -> String {
    format!("/v1/operations/{id}")
}
