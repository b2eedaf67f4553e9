//! Pushing operations into their lane, and what is known afterwards.
//!
//! A push whose answer was lost is repeated with the same ids, which the lane's unique keys make harmless, until it is
//! known or time is up. Once an answer was lost, a later refusal proves nothing about the first attempt, so only a push
//! that succeeds ends the doubt.

use std::time::Duration;

use fairy_jobs::{
    lane::Tag,
    operation::{Fingerprint, Operation},
    problem::{Problem, ProblemKind},
};
use fairy_queue::{Hold, NewJob, PushError, Pushed};
use poem::http::{HeaderName, header};
use tokio::time::Instant;
use tracing::Instrument as _;

use super::Ticket;
use crate::{
    front::Front,
    problem::{Refusal, internal, unavailable},
    trace,
};

/// How long a push is repeated whose fate is unknown.
pub(crate) const MOST_DOUBT: Duration = Duration::from_secs(10);
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

impl Front {
    /// Puts the operations of a request into their lane, all or none.
    pub(super) async fn push(
        &self,
        ticket: &Ticket,
        operations: &[Operation],
    ) -> Result<Vec<Accepted>, Refusal> {
        let (queue, lane, version) = (&self.services.queue, self.services.operations, self.settings.version);
        let span = trace::acceptance(operations.len());
        let accepted = persevere(operations, version, |jobs| queue.push(lane, jobs)).instrument(span).await?;
        self.services.meter.accepted(operations.len(), ticket.began.elapsed());
        Ok(accepted)
    }
}

