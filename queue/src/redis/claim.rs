//! Claims, which may be repeated though each hands something out.
//!
//! Who asks has a name and numbers its claims, and says which of them was answered last. What a later one had handed out
//! goes back as it was; and a lost one that reaches the server late finds that a later one was there.
//! Without this every lost answer would leave jobs in nobody's hands until their lease lapsed, under suspicion.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::Value;

use crate::{Ask, Claimed, Hand, LaneSpec, Order, Token};

use super::failure::Failure;
use super::link::Link;
use super::node::lock;
use super::record::{millis, raw};
use super::reply::{bytes, list, number, text};
use super::script::{CLAIM, Call};

/// One who asks, a claim at a time.
#[derive(Debug, Default)]
pub(super) struct Asker {
    /// Its name.
    pub name: String,
    /// Its last claim.
    pub claim: u64,
    /// The last of them that was answered.
    pub answered: u64,
    /// Whether it stood by with the last.
    pub stood: Stood,
}

/// Whether somebody stood by and may have been given something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stood {
    /// Not since it last claimed.
    #[default]
    No,
    /// That was asked and perhaps not heard yet.
    Asked,
    /// The server knows, and nothing of it is on the way any more.
    Heard,
}

/// Those of this process who ask nothing at the moment, by lane; clones share them.
#[derive(Clone)]
pub(super) struct Askers {
    instance: Arc<str>,
    made: Arc<AtomicU64>,
    idle: Arc<Mutex<HashMap<&'static str, Vec<Asker>>>>,
}

/// An asker at work; when its claim is dropped on the way its answer counts as lost.
pub(super) struct Asking {
    /// Who asks.
    pub asker: Asker,
    lane: &'static str,
    askers: Askers,
}

impl Askers {
    /// No askers yet.
    pub fn new(instance: &str) -> Self {
        Self { instance: instance.into(), made: Arc::default(), idle: Arc::default() }
    }

    /// One who is idle, for its next claim; a new one if there is none.
    pub fn asking(&self, lane: &'static str) -> Asking {
        let mut idle = lock(&self.idle);
        let mut asker = idle.entry(lane).or_default().pop().unwrap_or_else(|| {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            Asker { name: format!("{}-{number}", self.instance), ..Asker::default() }
        });
        asker.claim += 1;
        Asking { asker, lane, askers: self.clone() }
    }

    /// The one of that name for its next claim, if it stood by with its last and is idle.
    pub fn who_stood(&self, lane: &'static str, name: &str) -> Option<Asking> {
        let mut all = lock(&self.idle);
        let idle = all.get_mut(lane)?;
        let stood = |one: &Asker| one.stood != Stood::No && one.name == name;
        let mut asker = idle.swap_remove(idle.iter().position(stood)?);
        asker.claim += 1;
        Some(Asking { asker, lane, askers: self.clone() })
    }
}

impl Asking {
    /// Hands out jobs.
    pub async fn claim(mut self, link: &Link, lane: &LaneSpec, ask: &Ask) -> Result<Claimed, Failure> {
        let mut call = Call::new(&CLAIM, &link.key(lane.name));
        let asker = &mut self.asker;
        let stood = asker.stood;
        if stood != Stood::No {
            // Whether this is heard is not known until it is answered.
            asker.stood = Stood::Asked;
        }
        call.arg(u8::from(lane.order == Order::Grouped)).arg(millis(lane.lease));
        call.arg(lane.batch.clamp(1, 500)).arg(ask.hands.min(500));
        call.arg(&asker.name).arg(asker.claim).arg(asker.answered).arg(u8::from(stood == Stood::Heard));
        let claimed = read(list(link.run(lane.name, &call).await?)?)?;
        self.was_answered();
        Ok(claimed)
    }

    /// Takes note that the answer arrived.
    pub fn was_answered(&mut self) {
        self.asker.answered = self.asker.claim;
        self.asker.stood = Stood::No;
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.askers.idle).entry(self.lane).or_default().push(std::mem::take(&mut self.asker));
    }
}

/// Reads what `hand_over` answers.
pub(super) fn read(items: Vec<Value>) -> Result<Claimed, Failure> {
    let mut items = items.into_iter();
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
