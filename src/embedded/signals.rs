//! Wakes those who follow a workspace's feed live.
//!
//! One watch per followed workspace, made by its first follower and removed with its last, so that a server with many
//! workspaces holds nothing for those whom nobody follows. What grows here can be told onward, to other processes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairy_jobs::{id::WorkspaceId, ports::FeedSignal};
use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::sync::watch;

type Map = HashMap<WorkspaceId, watch::Sender<u64>>;

/// Tells others that a workspace's feed has grown up to a change; must not wait.
pub type Onward = Arc<dyn Fn(WorkspaceId, u64) + Send + Sync>;

/// The signals; clones share them.
#[derive(Clone, Default)]
pub struct Signals {
    followed: Arc<Mutex<Map>>,
    onward: Option<Onward>,
}

impl Signals {
    /// Signals of which others are told what grows here.
    pub fn telling(onward: Onward) -> Self {
        Self { onward: Some(onward), ..Self::default() }
    }

    /// The workspace's feed has grown up to `seq`, by what this process did.
    pub fn grown(&self, workspace: WorkspaceId, seq: u64) {
        self.heard(workspace, seq);
        if let Some(onward) = &self.onward {
            onward(workspace, seq);
        }
    }

    /// The workspace's feed has grown up to `seq`, whoever did it.
    pub fn heard(&self, workspace: WorkspaceId, seq: u64) {
        if let Some(sender) = self.map().get(&workspace) {
            sender.send_if_modified(|last| {
                let grown = seq > *last;
                *last = seq.max(*last);
                grown
            });
        }
    }

    /// Any feed may have grown: all who follow one look.
    pub fn missed(&self) {
        self.map().values().for_each(|sender| sender.send_modify(|_| ()));
    }

    /// How many workspaces are followed.
    pub fn followed(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FeedSignal for Signals {
    fn follow(&self, workspace: WorkspaceId) -> BoxStream<'static, u64> {
        let seq = self.map().entry(workspace).or_insert_with(|| watch::Sender::new(0)).subscribe();
        let following = Following { signals: self.clone(), workspace, seq };
        stream::unfold(following, async |mut following| {
            following.seq.changed().await.ok()?;
            let seq = *following.seq.borrow_and_update();
            Some((seq, following))
        })
        .boxed()
    }
}

struct Following {
    signals: Signals,
    workspace: WorkspaceId,
    seq: watch::Receiver<u64>,
}

impl Drop for Following {
    fn drop(&mut self) {
        let mut map = self.signals.map();
        // This follower's own receiver is still counted while it is being dropped.
        if map.get(&self.workspace).is_some_and(|sender| sender.receiver_count() <= 1) {
            map.remove(&self.workspace);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn followers_are_woken_with_the_last_number_and_leave_nothing() {
        let signals = Signals::default();
        let [one, two] = [1, 2].map(|n| WorkspaceId::from_bytes([n; 16]));
        let (mut first, mut second) = (signals.follow(one), signals.follow(one));
        signals.grown(two, 9);
        assert!(first.next().now_or_never().is_none());
        signals.grown(one, 3);
        signals.grown(one, 5);
        signals.grown(one, 4);
        assert_eq!(first.next().await, Some(5));
        assert!(first.next().now_or_never().is_none());
        drop(first);
        assert_eq!((signals.followed(), second.next().await), (1, Some(5)));
        drop(second);
        assert_eq!(signals.followed(), 0);
    }

    #[tokio::test]
    async fn who_may_have_missed_something_looks() {
        let signals = Signals::default();
        let [mut first, mut second] = [1, 2].map(|n| signals.follow(WorkspaceId::from_bytes([n; 16])));
        signals.missed();
        assert!(first.next().now_or_never().is_some() && second.next().now_or_never().is_some());
        assert!(first.next().now_or_never().is_none(), "once");
    }
}
