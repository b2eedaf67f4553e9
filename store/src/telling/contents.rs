//! What deliveries say, read when they are sent, so that what changed since they were made is known.
//!
//! Whether the person may still be told is decided here: they must be members, and who is told for watching must still
//! be concerned, by watching or as creator or assignee. That a task was deleted meanwhile is no reason to be silent: what happened to it did happen.

use std::collections::{BTreeMap, BTreeSet};

use fairy_jobs::{
    account::User,
    change::Change,
    id::{InvitationId, LinkId, NoticeId, TaskId, UserId, WorkspaceId},
    notice::{Delivery, Notice, Reason, Subject},
    ports::{DeliveryContent, Invited, LinkPurpose, PortResult, WorkspaceName},
    rights,
    task::Task,
    team::Workspace,
};
use serde_json::Value as Json;

use super::notices;
use crate::{
    accounts::{links, users},
    driver::Connection,
    feed, tasks,
    teams::{self, members, workspaces},
};

/// The contents, in the order of the deliveries.
pub(super) async fn contents(
    c: &mut Connection<'_>,
    deliveries: &[Delivery],
) -> PortResult<Vec<DeliveryContent>> {
    let told = Told::read(c, deliveries).await?;
    let mut contents = Vec::with_capacity(deliveries.len());
    for delivery in deliveries {
        contents.push(match delivery.subject {
            Subject::Notice(id) => told.content(id),
            Subject::Invitation(id) => invitation(c, id).await?,
            Subject::VerifyEmail(id) => link(c, delivery, id, LinkPurpose::VerifyEmail).await?,
            Subject::ResetPassword(id) => link(c, delivery, id, LinkPurpose::ResetPassword).await?,
            Subject::PasswordChanged(id) | Subject::AccountRecovered(id) => account(c, id).await?,
        });
    }
    Ok(contents)
}

fn gone(why: &str) -> DeliveryContent {
    DeliveryContent::Gone(why.to_owned())
}

async fn invitation(c: &mut Connection<'_>, id: InvitationId) -> PortResult<DeliveryContent> {
    let Some(Invited { invitation, workspace, inviter }) = teams::invited(c, id).await? else {
        return Ok(gone("the invitation was withdrawn, replaced or accepted"));
    };
    if !rights::may_invite(inviter, invitation.role) {
        return Ok(gone("who sent the invitation may not invite any more"));
    }
    let inviter = users::user(c, invitation.invited_by).await?;
    Ok(match inviter {
        Some(inviter) => DeliveryContent::Invitation { invitation, workspace, inviter: inviter.name },
        None => gone("who sent the invitation has no account any more"),
    })
}

async fn link(
    c: &mut Connection<'_>,
    delivery: &Delivery,
    id: LinkId,
    purpose: LinkPurpose,
) -> PortResult<DeliveryContent> {
    let Some((user, expires_at)) = links::link(c, id, purpose).await? else {
        return Ok(gone("the link was used or replaced"));
    };
    let person = users::user(c, user).await?.filter(|person| person.email == delivery.address);
    Ok(match person {
        Some(person) => DeliveryContent::Link { person: Box::new(person), expires_at },
        None => gone("the account has another address"),
    })
}

async fn account(c: &mut Connection<'_>, id: UserId) -> PortResult<DeliveryContent> {
    Ok(match users::user(c, id).await? {
        Some(person) => DeliveryContent::Account { person: Box::new(person) },
        None => gone("the account is not there any more"),
    })
}

/// Everything that the notices among some deliveries need, read in a few statements.
struct Told {
    notices: BTreeMap<NoticeId, Notice>,
    places: BTreeMap<WorkspaceId, There>,
    people: BTreeMap<UserId, User>,
}

/// What they need of one workspace.
struct There {
    workspace: Workspace,
    changes: BTreeMap<u64, Change>,
    tasks: BTreeMap<TaskId, Task>,
    present: BTreeSet<UserId>,
}

