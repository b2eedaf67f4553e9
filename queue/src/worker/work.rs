//! The service that runs a handler on one batch.
//!
//! The handler runs in a task of its own: its panic is caught there, it uses another core, and it can be broken off
//! when the time to stop is up.

use std::any::Any;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use apalis::prelude::{BoxDynError, Task};
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;
use tower::Service;

use crate::observer::tell;
use crate::{Answer, Handler, JobId, RawJob, Verdict};

use super::acknowledge::Verdicts;
use super::sift::{dead_job, sift, too_new, verdict};
use super::station::{Batch, Station, every};

/// How long after a failed burial it is tried again.
const BURY_AGAIN: Duration = Duration::from_secs(1);
/// How often a burial may kill its worker.
const BURIAL_CRASHES: u32 = 3;
/// How long a handler that was broken off may take to notice.
const BREAK_OFF: Duration = Duration::from_secs(1);

/// Runs `handler` on batches.
pub(super) struct Work<H> {
    pub handler: Arc<H>,
    pub station: Arc<Station>,
}

/// How a handler's task ended.
enum Ended<T> {
    Answered(T),
    Panicked(String),
    BrokenOff,
}

impl<H: Handler> Service<Task<Batch>> for Work<H> {
    type Response = Verdicts;
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<Verdicts, BoxDynError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, task: Task<Batch>) -> Self::Future {
        let (handler, station) = (Arc::clone(&self.handler), Arc::clone(&self.station));
        let mut jobs = task.args.hand.jobs;
        async move {
            if jobs.first().is_some_and(|job| job.doomed.is_some()) {
                let buried = bury(&station, handler, jobs.swap_remove(0)).await?;
                tell(&*station.observer, station.lane, buried.iter().map(|(_, verdict)| verdict), 0);
                return Ok(buried);
            }
            work(&station, handler, jobs).await
        }
        .boxed()
    }
}

async fn work<H: Handler>(
    station: &Station,
    handler: Arc<H>,
    raw: Vec<RawJob>,
) -> Result<Verdicts, BoxDynError> {
    let (lane, version) = (station.lane, station.crew.version);
    raw.iter().for_each(|job| station.observer.begun(lane, job.pushed_at, job.attempts + 1));
    let given: Vec<(JobId, u32)> = raw.iter().map(|job| (job.id.clone(), job.attempts + 1)).collect();
    // Decoding runs in the task as well: it is foreign code on foreign bytes.
    let task = async move {
        let sifted = sift::<H::Job>(lane, version, raw);
        let asked: Vec<(JobId, u32)> = sifted.jobs.iter().map(|job| (job.id.clone(), job.attempt)).collect();
        let answers = if asked.is_empty() { Vec::new() } else { handler.handle(sifted.jobs).await };
        (sifted.verdicts, asked, answers)
    };
    let began = Instant::now();
    let ended = run(station, task).await?;
    station.observer.worked(lane, began.elapsed());
    let (mut verdicts, asked, answers) = match ended {
        Ended::Answered(ended) => ended,
        Ended::BrokenOff => (every(&ids(&given), &Verdict::HandBack), Vec::new(), Vec::new()),
        // One of several panicked, nobody knows which: each is to show by itself that it was not the one.
        Ended::Panicked(_) if given.len() > 1 => {
            (every(&ids(&given), &Verdict::Isolate), Vec::new(), Vec::new())
        }
        Ended::Panicked(error) => (Vec::new(), given, vec![Answer::Retry { error, after: None }]),
    };
    let discards = answers.iter().take(asked.len()).filter(|answer| matches!(answer, Answer::Discard { .. }));
    let discarded = discards.count();
    let missing =
        std::iter::repeat_with(|| Answer::Retry { error: "the handler gave no answer".into(), after: None });
    for ((id, attempt), answer) in asked.into_iter().zip(answers.into_iter().chain(missing)) {
        let verdict = verdict(lane, &id, attempt, answer);
        if let Verdict::Retry { error, .. } | Verdict::Doom { error, .. } = &verdict {
            tracing::warn!(lane = lane.name, job = %id, attempt, error, "job failed");
        }
        verdicts.push((id, verdict));
    }
    tell(&*station.observer, lane, verdicts.iter().map(|(_, verdict)| verdict), discarded);
    Ok(verdicts)
}

fn ids(given: &[(JobId, u32)]) -> Vec<JobId> {
    given.iter().map(|(id, _)| id.clone()).collect()
}

async fn bury<H: Handler>(station: &Station, handler: Arc<H>, raw: RawJob) -> Result<Verdicts, BoxDynError> {
    let (lane, id) = (station.lane.name, raw.id.clone());
    if let Some(verdict) = too_new(&raw, station.crew.version) {
        return Ok(vec![(id, verdict)]);
    }
    let crashes = raw.doomed.as_ref().map_or(0, |doom| doom.crashes);
    let Some(dead) = dead_job(raw) else { return Ok(vec![(id, Verdict::HandBack)]) };
    let cause = dead.error.clone();
    if crashes >= BURIAL_CRASHES {
        tracing::error!(lane, job = %id, error = cause, "job is dead and nobody was told: telling it killed the worker");
        return Ok(vec![(id, Verdict::Bury)]);
    }
    let verdict = match run(station, async move { handler.bury(&dead).await }).await? {
        Ended::Answered(Ok(())) => {
            tracing::error!(lane, job = %id, error = cause, "job is dead");
            Verdict::Bury
        }
        Ended::Answered(Err(error)) | Ended::Panicked(error) => {
            tracing::warn!(lane, job = %id, error, "burial failed");
            Verdict::Snooze(BURY_AGAIN)
        }
        Ended::BrokenOff => Verdict::HandBack,
    };
    Ok(vec![(id, verdict)])
}

/// Runs the handler's future to its end, or breaks it off when the time to stop is up.
async fn run<T: Send + 'static>(
    station: &Station,
    future: impl Future<Output = T> + Send + 'static,
) -> Result<Ended<T>, BoxDynError> {
    let mut task = AbortOnDropHandle::new(tokio::spawn(future));
    let joined = tokio::select! {
        joined = &mut task => joined,
        () = station.time_is_up() => {
            task.abort();
            // Handing back what still runs would let two workers do it at once.
            match tokio::time::timeout(BREAK_OFF, &mut task).await {
                Ok(joined) => joined,
                Err(_) => return Err("the handler could not be broken off".into()),
            }
        }
    };
    Ok(match joined {
        Ok(value) => Ended::Answered(value),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => Ended::Panicked(format!("the handler panicked: {}", message(panic.as_ref()))),
            Err(_) => Ended::BrokenOff,
        },
    })
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