async fn persevere<R: Future<Output = Result<Vec<Pushed>, PushError>>>(
    operations: &[Operation],
    version: u32,
    mut attempt: impl FnMut(Vec<NewJob>) -> R,
) -> Result<Vec<Accepted>, Refusal> {
    let until = Instant::now() + MOST_DOUBT;
    let (mut pause, mut doubt) = (FIRST_PAUSE, false);
    loop {
        let jobs = operations.iter().map(|operation| operation_job(operation, version));
        let jobs = jobs.collect::<Result<_, _>>().map_err(|error| broken(&error))?;
        let error = match attempt(jobs).await {
            Ok(pushed) => return accepted(operations, &pushed, doubt),
            Err(error) => error,
        };
        if matches!(error, PushError::KeyTaken { .. }) {
            return Err(other_request());
        }
        doubt |= matches!(error, PushError::Unknown(_));
        if !doubt {
            return Err(refusal(error));
        }
        if Instant::now() + pause >= until {
            return Err(unknown(operations, &error));
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// An operation as a job of lane `operations`, for workers of this version or later.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn operation_job(operation: &Operation, version: u32) -> Result<NewJob, serde_json::Error> {
    let tag = serde_json::to_string(&Tag::of(operation))?;
    Ok(NewJob::json(operation)?
        .group(operation.workspace.to_string())
        .unique(operation.id.to_string(), Hold::UntilAcknowledged)
        .tag(tag)
        .telling(Tag::TELLING)
        .accountable()
        .needs(version))
}

fn broken(error: &serde_json::Error) -> Refusal {
    Refusal { cause: Some(error.to_string()), ..internal().into() }
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
    if first == now { Ok(()) } else { Err(other_request()) }
}

fn other_request() -> Refusal {
    let detail = "The Idempotency-Key was used with another method, path, body or If-Match.";
    Problem::new(ProblemKind::IdempotencyKeyReused, detail).into()
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
        PushError::KeyTaken { .. } => other_request(),
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

#[cfg(test)]
mod tests {
    use fairy_jobs::{
        command::{Command, DeleteTask, TaskName},
        id::{OperationId, UserId, WorkspaceId},
        operation::{Source, VERSION},
    };
    use fairy_queue::{Existing, JobId};
    use jiff::{Timestamp, ToSpan as _};

    use super::*;

    type Answer = Result<Option<Option<Tag>>, PushError>;

    fn operation() -> Operation {
        Operation {
            id: OperationId::from_bytes([1; 16]),
            workspace: WorkspaceId::from_bytes([2; 16]),
            actor: UserId::from_bytes([3; 16]),
            source: Source::api(),
            command: Command::DeleteTask(DeleteTask { task: TaskName::parse("WEB-1").unwrap() }),
            if_match: None,
            accepted_at: Timestamp::UNIX_EPOCH,
            fingerprint: Fingerprint::of(&[b"one"]),
            retry_of: None,
            reply_to: None,
            trace: None,
        }
    }

    /// What a push is answered with when its attempts are: `None` pushed, `Some(tag)` there already.
    async fn push(answers: Vec<Answer>) -> (Result<Accepted, Refusal>, usize) {
        let (mut answers, mut attempts) = (answers.into_iter(), 0);
        let attempt = |jobs: Vec<NewJob>| {
            attempts += 1;
            assert_eq!(jobs[0].unique.as_ref().unwrap().key, operation().id.to_string());
            let answer = answers.next().unwrap_or_else(|| Err(PushError::Unknown("lost".into())));
            let existing =
                |tag: Option<Tag>| Existing { tag: tag.map(|t| serde_json::to_string(&t).unwrap()) };
            let pushed = answer
                .map(|known| vec![Pushed { id: JobId::from("1".to_owned()), existing: known.map(existing) }]);
            async move { pushed }
        };
        let done = persevere(&[operation()], VERSION, attempt).await;
        (done.map(|mut accepted| accepted.remove(0)), attempts)
    }

    fn lost() -> Answer {
        Err(PushError::Unknown("lost".into()))
    }

    fn kind(done: &Result<Accepted, Refusal>) -> ProblemKind {
        done.as_ref().unwrap_err().problem.kind
    }

    #[tokio::test]
    async fn what_was_certainly_not_accepted_is_said_at_once() {
        let (done, attempts) = push(vec![Err(PushError::Unavailable("full".into()))]).await;
        assert_eq!((kind(&done), attempts), (ProblemKind::Unavailable, 1));
        let full = PushError::GroupFull { group: "g".into(), limit: 10_000 };
        let (done, _) = push(vec![Err(full)]).await;
        assert_eq!(kind(&done), ProblemKind::BacklogFull);
        assert!(done.unwrap_err().problem.retry_after.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_answer_is_asked_for_again_with_the_same_id() {
        let (done, attempts) = push(vec![lost(), lost(), Ok(Some(Some(Tag::of(&operation()))))]).await;
        assert!(!done.unwrap().replayed, "what is there is our own first attempt");
        assert_eq!(attempts, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_lost_answer_a_refusal_proves_nothing() {
        let unavailable = || Err(PushError::Unavailable("away".into()));
        let (done, _) = push(vec![lost(), unavailable(), Ok(None)]).await;
        assert!(done.is_ok());
        let start = Instant::now();
        let (done, _) = push(std::iter::once(lost()).chain((0..99).map(|_| unavailable())).collect()).await;
        assert_eq!(kind(&done), ProblemKind::OutcomeUnknown);
        assert!(start.elapsed() <= MOST_DOUBT, "{:?}", start.elapsed());
        let names: Vec<String> = done.unwrap_err().headers.iter().map(|(name, _)| name.to_string()).collect();
        assert_eq!(names, ["operation-id", "location"]);
    }

    #[tokio::test]
    async fn a_repeat_is_known_by_its_fingerprint() {
        let first = Tag { accepted_at: Timestamp::UNIX_EPOCH - 5.seconds(), ..Tag::of(&operation()) };
        let (done, _) = push(vec![Ok(Some(Some(first.clone())))]).await;
        let done = done.unwrap();
        assert!(done.replayed && done.tag == first);
        let other = Tag { fingerprint: Fingerprint::of(&[b"two"]), ..first };
        let (done, _) = push(vec![Ok(Some(Some(other)))]).await;
        assert_eq!(kind(&done), ProblemKind::IdempotencyKeyReused);
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_held_for_another_request_is_said_at_once() {
        let taken = || Err(PushError::KeyTaken { key: operation().id.to_string() });
        for before in [vec![], vec![lost()]] {
            let count = before.len() + 1;
            let (done, attempts) = push(before.into_iter().chain([taken()]).collect()).await;
            assert_eq!((kind(&done), attempts), (ProblemKind::IdempotencyKeyReused, count));
        }
    }
}
