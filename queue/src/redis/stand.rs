//! Standing by: who claimed in vain is given what the next push brings, by the push itself.
//!
//! The script of a push hands out to one who stands by and tells it by a message (`scripts/serve.lua`). The message may be
//! lost, and who stood by may have given up meanwhile; then the claim counts as unanswered, and the next claim of the same
//! asker has it back where it was. Who gives up and asks nothing soon asks for nothing, to the same end.
//!
//! In a Cluster nobody stands by: a message goes to all its nodes there, and who listens at another cannot be counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::{Ask, Claimed, LaneSpec};

use super::claim::{Asker, Askers, Asking, read};
use super::failure::Failure;
use super::link::Link;
use super::node::lock;
use super::record::millis;
use super::reply::number;
use super::script::{Call, STAND};

/// How long after giving up an asker may claim again before it is made to.
const MOMENT: Duration = Duration::from_millis(5);
/// Longest wait for those who have just given up.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What is waited for: of which claim, and by whom.
type Waiting = HashMap<String, (u64, oneshot::Sender<Vec<Value>>)>;

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
        let Some(mut items) = unpacked(message).filter(|items| items.len() > 2) else { return };
        let answer = items.split_off(2);
        let [Value::BulkString(name), Value::BulkString(claim)] = &items[..] else { return };
        let mut waiting = lock(&self.waiting);
        let Some(name) = std::str::from_utf8(name).ok() else { return };
        if waiting.get(name).is_some_and(|(number, _)| number.to_string().as_bytes() == claim)
            && let Some((_, stander)) = waiting.remove(name)
        {
            // It may be giving up at this moment.
            let _ = stander.send(answer);
        }
    }

    fn wait(&self, asker: &Asker) -> oneshot::Receiver<Vec<Value>> {
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
    let mut asking = askers.asking(lane.name);
    asking.asker.stood = true;
    let given = standers.wait(&asking.asker);
    let mut call = Call::new(&STAND, &link.key(lane.name));
    call.arg(millis(lane.lease)).arg(lane.batch.clamp(1, 500)).arg(ask.hands.min(500));
    call.arg(&asking.asker.name).arg(asking.asker.claim).arg(asking.asker.answered).arg(standers.channel());
    let to = Arc::clone(link);
    let (standers, askers, link) = (Arc::clone(standers), askers.clone(), Arc::clone(link));
    let mut standing = Standing { asking: Some(asking), standers, askers, link, lane: *lane };
    // In a task of its own: who stands by may be looked at again only when something came, and others wait for the same
    // connection meanwhile.
    let name = lane.name;
    let stood = tokio::spawn(async move { to.run(name, &call).await }).await;
    let again = number(&stood.map_err(|_| Failure::Unknown("the program ended".into()))??)?;
    let third = lane.lease / 3;
    let until = u64::try_from(again).map_or(third, |again| Duration::from_millis(again).min(third));
    tokio::select! {
        biased;
        Ok(answer) = given => {
            let claimed = read(answer)?;
            standing.was_answered();
            Ok(claimed)
        }
        () = tokio::time::sleep(until) => {
            Ok(Claimed { hands: Vec::new(), again_in: Some(Duration::ZERO) })
        }
    }
}

impl Standing {
    fn was_answered(&mut self) {
        if let Some(asking) = &mut self.asking {
            asking.was_answered();
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let Some(asking) = self.asking.take() else { return };
        let (stood, name) = (asking.asker.stood, asking.asker.name.clone());
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
