//! Notices and deliveries: the intent is recorded, then the message sent, then the outcome recorded.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::PortResult;
use crate::{
    account::User,
    change::Change,
    id::{DeliveryId, TaskId, WorkspaceId},
    notice::{Beginning, Delivery, Notice, Receipt},
    page::{Page, PageRequest},
    team::{Invitation, Workspace},
    text::Name,
    trace::Trace,
};

/// A delivery to be made for a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// When it is due.
    pub due_at: Timestamp,
    /// The trace of the operation that it tells of.
    pub trace: Option<Trace>,
}

/// What telling people did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Deliveries that were made and are due.
    pub deliveries: Vec<DeliveryId>,
}

/// The notices.
#[async_trait]
pub trait Notices: Send + Sync + 'static {
    /// Keeps these notices, each with its delivery, and marks the sink `notify` as done up to `seq`, in one transaction.
    /// A notice any of whose (person, change) pairs is held already is left out, so a repeat tells nobody twice; one for
    /// a person who is no longer a member is kept without a delivery and says so.
    async fn tell(
        &self,
        workspace: WorkspaceId,
        notices: &[(Notice, NewDelivery)],
        seq: u64,
        at: Timestamp,
    ) -> PortResult<Told>;
    /// What can be shown of the notices about a task, newest first; with the actors of its changes, who are not told.
    async fn receipts(
        &self,
        workspace: WorkspaceId,
        task: TaskId,
        page: PageRequest,
    ) -> PortResult<Page<Receipt>>;
}

/// What a delivery says, read when it is sent.
#[derive(Debug, Clone)]
pub enum DeliveryContent {
    /// A notice: with its changes, oldest first, the person and the workspace.
    Notice {
        /// The notice.
        notice: Notice,
        /// Its changes.
        changes: Vec<Change>,
        /// Who is told.
        person: Box<User>,
        /// Where it happened.
        workspace: Workspace,
        /// Names of the people that the changes name by id.
        names: Vec<(crate::id::UserId, Name)>,
    },
    /// An invitation.
    Invitation {
        /// The invitation.
        invitation: Invitation,
        /// Where to.
        workspace: Workspace,
        /// Who invites.
        inviter: Name,
    },
    /// A link that proves an address or lets a password be set; the delivery's subject says which.
    Link {
        /// Whose.
        person: Box<User>,
        /// Until when.
        expires_at: Timestamp,
    },
    /// What happened to the person's account when the delivery was made; its subject says what.
    Account {
        /// Whose.
        person: Box<User>,
    },
    /// There is no reason for it any more (left the team, invitation withdrawn, link replaced): with the words for it.
    Gone(String),
}

impl DeliveryContent {
    /// Whether what it offers has ended by now: a link that opens nothing is not worth a mail.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        match self {
            Self::Invitation { invitation, .. } => invitation.expires_at <= now,
            Self::Link { expires_at, .. } => *expires_at <= now,
            Self::Notice { .. } | Self::Account { .. } | Self::Gone(_) => false,
        }
    }
}

/// How an attempt to deliver ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// Taken over; with what the provider called it.
    Sent {
        /// The mail server's answer, or the file's name.
        provider_id: String,
    },
    /// It failed by its own fault and is to be tried again then.
    Later {
        /// When.
        due_at: Timestamp,
        /// Why.
        error: String,
    },
    /// It could not be sent and it is not its fault: to be tried again then, with nothing of its schedule spent.
    Waits {
        /// When.
        due_at: Timestamp,
        /// Why.
        error: String,
    },
    /// Given up.
    Failed {
        /// Why.
        error: String,
    },
    /// Not sent, for its reason is gone.
    Dropped {
        /// Why.
        reason: String,
    },
}

/// What beginning came to. What is left out is sent, given up, not due or in other hands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Begun {
    /// Begun now, in the order in which they were named.
    pub deliveries: Vec<Delivery>,
    /// Not begun, for each of them is to be begun alone.
    pub alone: Vec<DeliveryId>,
    /// Given up now, with why: its row cannot be read, or nobody lived to end it.
    pub failed: Vec<(DeliveryId, String)>,
}

/// Until when deliveries wait, because nothing can be sent for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: Timestamp,
    /// Why nothing can be sent.
    pub error: String,
    /// Those made before this have waited long enough and are given up.
    pub made_after: Timestamp,
    /// Why those are given up.
    pub too_long: String,
}

/// The deliveries.
#[async_trait]
pub trait Deliveries: Send + Sync + 'static {
    /// Begins an attempt for those of these (at most 100) that are due and nobody else has begun within `lease`:
    /// counts it and marks them as sending until then. One that was begun before without an end is begun only where
    /// `how` says that nothing else is being sent, and in the end given up.
    async fn begin(
        &self,
        ids: &[DeliveryId],
        how: Beginning,
        lease: Duration,
        at: Timestamp,
    ) -> PortResult<Begun>;
    /// Makes those of these (at most 100) that are due wait, without an attempt: how many were given up instead.
    async fn put_off(&self, ids: &[DeliveryId], wait: &Wait, at: Timestamp) -> PortResult<u64>;
    /// Gives a delivery up that has no end yet.
    async fn give_up(&self, id: DeliveryId, error: &str, at: Timestamp) -> PortResult<()>;
    /// Makes what was begun due at once, its attempt without an end: for the start of the one process that sends. What
    /// had a sender die on it before waits for its lease, so that starting again and again does not use its attempts up.
    /// How many were freed.
    async fn free_begun(&self, at: Timestamp) -> PortResult<u64>;
    /// What they say, in the same order, as it is now.
    async fn contents(&self, deliveries: &[Delivery]) -> PortResult<Vec<DeliveryContent>>;
    /// Records how attempts ended, by delivery and attempt number; one that was taken over by another is left alone.
    async fn settle(&self, ends: &[(DeliveryId, u32, Attempt)], at: Timestamp) -> PortResult<()>;
    /// When this delivery may be begun next: `None` if it needs nothing more.
    async fn next_due(&self, id: DeliveryId) -> PortResult<Option<Timestamp>>;
    /// Deliveries due before `before` that nobody has in hand, longest first, at most `limit` (≤ 500).
    async fn due(&self, before: Timestamp, limit: usize) -> PortResult<Vec<DeliveryId>>;
}
