//! Who counts what happens in the lanes, for operators.
//!
//! A lane's state can be asked for at any time ([`LaneStats`](crate::LaneStats)); what happens between two looks is told
//! here, by the process in which it happens.

use std::time::Duration;

use crate::{LaneSpec, PushError, Verdict};

/// Is told what happens. It is called on the way of each push and each hand-out, so it counts and never waits.
pub trait Observer: Send + Sync + 'static {
    /// A push of so many jobs was carried out or refused, after this time.
    fn pushed(&self, _lane: &LaneSpec, _jobs: usize, _took: Duration, _refused: Option<&PushError>) {}

    /// A handler is given a job that was pushed at this time, epoch ms by the clock of the lane, for its attempt number
    /// `attempt`, from 1.
    fn begun(&self, _lane: &LaneSpec, _pushed_at: i64, _attempt: u32) {}

    /// A handler had a hand-out in its hands for this long.
    fn worked(&self, _lane: &LaneSpec, _took: Duration) {}

    /// So many jobs came to this end.
    fn ended(&self, _lane: &LaneSpec, _end: JobEnd, _jobs: usize) {}

    /// The leases of so many hand-outs were lost while they were in hand; others do their jobs again.
    fn lost(&self, _lane: &LaneSpec, _hands: usize) {}
}

/// Nobody who counts.
impl Observer for () {}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobEnd {
    /// It is done.
    Done,
    /// It failed and is tried again.
    Retried,
    /// It waits, without an attempt.
    Snoozed,
    /// It goes back to its place, without an attempt.
    HandedBack,
    /// It became pointless.
    Discarded,
    /// It is among the dead letters.
    Dead,
}

impl JobEnd {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Retried, Self::Snoozed, Self::HandedBack, Self::Discarded, Self::Dead];

    /// Its name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Retried => "retried",
            Self::Snoozed => "snoozed",
            Self::HandedBack => "handed_back",
            Self::Discarded => "discarded",
            Self::Dead => "dead",
        }
    }

    /// What a verdict means. One that a burial follows is told when that is done.
    const fn of(verdict: &Verdict) -> Option<Self> {
        match verdict {
            Verdict::Remove => Some(Self::Done),
            Verdict::Retry { .. } => Some(Self::Retried),
            Verdict::Snooze(_) => Some(Self::Snoozed),
            Verdict::HandBack | Verdict::Isolate => Some(Self::HandedBack),
            Verdict::Doom { .. } => None,
            Verdict::Bury => Some(Self::Dead),
        }
    }
}

/// Tells what these verdicts mean, of which so many are discards.
pub(crate) fn tell<'v>(
    observer: &dyn Observer,
    lane: &LaneSpec,
    verdicts: impl Iterator<Item = &'v Verdict>,
    discarded: usize,
) {
    let mut counts = [0; JobEnd::ALL.len()];
    for end in verdicts.filter_map(JobEnd::of) {
        counts[end as usize] += 1;
    }
    counts[JobEnd::Done as usize] -= discarded;
    counts[JobEnd::Discarded as usize] += discarded;
    for (end, count) in JobEnd::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
        observer.ended(lane, end, count);
    }
}
