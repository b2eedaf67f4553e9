//! Standing by: who claimed in vain is given what the next push brings, by the push itself.
//!
//! The script of a push hands out to one who stands by and tells it by a message (`scripts/serve.lua`). The message may be
//! lost, and who stood by may have given up meanwhile; then the claim counts as unanswered, and the next claim of the same
//! asker has it back where it was. Who gives up and asks nothing soon asks for nothing, to the same end. What is heard
//! late, by a process that was stopped, is not begun: others may have it by then.
//!
//! Every third of a lease it is said again, which writes nothing to the disk (`scripts/standing.lua`): so the server knows
//! who is still there, and who stands by learns what it was not told of.
//!
//! In a Cluster nobody stands by: a message goes to all its nodes there, and who listens at another cannot be counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{Ask, Claimed, LaneSpec};

use super::claim::{Asker, Askers, Asking, Stood, read};
use super::failure::Failure;
use super::link::Link;
use super::node::lock;
use super::record::millis;
use super::reply::{list, number};
use super::script::{Call, STAND};

/// How long after giving up an asker may claim again before it is made to.
const MOMENT: Duration = Duration::from_millis(5);
/// Longest wait for those who have just given up.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a push handed out.
struct Given {
    /// When, by the server's clock in ms.
    at: i64,
    /// As a claim is answered.
    answer: Vec<Value>,
}

/// What is waited for: of which claim, and by whom.
type Waiting = HashMap<String, (u64, oneshot::Sender<Given>)>;

/// Those of this process who stand by.
pub(super) struct Standers {
    channel: String,
    waiting: Mutex<Waiting>,
    giving_up: TaskTracker,
}

/// One who stands by in a lane.
struct Standing {
    asking: Option<Asking>,
    standers: Arc<Standers>,
    askers: Askers,
    link: Arc<Link>,
    lane: LaneSpec,
}

/// The same moment, not later here than there.
#[derive(Debug, Clone, Copy)]
struct Moment {
    here: Instant,
    /// By the server's clock in ms.
    there: i64,
}

impl Standers {
    /// Nobody stands by; messages come over `channel`.
    pub fn new(channel: String) -> Self {
        Self { channel, waiting: Mutex::default(), giving_up: TaskTracker::new() }
    }

    /// Where messages come from.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Passes on a message; one for nobody is of no use any more.
    pub fn tell(&self, message: &[u8]) {
        let Some(mut items) = unpacked(message).filter(|items| items.len() > 3) else { return };
        let answer = items.split_off(3);
        let [Value::BulkString(name), Value::BulkString(claim), Value::Int(at)] = &items[..] else { return };
        let mut waiting = lock(&self.waiting);
        let Some(name) = std::str::from_utf8(name).ok() else { return };
        if waiting.get(name).is_some_and(|(number, _)| number.to_string().as_bytes() == claim)
            && let Some((_, stander)) = waiting.remove(name)
        {
            // It may be giving up at this moment.
            let _ = stander.send(Given { at: *at, answer });
        }
    }

    fn wait(&self, asker: &Asker) -> oneshot::Receiver<Given> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(asker.name.clone(), (asker.claim, sender));
        receiver
    }

    /// Waits until nobody who gave up can have been given anything.
    pub async fn rest(&self) {
        self.giving_up.close();
        if tokio::time::timeout(LAST_WORDS, self.giving_up.wait()).await.is_err() {
            tracing::warn!("the queue is closed before all who stood by gave back what they were given");
        }
    }
}

/// Stands by; answers with what a push brought, or with nothing when it is time to claim.
pub(super) async fn stand_by(
    standers: &Arc<Standers>,
    askers: &Askers,
    link: &Arc<Link>,
    lane: &LaneSpec,
    ask: &Ask,
) -> Result<Claimed, Failure> {
    let asking = askers.asking(lane.name);
    // An earlier claim may still be on its way; only a claim sorts that out.
    if asking.asker.answered + 1 < asking.asker.claim {
        return Ok(claim_now());
    }
    let mut given = standers.wait(&asking.asker);
    let (standers, askers, link) = (Arc::clone(standers), askers.clone(), Arc::clone(link));
    let mut standing = Standing { asking: Some(asking), standers, askers, link, lane: *lane };
    let third = lane.lease / 3;
    loop {
        let (heard, due) = standing.say(ask).await?;
        let is_due = due.is_some_and(|due| due <= third);
        tokio::select! {
            biased;
            given = &mut given => return match given {
                Ok(given) if !heard.is_late(given.at, lane.lease) => standing.take(given),
                _ => Ok(claim_now()),
            },
            () = tokio::time::sleep(due.unwrap_or(third).min(third)) => {}
        }
        if is_due {
            return Ok(claim_now());
        }
    }
}

