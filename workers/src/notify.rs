//! Lane `notify`: works out who is to be told of which changes, and why.
//!
//! A repeat is harmless: the store leaves out a notice if any of its (person, change) pairs is held already, and keeps the
//! notices and the mark in one transaction. Who is concerned was settled when the change was applied, so telling late
//! tells the right people; only `@name` is resolved here, among the members of now.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    clock::Clock,
    id::{DeliveryId, IdSource, NoticeId, UserId, WorkspaceId},
    lane::Sink,
    mention,
    notice::{self, Notice},
    ports::{NewDelivery, Notices, PortResult, Relay, Teams},
};
use jiff::Timestamp;

use crate::{
    Services,
    follow::{Follow, Follower},
};

/// Notices that are kept in one transaction, give or take those of the last operation in it.
const NOTICES_AT_ONCE: usize = 500;
/// Names that are looked up in one call.
const HANDLES_AT_ONCE: usize = 20;

/// Makes notices.
pub(crate) struct Notify {
    pub teams: Arc<dyn Teams>,
    pub notices: Arc<dyn Notices>,
    pub relay: Arc<dyn Relay>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn IdSource>,
}

/// The handler of the lane.
pub(crate) fn handler(services: &Services) -> Follow<Notify> {
    let notify = Notify {
        teams: services.teams.clone(),
        notices: services.notices.clone(),
        relay: services.relay.clone(),
        clock: services.clock.clone(),
        ids: services.ids.clone(),
    };
    Follow { sinks: services.sinks.clone(), follower: notify }
}

/// Whom handles mean, remembered for one page, in which the same people are called again and again.
type Known = BTreeMap<BTreeSet<String>, Vec<UserId>>;

#[async_trait]
impl Follower for Notify {
    const SINK: Sink = Sink::Notify;

    async fn take_in(&self, workspace: WorkspaceId, changes: &[Change], more: bool) -> PortResult<()> {
        let at = self.clock.now();
        let mut known = Known::new();
        let mut notices = Vec::new();
        let mut groups = operations_in(changes, more).peekable();
        while let Some(group) = groups.next() {
            let mentioned = self.mentioned(workspace, group, &mut known).await?;
            notices.extend(self.notices_of(group, &mentioned, at));
            let Some(last) = group.last() else { continue };
            if notices.len() >= NOTICES_AT_ONCE || groups.peek().is_none() {
                self.tell(workspace, &notices, last.seq, at).await?;
                notices.clear();
            }
        }
        Ok(())
    }
}

impl Notify {
    async fn tell(
        &self,
        workspace: WorkspaceId,
        notices: &[(Notice, NewDelivery)],
        seq: u64,
        at: Timestamp,
    ) -> PortResult<()> {
        let told = self.notices.tell(workspace, notices, seq, at).await?;
        if !told.deliveries.is_empty() {
            self.relay.due(&told.deliveries).await;
        }
        Ok(())
    }

    /// Who is newly called by name in each of these changes, in their order.
    async fn mentioned(
        &self,
        workspace: WorkspaceId,
        group: &[Change],
        known: &mut Known,
    ) -> PortResult<Vec<Vec<UserId>>> {
        let mut mentioned = Vec::with_capacity(group.len());
        for change in group {
            let handles = mention::newly_mentioned(change);
            if let Some(users) = known.get(&handles) {
                mentioned.push(users.clone());
                continue;
            }
            let mut users = Vec::new();
            let list: Vec<String> = handles.iter().cloned().collect();
            for some in list.chunks(HANDLES_AT_ONCE) {
                users.extend(self.teams.members_by_handle(workspace, some).await?);
            }
            known.insert(handles, users.clone());
            mentioned.push(users);
        }
        Ok(mentioned)
    }

    fn notices_of(
        &self,
        group: &[Change],
        mentioned: &[Vec<UserId>],
        at: Timestamp,
    ) -> Vec<(Notice, NewDelivery)> {
        let Some((first, task)) = group.first().and_then(|c| Some((c, c.task.as_ref()?.id))) else {
            return Vec::new();
        };
        let concerns = |person: UserId, change: &Change, called: &[UserId]| {
            change.audience.iter().any(|concern| concern.user == person) || called.contains(&person)
        };
        let recipients = notice::recipients(group, &mentioned.concat());
        let to_notice = |(person, reason)| {
            let theirs = group.iter().zip(mentioned).filter(|(c, called)| concerns(person, c, called));
            let notice = Notice {
                id: NoticeId::generate(self.ids.as_ref(), at),
                workspace: first.workspace,
                person,
                task,
                operation: first.operation,
                reason,
                changes: theirs.map(|(change, _)| change.seq).collect(),
                created_at: at,
            };
            let id = DeliveryId::generate(self.ids.as_ref(), at);
            (notice, NewDelivery { id, due_at: at, trace: first.trace })
        };
        recipients.into_iter().map(to_notice).collect()
    }
}

/// The changes by the operation that explains them. An operation's changes follow each other without a gap, so where the
/// page was cut its last operation may not be whole, and waits for the next page.
fn operations_in(changes: &[Change], more: bool) -> impl Iterator<Item = &[Change]> {
    let same = |a: &Change, b: &Change| a.operation.is_some() && a.operation == b.operation;
    let whole = changes.chunk_by(same).count();
    let keep = if more && whole > 1 { whole - 1 } else { whole };
    changes.chunk_by(same).take(keep)
}
