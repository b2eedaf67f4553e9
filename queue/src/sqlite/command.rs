//! What the writer is asked to do, and what one round of it answers.
//!
//! Every change goes to the one writer as a command with a place for the answer. A round is what had gathered when
//! the writer looked; it is one transaction, and nobody is answered before it is committed.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Ask, Claimed, Hand, JobId, NewJob, Owed, PushError, Pushed, QueueError, Settled, Token, Which};

/// A place for the answer to a push.
pub(super) type PushReply = oneshot::Sender<Result<Vec<Pushed>, PushError>>;

/// A place for an answer.
pub(super) type Reply<T> = oneshot::Sender<Result<T, QueueError>>;

/// What the writer must know of a lane.
#[derive(Debug, Clone)]
pub(super) struct LaneRef {
    /// Its name.
    pub name: &'static str,
    /// Whether its jobs have groups.
    pub grouped: bool,
    /// How long a lease lasts.
    pub lease: Duration,
    /// Most jobs in a hand-out.
    pub batch: usize,
    /// Most jobs a group may hold.
    pub group_limit: Option<u64>,
}

/// One change asked of the writer.
pub(super) enum Command {
    /// Queue a batch.
    Push(LaneRef, Vec<NewJob>, PushReply),
    /// Carry out verdicts.
    Settle(LaneRef, Vec<Settled>, Reply<Vec<Token>>),
    /// Extend leases.
    Renew(LaneRef, Vec<Token>, Reply<Vec<Token>>),
    /// Hand out.
    Claim(Claim),
    /// Hand out when there is something.
    StandBy(Claim),
    /// An operator's doing.
    Operate(LaneRef, Operation, String, Reply<Vec<JobId>>),
    /// Strike jobs out of the account.
    Acquit(LaneRef, Vec<Owed>, Reply<()>),
    /// Finish and let go.
    Close(oneshot::Sender<()>),
}

/// What an operator may do.
#[derive(Debug, Clone)]
pub(super) enum Operation {
    /// Stop or restart handing out, of a group or of the lane.
    Pause(Option<String>, bool),
    /// Put dead letters back.
    Retry(Which),
    /// Delete dead letters.
    Discard(Which),
}

/// Somebody who wants jobs.
pub(super) type Claim = (LaneRef, Ask, Reply<Claimed>);

/// What gathered for one transaction, by kind.
#[derive(Default)]
pub(super) struct Round {
    pub pushes: Vec<(LaneRef, Vec<NewJob>, PushReply)>,
    pub settles: Vec<(LaneRef, Vec<Settled>, Reply<Vec<Token>>)>,
    pub renews: Vec<(LaneRef, Vec<Token>, Reply<Vec<Token>>)>,
    pub operations: Vec<(LaneRef, Operation, String, Reply<Vec<JobId>>)>,
    pub acquittals: Vec<(LaneRef, Vec<Owed>, Reply<()>)>,
    pub claims: Vec<Claim>,
    /// Those who stand by from now on.
    pub standing: Vec<Claim>,
    /// Answered by the writer itself, when it has let go.
    pub closes: Vec<oneshot::Sender<()>>,
    weight: usize,
}

/// Most jobs that one transaction moves, so that nobody waits long for a neighbour's bulk push.
const FULL: usize = 2_000;
/// Payload bytes that weigh as much as a job.
const BYTES: usize = 4_096;

impl Round {
    /// Adds a command.
    pub fn add(&mut self, command: Command) {
        self.weight += 1;
        match command {
            Command::Push(lane, jobs, reply) => {
                self.weight += jobs.len() + jobs.iter().map(|job| job.payload.len()).sum::<usize>() / BYTES;
                self.pushes.push((lane, jobs, reply));
            }
            Command::Settle(lane, settled, reply) => {
                self.weight += settled.iter().map(|one| one.verdicts.len()).sum::<usize>();
                self.settles.push((lane, settled, reply));
            }
            Command::Renew(lane, tokens, reply) => self.renews.push((lane, tokens, reply)),
            Command::Claim(claim) => {
                self.weight += 100;
                self.claims.push(claim);
            }
            Command::StandBy(claim) => self.standing.push(claim),
            Command::Operate(lane, operation, by, reply) => {
                self.weight += 500;
                self.operations.push((lane, operation, by, reply));
            }
            Command::Acquit(lane, known, reply) => {
                self.weight += known.len();
                self.acquittals.push((lane, known, reply));
            }
            Command::Close(reply) => self.closes.push(reply),
        }
    }

