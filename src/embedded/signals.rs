//! Wakes those who follow a workspace's feed live.
//!
//! One watch per followed workspace, made by its first follower and removed with its last, so that a server with many
//! workspaces holds nothing for those whom nobody follows.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairy_jobs::{id::WorkspaceId, ports::FeedSignal};
use futures::{StreamExt as _, stream, stream::BoxStream};
use tokio::sync::watch;

type Map = HashMap<WorkspaceId, watch::Sender<u64>>;

/// The signals; clones share them.
#[derive(Clone, Default)]
pub struct Signals(Arc<Mutex<Map>>);

impl Signals {
    /// The workspace's feed has grown up to `seq`.
    pub fn grown(&self, workspace: WorkspaceId, seq: u64) {
        if let Some(sender) = self.map().get(&workspace) {
            sender.send_if_modified(|last| {
                let grown = seq > *last;
                *last = seq.max(*last);
                grown
            });
        }
    }

    /// How many workspaces are followed.
    pub fn followed(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
}
