//! Team commands: read what the decision needs under the workspace's lock, decide, write.

use fairy_jobs::{
    account::User,
    id::{DeliveryId, InvitationId, UserId},
    lane::Sink,
    notice::Subject,
    ports::{PortResult, TeamOutcome},
    problem::Problem,
    team::{Invitation, Member},
    team_command::{self, Ask, TeamCommand, TeamState, TeamWrite},
};
use jiff::Timestamp;

use super::{handles, invitations, members, projects};
use crate::{
    accounts::users,
    driver::Connection,
    feed,
    telling::{Letter, deliveries},
};

pub(super) async fn execute(
    c: &mut Connection<'_>,
    ask: Ask,
    command: &TeamCommand,
    delivery: DeliveryId,
    in_use: &[Sink],
) -> PortResult<TeamOutcome> {
    let end = feed::lock(c, ask.workspace).await?.ok_or_else(|| Problem::not_found("workspace"))?;
    let dated = end.not_before(ask.at);
    let person = users::user(c, ask.actor).await?.ok_or_else(|| Problem::not_found("workspace"))?;
    let state = load(c, (end.seq, dated), &ask, &person, command).await?;
    let decision = team_command::decide(&state, &ask, command)?;
    let mut outcome = TeamOutcome { seq: end.seq + decision.changes.len() as u64, ..TeamOutcome::default() };
    for write in decision.writes {
        keep(c, (&ask, dated), write, delivery, &mut outcome).await?;
    }
    feed::append(c, ask.workspace, &decision.changes, (in_use, ask.at)).await?;
    let shown = match command {
        TeamCommand::Accept { .. } => Some(ask.actor),
        TeamCommand::ChangeRole { user, .. } => Some(*user),
        _ => None,
    };
    outcome.member = members::by_id(c, ask.workspace, shown).await?.pop();
    Ok(outcome)
}

async fn load(
    c: &mut Connection<'_>,
    (seq, dated): (u64, Timestamp),
    ask: &Ask,
    person: &User,
    command: &TeamCommand,
) -> PortResult<TeamState> {
    let known = members::by_id(c, ask.workspace, [ask.actor]).await?.pop();
    let actor = known.unwrap_or_else(|| Member {
        user: person.id,
        name: person.name.clone(),
        email: person.email.clone(),
        role: None,
        joined_at: dated,
    });
    let mut state = TeamState { seq, dated, actor, target: None, project: None, invitation: None, count: 0 };
    match command {
        TeamCommand::CreateProject { key, .. } => {
            state.project = projects::by_key(c, ask.workspace, key).await?;
            state.count = projects::count(c, ask.workspace).await?;
        }
        TeamCommand::Invite { email, .. } => {
            state.target = members::by_email(c, ask.workspace, email).await?;
            state.invitation = invitations::by_email(c, ask.workspace, email).await?;
            state.count = invitations::count(c, ask.workspace).await?;
        }
        TeamCommand::Withdraw { id } => state.invitation = invitation(c, ask, *id).await?,
        TeamCommand::Accept { id } => {
            state.invitation = invitation(c, ask, *id).await?;
            let inviter = state.invitation.as_ref().map(|invitation| invitation.invited_by);
            state.target = members::by_id(c, ask.workspace, inviter).await?.pop();
        }
        TeamCommand::ChangeRole { user, .. } | TeamCommand::Remove { user } => {
            state.target = members::by_id(c, ask.workspace, [*user]).await?.pop();
        }
    }
    Ok(state)
}

async fn invitation(c: &mut Connection<'_>, ask: &Ask, id: InvitationId) -> PortResult<Option<Invitation>> {
    let found = invitations::by_id(c, id).await?;
    Ok(found.filter(|invitation| invitation.workspace == ask.workspace))
}

async fn keep(
    c: &mut Connection<'_>,
    (ask, dated): (&Ask, Timestamp),
    write: TeamWrite,
    delivery: DeliveryId,
    outcome: &mut TeamOutcome,
) -> PortResult<()> {
    match write {
        TeamWrite::Project(project) => {
            projects::write(c, [&project].into_iter()).await?;
            outcome.project = Some(project);
        }
        TeamWrite::Invitation(invitation) => {
            invitations::insert(c, &invitation).await?;
            send(c, ask, &invitation, delivery).await?;
            outcome.invitation = Some(invitation);
            outcome.delivery = Some(delivery);
        }
        TeamWrite::CloseInvitation(id) => invitations::close(c, id).await?,
        TeamWrite::ProvenAddress(user) => users::verify(c, user).await?,
        TeamWrite::Role(user, role) => {
            let before = members::by_id(c, ask.workspace, [user]).await?.pop().and_then(|m| m.role);
            match role {
                Some(role) => members::set_role(c, ask.workspace, (user, role), dated).await?,
                None => members::leave(c, ask.workspace, user).await?,
            }
            if before.is_some() != role.is_some() {
                call(c, ask, user, role.is_some()).await?;
            }
        }
    }
    Ok(())
}

/// Only who is a member can be mentioned.
async fn call(c: &mut Connection<'_>, ask: &Ask, user: UserId, present: bool) -> PortResult<()> {
    // Locked, so that it is the name to the end: who changes theirs begins with the same lock.
    let Some(person) = users::lock(c, user).await? else {
        return Ok(());
    };
    let by = (&person.name, &person.email);
    if present {
        handles::add(c, ask.workspace, user, by).await
    } else {
        handles::remove(c, ask.workspace, user, by).await
    }
}

/// Due by the clock, whatever the change is dated: a delivery is taken up by the clock.
async fn send(c: &mut Connection<'_>, ask: &Ask, invitation: &Invitation, id: DeliveryId) -> PortResult<()> {
    let letter = Letter {
        id,
        subject: Subject::Invitation(invitation.id),
        address: invitation.email.clone(),
        person: None,
        due_at: ask.at,
        trace: None,
    };
    deliveries::insert(c, &[letter], ask.at).await
}
