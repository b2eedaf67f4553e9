//! Wake-ups: scripts publish on a lane's channel whenever something of it may have become free to be handed out.
//!
//! One may be missed, so everybody looks again when listening has begun, and a worker looks by itself after its longest
//! wait.

use std::collections::HashSet;
use std::sync::Arc;

use crate::wakes::Wakes;

use super::link::Link;
use super::listen::Listener;

/// Wakes the workers of this process.
pub(super) struct Waker {
    pub link: Arc<Link>,
    pub wakes: Arc<Wakes>,
}

impl Waker {
    fn channel(&self, lane: &str) -> String {
        format!("{}:wake", self.link.key(lane))
    }
}

impl Listener for Waker {
    fn channels(&self) -> Vec<String> {
        self.wakes.lanes().into_iter().map(|lane| self.channel(lane)).collect()
    }

    fn listening(&self, channels: &[String]) {
        self.wakes.wake(|lane| channels.contains(&self.channel(lane)));
    }

    fn gathered(&self, channels: &HashSet<Vec<u8>>) {
        self.wakes.wake(|lane| channels.contains(self.channel(lane).as_bytes()));
    }

    async fn changed(&self) {
        self.wakes.added.notified().await;
    }
}
