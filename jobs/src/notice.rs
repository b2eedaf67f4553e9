//! Who is to be told of a change, and why.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    change::{Change, ChangeKind},
    email::EmailAddress,
    id::{DeliveryId, InvitationId, LinkId, NoticeId, OperationId, TaskId, UserId, WorkspaceId},
    task::Task,
    text::Name,
    trace::Trace,
};

/// Why somebody is told; the strongest comes last in order, and a person is told with the strongest that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// They created the task.
    Creator,
    /// They watch it.
    Watching,
    /// They were to do it and no longer are.
    Unassigned,
    /// A text names them with `@`.
    Mentioned,
    /// They are to do it.
    Assigned,
}

impl Reason {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creator => "creator",
            Self::Watching => "watching",
            Self::Unassigned => "unassigned",
            Self::Mentioned => "mentioned",
            Self::Assigned => "assigned",
        }
    }

    /// The reason of that name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Creator, Self::Watching, Self::Unassigned, Self::Mentioned, Self::Assigned]
            .into_iter()
            .find(|r| r.as_str() == text)
    }
}

/// One person, and why they are concerned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concern {
    /// The person.
    pub user: UserId,
    /// Why.
    pub reason: Reason,
}

/// Who is concerned by a change of a task as it was before and is after, without the actor; each person once.
pub fn audience(kind: ChangeKind, actor: UserId, before: Option<&Task>, after: &Task) -> Vec<Concern> {
    // Watching is one's own affair, and a notice about it would only make people stop.
    if kind == ChangeKind::TaskWatchersChanged {
        return Vec::new();
    }
    let mut people = BTreeMap::new();
    people.insert(after.created_by, Reason::Creator);
    people.extend(after.watchers.iter().map(|user| (*user, Reason::Watching)));
    if kind == ChangeKind::TaskUnassigned {
        let former = before.into_iter().flat_map(|b| b.assignees.difference(&after.assignees));
        people.extend(former.map(|user| (*user, Reason::Unassigned)));
    }
    people.extend(after.assignees.iter().map(|user| (*user, Reason::Assigned)));
    people.remove(&actor);
    people.into_iter().map(|(user, reason)| Concern { user, reason }).collect()
}

/// Everybody to be told of the changes of one operation, with the strongest reason: their audiences, and those
/// mentioned in them, without the actor.
pub fn recipients(changes: &[Change], mentioned: &[UserId]) -> BTreeMap<UserId, Reason> {
    let mut people: BTreeMap<UserId, Reason> = BTreeMap::new();
    let audiences =
        changes.iter().flat_map(|c| c.audience.iter().map(|concern| (concern.user, concern.reason)));
    for (user, reason) in audiences.chain(mentioned.iter().map(|user| (*user, Reason::Mentioned))) {
        people.entry(user).and_modify(|held| *held = (*held).max(reason)).or_insert(reason);
    }
    for change in changes {
        people.remove(&change.actor);
    }
    people
}

/// One person is to be told of the changes of one operation on one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id, which every message about it carries.
    pub id: NoticeId,
    /// Where it happened.
    pub workspace: WorkspaceId,
    /// Who is told.
    pub person: UserId,
    /// The task.
    pub task: TaskId,
    /// The operation.
    pub operation: Option<OperationId>,
    /// Why they are told.
    pub reason: Reason,
    /// The changes, by `seq`, ascending; never empty.
    pub changes: Vec<u64>,
    /// When it was worked out.
    pub created_at: Timestamp,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A notice.
    Notice(NoticeId),
    /// An invitation into a workspace.
    Invitation(InvitationId),
    /// A link that proves an address.
    VerifyEmail(LinkId),
    /// A link that lets a password be set.
    ResetPassword(LinkId),
    /// Who knew the password of this account has set another.
    PasswordChanged(UserId),
    /// Who followed a link has set the password of this account.
    AccountRecovered(UserId),
}

