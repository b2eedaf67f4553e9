//! Outcomes to waiting requests within the process.
//!
//! A map from operation to those who wait, in shards so that many requests do not meet at one lock. An entry lives
//! exactly as long as the future that waits for it. Beyond a bound nobody is entered any more: such a request finds its
//! outcome in the row, which it looks at anyway.

use std::{
    collections::{HashMap, hash_map::Entry},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use async_trait::async_trait;
use fairy_jobs::{
    id::OperationId,
    operation::{Outcome, ReplyTo},
    ports::{OutcomeChannel, Reply},
};
use futures::future::BoxFuture;
use tokio::sync::oneshot;

const SHARDS: usize = 16;
/// Most requests that are entered: far beyond the connections that are accepted.
const MAX_WAITING: usize = 100_000;

type Shard = HashMap<OperationId, Vec<Waiter>>;

struct Waiter {
    ticket: u64,
    to: oneshot::Sender<Outcome>,
}

#[derive(Default)]
struct Shared {
    shards: [Mutex<Shard>; SHARDS],
    tickets: AtomicU64,
    waiting: AtomicUsize,
}

impl Shared {
    fn shard(&self, id: OperationId) -> MutexGuard<'_, Shard> {
        let byte = id.to_bytes()[15];
        // A panic while the lock is held leaves a map that is still a map.
        self.shards[usize::from(byte) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The channel; clones share it.
#[derive(Clone, Default)]
pub struct Outcomes(Arc<Shared>);

impl Outcomes {
    /// How many requests wait for an outcome.
    pub fn waiting(&self) -> usize {
        self.0.waiting.load(Ordering::Relaxed)
    }

    /// Tells everybody in this process who waits for this outcome.
    pub fn tell(&self, outcome: &Outcome) {
        let waiters = self.0.shard(outcome.id).remove(&outcome.id);
        for waiter in waiters.into_iter().flatten() {
            // Whoever has stopped waiting meanwhile does not need it.
            let _ = waiter.to.send(outcome.clone());
        }
    }
}

#[async_trait]
impl OutcomeChannel for Outcomes {
    fn listen(&self, id: OperationId) -> BoxFuture<'static, Outcome> {
        if self.0.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            self.0.waiting.fetch_sub(1, Ordering::Relaxed);
            return Box::pin(std::future::pending());
        }
        let ticket = self.0.tickets.fetch_add(1, Ordering::Relaxed);
        let (to, from) = oneshot::channel();
        self.0.shard(id).entry(id).or_default().push(Waiter { ticket, to });
        Box::pin(Listening { shared: self.0.clone(), id, ticket, from })
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        None
    }

    async fn send(&self, replies: Vec<Reply>) {
        replies.iter().for_each(|reply| self.tell(&reply.outcome));
    }
}

struct Listening {
    shared: Arc<Shared>,
    id: OperationId,
    ticket: u64,
    from: oneshot::Receiver<Outcome>,
}

impl Future for Listening {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        match Pin::new(&mut self.from).poll(context) {
            Poll::Ready(Ok(outcome)) => Poll::Ready(outcome),
            // The sender is dropped unsent only with the whole channel: then nobody will send any more.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Entry::Occupied(mut entry) = self.shared.shard(self.id).entry(self.id) {
            entry.get_mut().retain(|waiter| waiter.ticket != self.ticket);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::{operation::End, testing::outcome};
    use futures::FutureExt as _;

    use super::*;

    fn reply(id: u8) -> Reply {
        Reply { to: None, outcome: outcome(OperationId::from_bytes([id; 16]), End::Applied(None)) }
    }

    fn held(channel: &Outcomes) -> usize {
        channel.0.shards.iter().map(|shard| shard.lock().unwrap().len()).sum()
    }

    #[tokio::test]
    async fn everybody_who_waits_is_told_and_nothing_is_kept() {
        let channel = Outcomes::default();
        let id = OperationId::from_bytes([7; 16]);
        let (first, second) = (channel.listen(id), channel.listen(id));
        let other = channel.listen(OperationId::from_bytes([8; 16]));
        assert_eq!(channel.waiting(), 3);
        channel.send(vec![reply(7), reply(9)]).await;
        assert_eq!(first.await.id, id);
        assert_eq!(second.await.id, id);
        assert_eq!((channel.waiting(), held(&channel)), (1, 1));
        drop(other);
        assert_eq!((channel.waiting(), held(&channel)), (0, 0));
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_the_others_waiting() {
        let channel = Outcomes::default();
        let id = OperationId::from_bytes([7; 16]);
        let (first, mut second) = (channel.listen(id), channel.listen(id));
        drop(first);
        assert!((&mut second).now_or_never().is_none());
        channel.send(vec![reply(7)]).await;
        assert!(second.now_or_never().is_some());
        assert_eq!(held(&channel), 0);
    }
}
