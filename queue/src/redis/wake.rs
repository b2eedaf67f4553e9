//! What workers are told: scripts publish on a lane's channel whenever something of it may have become free to be handed
//! out, and on a process's own what is given to those of it who stand by.
//!
//! A message may be missed, so everybody looks again when listening has begun, and a worker looks by itself after its longest
//! wait.

use std::sync::Arc;

use crate::wakes::Wakes;

use super::link::Link;
use super::listen::Listener;
use super::node::Hear;
use super::stand::Standers;

/// Wakes the workers of this process.
pub(super) struct Waker {
    pub link: Arc<Link>,
    pub wakes: Arc<Wakes>,
    pub standers: Option<Arc<Standers>>,
}

/// Passes on each message as it comes.
pub(super) fn hear(prefix: &str, wakes: &Arc<Wakes>, standers: &Arc<Standers>) -> Hear {
    let (before, wakes, standers) = (format!("{prefix}:{{"), Arc::clone(wakes), Arc::clone(standers));
    Arc::new(move |channel, message| {
        let lane = channel.strip_prefix(before.as_bytes()).and_then(|rest| rest.strip_suffix(b"}:wake"));
        match lane {
            Some(lane) => wakes.wake(|name| name.as_bytes() == lane),
            None if channel == standers.channel().as_bytes() => standers.tell(message),
            None => {}
        }
    })
}

impl Waker {
    fn channel(&self, lane: &str) -> String {
        format!("{}:wake", self.link.key(lane))
    }
}

impl Listener for Waker {
    fn channels(&self) -> Vec<String> {
        let own = self.standers.iter().map(|standers| standers.channel().to_owned());
        own.chain(self.wakes.lanes().into_iter().map(|lane| self.channel(lane))).collect()
    }

    fn listening(&self, channels: &[String]) {
        self.wakes.wake(|lane| channels.contains(&self.channel(lane)));
    }

    async fn changed(&self) {
        self.wakes.added.notified().await;
    }
}
