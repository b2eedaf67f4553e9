//! Claims, which may be repeated though each hands something out.
//!
//! Who asks has a name and numbers its claims, and says which of them was answered last. What a later one had handed out
//! goes back as it was; and a lost one that reaches the server late finds that a later one was there.
//! Without this every lost answer would leave jobs in nobody's hands until their lease lapsed, under suspicion.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::Value;

use crate::{Ask, Claimed, Hand, LaneSpec, Order, Token};

use super::failure::Failure;
use super::link::Link;
use super::record::{millis, raw};
use super::reply::{bytes, list, number, text};
use super::script::{CLAIM, Call};

/// One who asks, a claim at a time.
#[derive(Debug)]
struct Asker {
    name: String,
    /// Its last claim.
    claim: u64,
    /// The last of them that was answered.
    answered: u64,
}

type Idle = Arc<Mutex<HashMap<&'static str, Vec<Asker>>>>;

/// Those of this process who ask nothing at the moment, by lane.
pub(super) struct Askers {
    instance: String,
    made: std::sync::atomic::AtomicU64,
    idle: Idle,
}

/// An asker at work; when its claim is dropped on the way its answer counts as lost.
struct Asking {
    lane: &'static str,
    asker: Option<Asker>,
    idle: Idle,
}

impl Askers {
    /// No askers yet.
    pub fn new(instance: String) -> Self {
        Self { instance, made: std::sync::atomic::AtomicU64::new(0), idle: Idle::default() }
    }

    fn asking(&self, lane: &'static str) -> Asking {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut asker = idle.entry(lane).or_default().pop().unwrap_or_else(|| {
            let number = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Asker { name: format!("{}-{number}", self.instance), claim: 0, answered: 0 }
        });
        asker.claim += 1;
        Asking { lane, asker: Some(asker), idle: Arc::clone(&self.idle) }
    }

    /// Hands out jobs.
    pub async fn claim(&self, link: &Link, lane: &LaneSpec, ask: &Ask) -> Result<Claimed, Failure> {
        let mut asking = self.asking(lane.name);
        let mut call = Call::new(&CLAIM, &link.key(lane.name));
        if let Some(asker) = &asking.asker {
            call.arg(u8::from(lane.order == Order::Grouped)).arg(millis(lane.lease));
            call.arg(lane.batch.clamp(1, 500)).arg(ask.hands.min(500));
            call.arg(&asker.name).arg(asker.claim).arg(asker.answered);
        }
        match link.run(lane.name, &call).await {
            Ok(value) => {
                let claimed = read(value)?;
                asking.was_answered();
                Ok(claimed)
            }
            Err(failure) => Err(failure),
        }
    }
}

impl Asking {
    fn was_answered(&mut self) {
        if let Some(asker) = &mut self.asker {
            asker.answered = asker.claim;
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(self.lane).or_default().extend(self.asker.take());
    }
}

fn read(value: Value) -> Result<Claimed, Failure> {
    let mut items = list(value)?.into_iter();
    let again = items.next().map(|first| number(&first)).transpose()?.unwrap_or(-1);
    let mut hands = Vec::new();
    while let Some(token) = items.next() {
        hands.push(hand(token, &mut items)?);
    }
    Ok(Claimed { hands, again_in: u64::try_from(again).ok().map(Duration::from_millis) })
}

fn hand(token: Value, items: &mut impl Iterator<Item = Value>) -> Result<Hand, Failure> {
    let mut next = || items.next().ok_or_else(|| Failure::Unknown("a hand-out is incomplete".into()));
    let token = text(token)?.parse().map_err(|_| Failure::Unknown("a token is no number".into()))?;
    let count = number(&next()?)?;
    let mut jobs = Vec::new();
    for _ in 0..count {
        let (id, record, mark) = (next()?, next()?, next()?);
        jobs.push(raw(text(id)?, &bytes(record)?, &bytes(mark)?));
    }
    Ok(Hand { token: Token(token), jobs })
}