/// One message to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it is about.
    pub subject: Subject,
    /// Where it goes.
    pub address: EmailAddress,
    /// The person's account, if they have one.
    pub person: Option<UserId>,
    /// What they are called, if that is known.
    pub name: Option<Name>,
    /// How often it was begun, this time included.
    pub attempt: u32,
    /// How many attempts failed by its own fault, by which its schedule goes on.
    pub failures: u32,
    /// When it was first due.
    pub created_at: Timestamp,
    /// The trace of the operation that it tells of.
    pub trace: Option<Trace>,
}

/// How a delivery that is due is begun. An attempt without an end means that the process died meanwhile, or lost it:
/// perhaps by this message, perhaps by one that was sent beside it, so each of them is to show alone that it was not the
/// one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// Beside others.
    Together,
    /// While nothing else is being sent.
    Alone,
    /// Not any more.
    GivenUp,
}

impl Beginning {
    /// Attempts in a row without an end after which a delivery is given up: more than chance has for one message when a
    /// process is killed again and again.
    pub const DEATHS: u32 = 8;
    /// What is said of a delivery that is given up like that.
    pub const DIED: &str = "its sender died eight times while sending it";

    /// What follows from this many attempts in a row without an end.
    pub const fn after(deaths: u32) -> Self {
        match deaths {
            0 => Self::Together,
            1..Self::DEATHS => Self::Alone,
            _ => Self::GivenUp,
        }
    }
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting for its next attempt, which is due at `due_at`; `error` says why, where an attempt failed or the mail
    /// server is away.
    Pending,
    /// Begun, and its end not known yet.
    Sending,
    /// Taken over by the mail server or written to a file.
    Sent,
    /// Refused for good, or given up; `error` says why.
    Failed,
    /// Not sent because the reason for it is gone.
    Dropped,
}

impl DeliveryState {
    /// Its name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// What can be shown of a notice: who was told, when and how, or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The notice; `None` where the person was not to be told at all.
    pub notice: Option<NoticeId>,
    /// The person.
    pub person: UserId,
    /// What they are called.
    pub name: Name,
    /// Why they are concerned; `None` for the actor.
    pub reason: Option<Reason>,
    /// The changes, by `seq`.
    pub changes: Vec<u64>,
    /// The messages, oldest first.
    pub deliveries: Vec<DeliveryReceipt>,
    /// Why they were not told, where they were not and will not be.
    pub not_told: Option<String>,
}

/// What can be shown of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryReceipt {
    /// Its id.
    pub id: DeliveryId,
    /// By which way: `mail`.
    pub channel: String,
    /// How far it is.
    pub state: DeliveryState,
    /// How often it was begun.
    pub attempts: u32,
    /// What the mail server answered, or the file's name.
    pub provider_id: Option<String>,
    /// Why it was not sent, or not yet.
    pub error: Option<String>,
    /// When it was sent, or given up.
    pub finished_at: Option<Timestamp>,
    /// When the next attempt is due, while it is pending.
    pub due_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::OperationId, operation::Source};

    fn person(n: u8) -> UserId {
        UserId::from_bytes([n; 16])
    }

    fn change(actor: u8, audience: &[(u8, Reason)]) -> Change {
        let audience =
            audience.iter().map(|(n, reason)| Concern { user: person(*n), reason: *reason }).collect();
        Change {
            workspace: WorkspaceId::from_bytes([9; 16]),
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            actor: person(actor),
            actor_name: Name::parse("Somebody").unwrap(),
            source: Source::web(),
            kind: ChangeKind::TaskUpdated,
            task: None,
            comment: None,
            fields: Vec::new(),
            operation: Some(OperationId::from_bytes([8; 16])),
            audience,
            trace: None,
        }
    }

    #[test]
    fn the_strongest_reason_wins_and_the_actor_is_never_told() {
        let changes = [
            change(1, &[(2, Reason::Creator), (3, Reason::Watching)]),
            change(1, &[(2, Reason::Unassigned), (3, Reason::Creator)]),
        ];
        let told = recipients(&changes, &[person(1), person(3), person(4)]);
        let expected = [(2, Reason::Unassigned), (3, Reason::Mentioned), (4, Reason::Mentioned)];
        assert_eq!(told, expected.map(|(n, reason)| (person(n), reason)).into());
    }
}
