//! Ports in memory that do what their traits promise, and fail when told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use fairy_jobs::{
    change::Change,
    id::{DeliveryId, OperationId, TaskId, UserId, WorkspaceId},
    lane::Sink,
    notice::{Notice, Receipt},
    operation::{Operation, Outcome, ReplyTo},
    page::{Page, PageRequest},
    ports::{
        ActivityLog, ActivityQuery, Applied, Ledger, NewDelivery, Notices, OutcomeChannel, PortError,
        PortResult, Relay, Reply, Sinks, Stretch, Told,
    },
};
use fairy_queue::{Job, JobId};
use futures::future::BoxFuture;
use jiff::Timestamp;

pub(super) fn job<J>(payload: J, group: Option<String>) -> Job<J> {
    let id = JobId::from("1".to_owned());
    let (attempt, last_attempt, pushed_at) = (1, false, 0);
    Job { id, payload, group, attempt, last_attempt, pushed_at, unique_key: None, trace: None }
}

/// A ledger that cannot apply some operations, panics at others, and is away or forgetful for some calls.
#[derive(Default)]
pub(super) struct FakeLedger {
    pub poison: BTreeSet<OperationId>,
    pub panics: BTreeSet<OperationId>,
    pub errors: Mutex<VecDeque<PortError>>,
    pub applied: Mutex<Vec<OperationId>>,
    pub calls: Mutex<usize>,
    pub failed: Mutex<Vec<Outcome>>,
}

#[async_trait]
impl Ledger for FakeLedger {
    async fn apply(
        &self,
        _workspace: WorkspaceId,
        operations: &[Operation],
        at: Timestamp,
    ) -> PortResult<Applied> {
        *self.calls.lock().unwrap() += 1;
        let error = self.errors.lock().unwrap().pop_front();
        if let Some(error) = error {
            // The fate of the batch is unknown to the caller; here it was applied.
            if matches!(error, PortError::Unknown(_)) {
                self.applied.lock().unwrap().extend(operations.iter().map(|o| o.id));
            }
            return Err(error);
        }
        assert!(!operations.iter().any(|o| self.panics.contains(&o.id)), "it panics");
        if let Some(bad) = operations.iter().find(|o| self.poison.contains(&o.id)) {
            return Err(PortError::Broken(format!("{} is bad", bad.id)));
        }
        let mut applied = self.applied.lock().unwrap();
        for operation in operations {
            if !applied.contains(&operation.id) {
                applied.push(operation.id);
            }
        }
        let outcomes = operations.iter().map(|o| o.failure(at)).collect();
        Ok(Applied { outcomes, seq: Some(applied.len() as u64) })
    }

    async fn fail(&self, outcome: &Outcome) -> PortResult<Outcome> {
        if let Some(error) = self.errors.lock().unwrap().pop_front() {
            return Err(error);
        }
        self.failed.lock().unwrap().push(outcome.clone());
        Ok(outcome.clone())
    }

    async fn known(&self, ids: &[OperationId]) -> PortResult<Vec<OperationId>> {
        let applied = self.applied.lock().unwrap();
        Ok(ids.iter().filter(|id| applied.contains(id)).copied().collect())
    }

    async fn outcome(&self, _id: OperationId) -> PortResult<Option<Outcome>> {
        Ok(None)
    }

    async fn outcomes(&self, _ids: &[OperationId]) -> PortResult<Vec<Outcome>> {
        Ok(Vec::new())
    }
}

/// Remembers what was said to those who wait, and what was hinted.
#[derive(Default)]
pub(super) struct Said {
    pub outcomes: Mutex<Vec<OperationId>>,
    /// Which process each outcome is for.
    pub to: Mutex<Vec<Option<ReplyTo>>>,
    pub changed: Mutex<Vec<(WorkspaceId, u64)>>,
    pub behind: Mutex<Vec<(Sink, Vec<WorkspaceId>)>>,
    pub due: Mutex<Vec<DeliveryId>>,
    /// Wakes a test that waits for outcomes.
    pub told: tokio::sync::Notify,
}

#[async_trait]
impl OutcomeChannel for Said {
    fn listen(&self, _id: OperationId) -> BoxFuture<'static, Outcome> {
        Box::pin(futures::future::pending())
    }

    fn reply_to(&self) -> Option<ReplyTo> {
        None
    }

    async fn send(&self, replies: Vec<Reply>) {
        self.outcomes.lock().unwrap().extend(replies.iter().map(|reply| reply.outcome.id));
        self.to.lock().unwrap().extend(replies.into_iter().map(|reply| reply.to));
        self.told.notify_one();
    }
}

#[async_trait]
impl Relay for Said {
    async fn changed(&self, workspace: WorkspaceId, seq: u64) {
        self.changed.lock().unwrap().push((workspace, seq));
    }

    async fn behind(&self, sink: Sink, workspaces: &[WorkspaceId]) {
        self.behind.lock().unwrap().push((sink, workspaces.to_vec()));
    }

    async fn due(&self, deliveries: &[DeliveryId]) {
        self.due.lock().unwrap().extend(deliveries);
    }
}

/// A feed with its sinks, an activity log, and the notices that were kept.
#[derive(Default)]
pub(super) struct FakeFeed {
    pub changes: Mutex<Vec<Change>>,
    pub marks: Mutex<BTreeMap<Sink, u64>>,
    pub log: Mutex<Vec<u64>>,
    pub notices: Mutex<Vec<Notice>>,
    pub tells: Mutex<Vec<(usize, u64)>>,
    pub errors: Mutex<VecDeque<PortError>>,
    /// Where changes are large: how many a page has.
    pub page: Option<usize>,
}