    /// Whether it should be carried out before more is added.
    pub fn is_full(&self) -> bool {
        self.weight >= FULL || !self.closes.is_empty()
    }

    /// Whether its answers promise something that must outlive a power cut.
    ///
    /// A lost claim or renewal only means that the jobs are handed out again, and a lost acquittal is repeated.
    pub fn is_promise(&self) -> bool {
        !(self.pushes.is_empty() && self.settles.is_empty() && self.operations.is_empty())
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        let rest = self.renews.is_empty() && self.acquittals.is_empty() && self.claims.is_empty();
        !self.is_promise() && rest
    }

    /// The lanes it touches.
    pub fn lanes(&self) -> impl Iterator<Item = &LaneRef> {
        let pushes = self.pushes.iter().map(|(lane, ..)| lane);
        let settles = self.settles.iter().map(|(lane, ..)| lane);
        let renews = self.renews.iter().map(|(lane, ..)| lane);
        let operations = self.operations.iter().map(|(lane, ..)| lane);
        let acquittals = self.acquittals.iter().map(|(lane, ..)| lane);
        let claims = self.claims.iter().map(|(lane, ..)| lane);
        pushes.chain(settles).chain(renews).chain(operations).chain(acquittals).chain(claims)
    }
}

/// The answers to a round, in its order.
#[derive(Default)]
pub(super) struct Answers {
    pub pushes: Vec<Result<Vec<Pushed>, PushError>>,
    pub settles: Vec<Vec<Token>>,
    pub renews: Vec<Vec<Token>>,
    pub operations: Vec<Vec<JobId>>,
    pub claims: Vec<Claimed>,
}

/// Why a round was not carried out.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// What SQLite says.
    pub error: String,
    /// Whether it may have been written nevertheless.
    pub unknown: bool,
}

impl Round {
    /// Answers everybody; who no longer waits is not missed, and what was handed out to them is returned.
    pub fn reply(self, answers: Answers) -> Vec<(LaneRef, Vec<Hand>)> {
        for ((.., reply), answer) in self.pushes.into_iter().zip(answers.pushes) {
            let _ = reply.send(answer);
        }
        for ((.., reply), answer) in self.settles.into_iter().zip(answers.settles) {
            let _ = reply.send(Ok(answer));
        }
        for ((.., reply), answer) in self.renews.into_iter().zip(answers.renews) {
            let _ = reply.send(Ok(answer));
        }
        for ((.., reply), answer) in self.operations.into_iter().zip(answers.operations) {
            let _ = reply.send(Ok(answer));
        }
        for (.., reply) in self.acquittals {
            let _ = reply.send(Ok(()));
        }
        let mut unclaimed = Vec::new();
        for ((lane, _, reply), answer) in self.claims.into_iter().zip(answers.claims) {
            if let Err(Ok(Claimed { hands, .. })) = reply.send(Ok(answer))
                && !hands.is_empty()
            {
                unclaimed.push((lane, hands));
            }
        }
        unclaimed
    }

    /// Tells everybody that it failed.
    pub fn fail(self, fault: &Fault) {
        let error = || QueueError(fault.error.clone());
        for (.., reply) in self.pushes {
            let answer = if fault.unknown {
                PushError::Unknown(fault.error.clone())
            } else {
                PushError::Unavailable(fault.error.clone())
            };
            let _ = reply.send(Err(answer));
        }
        for (.., reply) in self.settles {
            let _ = reply.send(Err(error()));
        }
        for (.., reply) in self.renews {
            let _ = reply.send(Err(error()));
        }
        for (.., reply) in self.operations {
            let _ = reply.send(Err(error()));
        }
        for (.., reply) in self.acquittals {
            let _ = reply.send(Err(error()));
        }
        for (.., reply) in self.claims {
            let _ = reply.send(Err(error()));
        }
    }
}