fn claim_now() -> Claimed {
    Claimed { hands: Vec::new(), again_in: Some(Duration::ZERO) }
}

impl Standing {
    /// Says that it stands by, or still does. Returns a moment before that was heard, and after how long to claim.
    async fn say(&mut self, ask: &Ask) -> Result<(Moment, Option<Duration>), Failure> {
        let Some(asking) = &mut self.asking else { return Err(ended()) };
        let (name, lane) = (self.lane.name, &self.lane);
        let mut call = Call::new(&STAND, &self.link.key(name));
        call.arg(millis(lane.lease)).arg(lane.batch.clamp(1, 500)).arg(ask.hands.min(500));
        call.arg(&asking.asker.name).arg(asking.asker.claim).arg(self.standers.channel());
        asking.asker.stood = Stood::Asked;
        let (here, link) = (Instant::now(), Arc::clone(&self.link));
        // In a task of its own: who gives up in the middle must not break off a connection that others wait for.
        let said = tokio::spawn(async move { link.run(name, &call).await }).await;
        let said = list(said.map_err(|_| ended())??)?;
        asking.asker.stood = Stood::Heard;
        let [due, there] = &said[..] else { return Err(Failure::Unknown("an answer is incomplete".into())) };
        let due = u64::try_from(number(due)?).ok().map(Duration::from_millis);
        Ok((Moment { here, there: number(there)? }, due))
    }

    fn take(&mut self, given: Given) -> Result<Claimed, Failure> {
        let claimed = read(given.answer)?;
        if let Some(asking) = &mut self.asking {
            asking.was_answered();
        }
        Ok(claimed)
    }
}

fn ended() -> Failure {
    Failure::Unknown("the program ended".into())
}

impl Moment {
    /// Whether what happened `at` that time of the server may be more than half a lease ago.
    fn is_late(self, at: i64, lease: Duration) -> bool {
        let since = u64::try_from(self.there - at).map_or(Duration::ZERO, Duration::from_millis);
        let until = u64::try_from(at - self.there).map_or(Duration::ZERO, Duration::from_millis);
        self.here.elapsed() + since > lease / 2 + until
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let Some(asking) = self.asking.take() else { return };
        let (stood, name) = (asking.asker.stood != Stood::No, asking.asker.name.clone());
        // Before another claim of the same asker can wait.
        lock(&self.standers.waiting).remove(&name);
        drop(asking);
        let Ok(runtime) = Handle::try_current() else { return };
        if !stood {
            return;
        }
        let (askers, link, lane) = (self.askers.clone(), Arc::clone(&self.link), self.lane);
        let give_up = async move {
            tokio::time::sleep(MOMENT).await;
            let Some(asking) = askers.who_stood(lane.name, &name) else { return };
            let ask = Ask { hands: 0, worker: String::new() };
            if let Err(failure) = asking.claim(&link, &lane, &ask).await {
                tracing::debug!(lane = lane.name, error = failure.text(), "it cannot be said who gave up");
            }
        };
        self.standers.giving_up.spawn_on(give_up, &runtime);
    }
}

/// Takes apart what `packed` made.
fn unpacked(mut message: &[u8]) -> Option<Vec<Value>> {
    let mut items = Vec::new();
    while let [kind, rest @ ..] = message {
        let colon = rest.iter().position(|byte| *byte == b':')?;
        let length: usize = std::str::from_utf8(&rest[..colon]).ok()?.parse().ok()?;
        let (item, others) = rest[colon + 1..].split_at_checked(length)?;
        message = others;
        items.push(match kind {
            b'i' => Value::Int(std::str::from_utf8(item).ok()?.parse().ok()?),
            _ => Value::BulkString(item.to_vec()),
        });
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_out_long_ago_is_late() {
        let lease = Duration::from_secs(10);
        let here = Instant::now().checked_sub(Duration::from_secs(20)).expect("the machine runs longer");
        let heard = Moment { here, there: 1_000_000 };
        let handed_out = |after_ms: i64| heard.is_late(1_000_000 + after_ms, lease);
        assert!(handed_out(0) && handed_out(14_000), "20 s ago, and 6 s ago");
        assert!(!handed_out(16_000), "4 s ago");
        assert!(!handed_out(60_000), "the server's clock was set");
        let heard = Moment { here: Instant::now(), there: 1_000_000 };
        assert!(heard.is_late(994_000, lease), "before it was said again");
        assert!(!heard.is_late(996_000, lease));
    }
}