impl FakeFeed {
    fn error(&self) -> PortResult<()> {
        self.errors.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }

    fn mark_now(&self, sink: Sink, seq: u64) {
        let mut marks = self.marks.lock().unwrap();
        let mark = marks.entry(sink).or_default();
        *mark = seq.max(*mark);
    }
}

#[async_trait]
impl Sinks for FakeFeed {
    async fn pending(&self, sink: Sink, _workspace: WorkspaceId, limit: usize) -> PortResult<Stretch> {
        self.error()?;
        let mark = self.marks.lock().unwrap().get(&sink).copied().unwrap_or_default();
        let changes = self.changes.lock().unwrap();
        let limit = self.page.unwrap_or(limit);
        let changes: Vec<Change> = changes.iter().filter(|c| c.seq > mark).take(limit).cloned().collect();
        Ok(Stretch { more: changes.len() == limit, changes })
    }

    async fn mark(&self, sink: Sink, _workspace: WorkspaceId, seq: u64) -> PortResult<()> {
        self.error()?;
        self.mark_now(sink, seq);
        Ok(())
    }

    async fn behind(&self, sink: Sink, since: Timestamp, limit: usize) -> PortResult<Vec<WorkspaceId>> {
        let pending = self.pending(sink, super::world::WORKSPACE, limit).await?.changes;
        Ok(pending.iter().filter(|c| c.at < since).map(|c| c.workspace).take(1).collect())
    }
}

#[async_trait]
impl ActivityLog for FakeFeed {
    async fn append(&self, changes: &[Change]) -> PortResult<()> {
        self.error()?;
        let mut log = self.log.lock().unwrap();
        for change in changes {
            if !log.contains(&change.seq) {
                log.push(change.seq);
            }
        }
        Ok(())
    }

    async fn entries(&self, _query: &ActivityQuery, _page: PageRequest) -> PortResult<Page<Change>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

#[async_trait]
impl Notices for FakeFeed {
    async fn tell(
        &self,
        _workspace: WorkspaceId,
        notices: &[(Notice, NewDelivery)],
        seq: u64,
        _at: Timestamp,
    ) -> PortResult<Told> {
        self.error()?;
        self.tells.lock().unwrap().push((notices.len(), seq));
        self.mark_now(Sink::Notify, seq);
        let mut held = self.notices.lock().unwrap();
        let mut told = Told::default();
        for (notice, delivery) in notices {
            let known = |seq: &u64| held.iter().any(|h| h.person == notice.person && h.changes.contains(seq));
            if !notice.changes.iter().any(known) {
                held.push(notice.clone());
                told.deliveries.push(delivery.id);
            }
        }
        Ok(told)
    }

    async fn receipts(
        &self,
        _workspace: WorkspaceId,
        _task: TaskId,
        _page: PageRequest,
    ) -> PortResult<Page<Receipt>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}

/// Whom handles mean: nothing else of a team is asked by workers.
pub(super) struct FakeTeams(pub BTreeMap<String, UserId>);

mod teams {
    use fairy_jobs::{
        id::InvitationId,
        ports::{Invited, Membership, TeamOutcome, Teams, WorkspaceName},
        team::{Invitation, Member, Project, Role, Workspace},
        team_command::{Ask, TeamCommand},
        text::{Name, Slug},
    };

    use super::*;

    fn not_here<T>() -> PortResult<T> {
        Err(PortError::Broken("workers do not ask this".to_owned()))
    }

    #[async_trait]
    impl Teams for FakeTeams {
        async fn members_by_handle(&self, _ws: WorkspaceId, handles: &[String]) -> PortResult<Vec<UserId>> {
            assert!(handles.len() <= 20, "the port takes at most 20 handles");
            Ok(handles.iter().filter_map(|handle| self.0.get(handle).copied()).collect())
        }
        async fn create_workspace(&self, _: &Ask, _: &Name, _: &Slug, _: bool) -> PortResult<Workspace> {
            not_here()
        }
        async fn execute(&self, _: &Ask, _: &TeamCommand, _: DeliveryId) -> PortResult<TeamOutcome> {
            not_here()
        }
        async fn workspace(&self, _: &WorkspaceName) -> PortResult<Option<Workspace>> {
            not_here()
        }
        async fn workspaces_of(&self, _: UserId, _: PageRequest) -> PortResult<Page<(Workspace, Role)>> {
            not_here()
        }
        async fn membership(&self, _: UserId, _: &WorkspaceName) -> PortResult<Option<Membership>> {
            not_here()
        }
        async fn members(&self, _: WorkspaceId, _: PageRequest) -> PortResult<Page<Member>> {
            not_here()
        }
        async fn members_by_id(&self, _: WorkspaceId, _: &[UserId]) -> PortResult<Vec<Member>> {
            not_here()
        }
        async fn projects(&self, _: WorkspaceId, _: PageRequest) -> PortResult<Page<Project>> {
            not_here()
        }
        async fn invitations(&self, _: WorkspaceId, _: PageRequest) -> PortResult<Page<Invitation>> {
            not_here()
        }
        async fn invitation(&self, _: InvitationId) -> PortResult<Option<Invited>> {
            not_here()
        }
    }
}
