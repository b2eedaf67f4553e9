//! From the worker that applied to whoever waits: hints for speed, never the truth, which is in the rows.

use async_trait::async_trait;
use futures::{future::BoxFuture, stream::BoxStream};

use crate::{
    id::{DeliveryId, OperationId, WorkspaceId},
    lane::Sink,
    operation::{Outcome, ReplyTo},
};

/// An outcome, and the process that its operation named as waiting for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Who waits.
    pub to: Option<ReplyTo>,
    /// What they are told.
    pub outcome: Outcome,
}

/// Carries outcomes to waiting requests.
#[async_trait]
pub trait OutcomeChannel: Send + Sync + 'static {
    /// Begins to listen for the outcome of an operation: listening has begun when this returns, so it is called before
    /// the push. The future ends with the outcome; it never ends if nobody sends one, and costs nothing once dropped.
    fn listen(&self, id: OperationId) -> BoxFuture<'static, Outcome>;
    /// What an operation must carry for whose outcome this process listens; nothing where it is applied in this process.
    fn reply_to(&self) -> Option<ReplyTo>;
    /// Sends outcomes to whoever listens, without waiting for anybody.
    async fn send(&self, replies: Vec<Reply>);
}

/// Wakes those who follow a workspace's feed live.
pub trait FeedSignal: Send + Sync + 'static {
    /// Wakes whenever the workspace's feed may have grown, with the number of its last change; may skip numbers.
    fn follow(&self, workspace: WorkspaceId) -> BoxStream<'static, u64>;
}

/// Says after a commit what there is to do; each call is a hint for speed, for the sweeper finds what got lost.
#[async_trait]
pub trait Relay: Send + Sync + 'static {
    /// The workspace's feed has grown up to `seq`: wakes its followers and hints each sink that is in use.
    async fn changed(&self, workspace: WorkspaceId, seq: u64);
    /// The workspaces have something to do for this sink.
    async fn behind(&self, sink: Sink, workspaces: &[WorkspaceId]);
    /// These deliveries are due.
    async fn due(&self, deliveries: &[DeliveryId]);
}
