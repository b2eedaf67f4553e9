//! Pushes, gathered: what callers bring while a call is under way goes together in the next.
//!
//! Each lane has a task with one call under way at a time. So an idle lane pushes one job at once, and a busy one as
//! many as there are callers, in one script and one flush. Each push stays whole or refused by itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use redis::Value;
use tokio::sync::{mpsc, oneshot};

use crate::{Existing, JobId, LaneSpec, NewJob, Order, PushError, Pushed};

use super::failure::Failure;
use super::link::Link;
use super::record::{hold, millis, record};
use super::reply::{list, maybe_text, number, text};
use super::script::{Call, PUSH};

/// Most jobs in one call, as many as one push may have.
const MOST_JOBS: usize = 1_000;
/// Most payload bytes in one call, as many as one push may have.
const MOST_BYTES: usize = 16 << 20;
/// Pushes that may wait for a lane's task before callers wait to bring theirs.
const WAITING: usize = 1_024;

type Answer = Result<Vec<Pushed>, PushError>;

/// One push and who waits for it.
struct Push {
    jobs: Vec<NewJob>,
    bytes: usize,
    reply: oneshot::Sender<Answer>,
}

/// What decides how a push is judged; pushes are gathered where it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Rule {
    lane: &'static str,
    grouped: bool,
    limit: Option<u64>,
}

/// See the module.
pub(super) struct Pushers {
    link: Arc<Link>,
    replicas: u32,
    lanes: Mutex<HashMap<Rule, mpsc::Sender<Push>>>,
}

impl Pushers {
    /// Pushers over a link, or each over its own where a push waits for replicas.
    pub fn new(link: Arc<Link>, replicas: u32) -> Self {
        Self { link, replicas, lanes: Mutex::default() }
    }

    /// Pushes, and waits until it is written or refused.
    pub async fn push(&self, lane: &LaneSpec, jobs: Vec<NewJob>) -> Answer {
        let (reply, answer) = oneshot::channel();
        let bytes = jobs.iter().map(|job| job.payload.len()).sum();
        let push = Push { jobs, bytes, reply };
        let gone = |_| PushError::Unavailable("the queue is closed".into());
        self.pusher(lane).send(push).await.map_err(gone)?;
        // The task ends without an answer only with the runtime, perhaps in the middle of a call.
        answer.await.map_err(|_| PushError::Unknown("the program ended".into()))?
    }

    fn pusher(&self, lane: &LaneSpec) -> mpsc::Sender<Push> {
        let rule = Rule { lane: lane.name, grouped: lane.order == Order::Grouped, limit: lane.group_limit };
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let start = || {
            let (sender, receiver) = mpsc::channel(WAITING);
            let link = match self.replicas {
                0 => Arc::clone(&self.link),
                _ => Arc::new(self.link.another(None)),
            };
            tokio::spawn(carry(link, self.replicas, rule, receiver));
            sender
        };
        lanes.entry(rule).or_insert_with(start).clone()
    }
}

async fn carry(link: Arc<Link>, replicas: u32, rule: Rule, mut waiting: mpsc::Receiver<Push>) {
    let mut next = None;
    loop {
        let first = match next.take() {
            Some(push) => push,
            None => match waiting.recv().await {
                Some(push) => push,
                None => return,
            },
        };
        // Those whose pushes were answered just now may be about to bring their next.
        tokio::task::yield_now().await;
        let (mut jobs, mut bytes) = (first.jobs.len(), first.bytes);
        let mut gathered = vec![first];
        while let Ok(push) = waiting.try_recv() {
            if jobs + push.jobs.len() > MOST_JOBS || bytes + push.bytes > MOST_BYTES {
                next = Some(push);
                break;
            }
            jobs += push.jobs.len();
            bytes += push.bytes;
            gathered.push(push);
        }
        let answers = write(&link, replicas, rule, &gathered).await;
        for (push, answer) in gathered.into_iter().zip(answers) {
            // Who no longer waits has gone away; the push stands all the same.
            let _ = push.reply.send(answer);
        }
    }
}

async fn write(link: &Link, replicas: u32, rule: Rule, pushes: &[Push]) -> Vec<Answer> {
    let mut call = Call::new(&PUSH, &link.key(rule.lane));
    call.arg(u8::from(rule.grouped)).arg(rule.limit.map(|limit| limit.to_string()).unwrap_or_default());
    call.arg(pushes.len());
    for push in pushes {
        call.arg(push.jobs.len());
        for job in &push.jobs {
            add(&mut call, job);
        }
    }
    let written = match replicas {
        0 => link.run(rule.lane, &call).await,
        _ => link.run_replicated(rule.lane, &call, replicas).await,
    };
    let answers = match written {
        Ok(value) => list(value),
        Err(failure) => Err(failure),
    };
    match answers {
        Ok(answers) if answers.len() == pushes.len() => {
            answers.into_iter().map(|answer| read(answer, rule)).collect()
        }
        Ok(_) => same(pushes, &Failure::Unknown("the server's answer is incomplete".into())),
        Err(failure) => same(pushes, &failure),
    }
}

fn same(pushes: &[Push], failure: &Failure) -> Vec<Answer> {
    pushes.iter().map(|_| Err(failure.clone().into())).collect()
}

fn add(call: &mut Call, job: &NewJob) {
    let mut asks = String::new();
    let of = [
        ('g', job.group.is_some()),
        ('d', job.delay.is_some()),
        ('k', job.unique.is_some()),
        ('a', job.accountable),
    ];
    asks.extend(of.iter().filter(|(_, is_set)| *is_set).map(|(letter, _)| letter));
    call.arg(record(job)).arg(asks);
    if let Some(group) = &job.group {
        call.arg(group);
    }
    if let Some(delay) = job.delay {
        call.arg(millis(delay));
    }
    if let Some(unique) = &job.unique {
        let tag = job.tag.as_ref().map(|tag| format!("+{tag}")).unwrap_or_default();
        call.arg(&unique.key).arg(hold(unique.hold)).arg(tag).arg(job.telling);
    }
}

fn read(answer: Value, rule: Rule) -> Answer {
    // Of one job that was pushed by itself there is the id and nothing around it.
    if let Value::BulkString(_) | Value::SimpleString(_) = &answer {
        return Ok(vec![Pushed { id: JobId::from(text(answer)?), existing: None }]);
    }
    let mut items = list(answer)?.into_iter();
    let refused = items.next().map(|first| number(&first)).transpose()?;
    let mut named = || Ok::<_, Failure>(items.next().map(text).transpose()?.unwrap_or_default());
    match refused {
        Some(1) => {
            return Err(PushError::GroupFull { group: named()?, limit: rule.limit.unwrap_or_default() });
        }
        Some(2) => return Err(PushError::KeyTaken { key: named()? }),
        _ => {}
    }
    let pushed = |item: Value| match item {
        Value::Array(holder) => {
            let mut holder = holder.into_iter();
            let id = holder.next().map(text).transpose()?.unwrap_or_default();
            let tag = holder.next().map(maybe_text).transpose()?.flatten();
            Ok(Pushed { id: JobId::from(id), existing: Some(Existing { tag }) })
        }
        other => Ok(Pushed { id: JobId::from(text(other)?), existing: None }),
    };
    items.map(pushed).collect()
}