impl Told {
    async fn read(c: &mut Connection<'_>, deliveries: &[Delivery]) -> PortResult<Self> {
        let ids = deliveries.iter().filter_map(|delivery| match delivery.subject {
            Subject::Notice(id) => Some(id),
            _ => None,
        });
        let notices = notices::by_id(c, ids).await?;
        let mut by_workspace: BTreeMap<WorkspaceId, Vec<&Notice>> = BTreeMap::new();
        for notice in notices.values() {
            by_workspace.entry(notice.workspace).or_default().push(notice);
        }
        let mut places = BTreeMap::new();
        for (id, notices) in by_workspace {
            if let Some(there) = There::read(c, id, &notices).await? {
                places.insert(id, there);
            }
        }
        let mut people: BTreeSet<UserId> = notices.values().map(|notice| notice.person).collect();
        for change in places.values().flat_map(|there| there.changes.values()) {
            named_in(change, &mut people);
        }
        let people = users::users(c, &people.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self { notices, places, people: people.into_iter().map(|user| (user.id, user)).collect() })
    }

    fn content(&self, id: NoticeId) -> DeliveryContent {
        let Some(notice) = self.notices.get(&id) else {
            return gone("the notice is not there any more");
        };
        let (there, person) = (self.places.get(&notice.workspace), self.people.get(&notice.person));
        let (Some(there), Some(person)) = (there, person) else {
            return gone("the workspace or the account is not there any more");
        };
        if let Some(why) = there.silent(notice) {
            return gone(why);
        }
        let changes: Vec<Change> =
            notice.changes.iter().filter_map(|seq| there.changes.get(seq)).cloned().collect();
        let mut named = BTreeSet::new();
        changes.iter().for_each(|change| named_in(change, &mut named));
        DeliveryContent::Notice {
            notice: notice.clone(),
            names: named.iter().filter_map(|id| Some((*id, self.people.get(id)?.name.clone()))).collect(),
            changes,
            person: Box::new(person.clone()),
            workspace: there.workspace.clone(),
        }
    }
}

impl There {
    async fn read(c: &mut Connection<'_>, id: WorkspaceId, notices: &[&Notice]) -> PortResult<Option<Self>> {
        let Some(workspace) = workspaces::workspace(c, &WorkspaceName::Id(id)).await? else {
            return Ok(None);
        };
        let seqs: BTreeSet<u64> = notices.iter().flat_map(|notice| notice.changes.iter().copied()).collect();
        let changes = feed::by_seq(c, id, &seqs.into_iter().collect::<Vec<_>>()).await?;
        let watched: BTreeSet<TaskId> =
            notices.iter().filter(|n| n.reason == Reason::Watching).map(|n| n.task).collect();
        let tasks = tasks::by_id(c, id, watched).await?;
        let present = members::by_id(c, id, notices.iter().map(|notice| notice.person)).await?;
        Ok(Some(Self {
            workspace,
            changes: changes.into_iter().map(|change| (change.seq, change)).collect(),
            tasks: tasks.into_iter().map(|task| (task.id, task)).collect(),
            present: present.into_iter().filter(|m| m.role.is_some()).map(|m| m.user).collect(),
        }))
    }

    /// Why the person is not to be told any more.
    fn silent(&self, notice: &Notice) -> Option<&'static str> {
        if !self.present.contains(&notice.person) {
            return Some("is no longer a member of the workspace");
        }
        let concerned = |task: &Task| {
            let person = notice.person;
            task.watchers.contains(&person) || task.created_by == person || task.assignees.contains(&person)
        };
        if notice.reason == Reason::Watching && !self.tasks.get(&notice.task).is_some_and(concerned) {
            return Some("no longer watches the task");
        }
        None
    }
}

/// The people that a change names by id: its actor, and those in fields that hold people.
fn named_in(change: &Change, people: &mut BTreeSet<UserId>) {
    people.insert(change.actor);
    for value in change.fields.iter().flat_map(|field| [&field.from, &field.to]) {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        people.extend(values.iter().filter_map(Json::as_str).filter_map(|text| text.parse::<UserId>().ok()));
    }
}
