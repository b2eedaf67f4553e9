//! What a team command does, or why it is refused.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ask, MOST_INVITATIONS, MOST_PROJECTS, TeamCommand, TeamDecision, TeamState, TeamWrite};
use crate::{
    change::{Change, ChangeKind, FieldChange},
    difference::Stamp,
    email::EmailAddress,
    id::{InvitationId, ProjectId, UserId},
    problem::{Problem, ProblemKind},
    rights::{self, Action},
    team::{Invitation, Project, ProjectKey, Role},
    text::Name,
};

/// Decides a team command.
pub fn decide(state: &TeamState, ask: &Ask, command: &TeamCommand) -> Result<TeamDecision, Problem> {
    let mut decision = match command {
        TeamCommand::CreateProject { id, key, name } => create_project(state, ask, *id, key, name),
        TeamCommand::Invite { id, email, role, expires_at } => {
            invite(state, ask, (*id, email, *role, *expires_at))
        }
        TeamCommand::Withdraw { id } => withdraw(state, ask, *id),
        TeamCommand::Accept { id } => accept(state, ask, *id),
        TeamCommand::ChangeRole { user, role } => change_role(state, ask, *user, *role),
        TeamCommand::Remove { user } => remove(state, ask, *user),
    }?;
    for (change, seq) in decision.changes.iter_mut().zip(state.seq + 1..) {
        change.seq = seq;
    }
    Ok(decision)
}

fn create_project(
    state: &TeamState,
    ask: &Ask,
    id: ProjectId,
    key: &ProjectKey,
    name: &Name,
) -> Result<TeamDecision, Problem> {
    rights::check(state.actor.role, ask.scope, Action::ManageProjects)?;
    if let Some(project) = &state.project {
        let detail = format!("The key {key} belongs to the project \"{}\".", project.name);
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    if state.count >= MOST_PROJECTS {
        let detail = format!("A workspace has at most {MOST_PROJECTS} projects.");
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    let project = Project {
        id,
        workspace: ask.workspace,
        key: key.clone(),
        name: name.clone(),
        last_number: 0,
        created_at: state.dated,
    };
    let fields = vec![new("id", json!(id)), new("key", json!(key)), new("name", json!(name))];
    Ok(one(state, ask, TeamWrite::Project(project), ChangeKind::ProjectCreated, fields))
}

fn invite(
    state: &TeamState,
    ask: &Ask,
    (id, email, role, expires_at): (InvitationId, &EmailAddress, Role, Timestamp),
) -> Result<TeamDecision, Problem> {
    rights::check(state.actor.role, ask.scope, Action::ManageMembers)?;
    if role == Role::Owner {
        return Err(Problem::field(
            "role",
            "must be one of admin, member, viewer; an owner is made by transfer",
        ));
    }
    if state.target.as_ref().is_some_and(|t| t.role.is_some()) {
        return Err(Problem::new(ProblemKind::Conflict, "Somebody with this address is a member already."));
    }
    // One that replaces another adds none.
    if state.invitation.is_none() && state.count >= MOST_INVITATIONS {
        let detail = format!("{MOST_INVITATIONS} invitations wait already; withdraw some first.");
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    let invitation = Invitation {
        id,
        workspace: ask.workspace,
        email: email.clone(),
        role,
        invited_by: ask.actor,
        created_at: state.dated,
        expires_at,
    };
    // The address stays out of the feed, which every member reads.
    let fields = vec![new("invitation", json!(id)), new("role", json!(role))];
    let mut decision = one(state, ask, TeamWrite::Invitation(invitation), ChangeKind::MemberInvited, fields);
    // A second invitation replaces the first, so that withdrawing one leaves no other door open.
    decision.writes.splice(0..0, state.invitation.iter().map(|i| TeamWrite::CloseInvitation(i.id)));
    Ok(decision)
}

fn withdraw(state: &TeamState, ask: &Ask, id: InvitationId) -> Result<TeamDecision, Problem> {
    rights::check(state.actor.role, ask.scope, Action::ManageMembers)?;
    // Also one that has expired: it counts until it is cleared away.
    named(state, id).ok_or_else(|| Problem::not_found("invitation"))?;
    Ok(TeamDecision { writes: vec![TeamWrite::CloseInvitation(id)], changes: Vec::new() })
}

fn accept(state: &TeamState, ask: &Ask, id: InvitationId) -> Result<TeamDecision, Problem> {
    let invitation = named(state, id).ok_or_else(over)?;
    opens(invitation, state.target.as_ref().and_then(|inviter| inviter.role), ask.at)?;
    if invitation.email != state.actor.email {
        let detail = "The invitation was sent to another address. Sign in with the account that has it.";
        return Err(Problem::new(ProblemKind::Forbidden, detail));
    }
    let rest = [TeamWrite::CloseInvitation(id), TeamWrite::ProvenAddress(ask.actor)];
    if state.actor.role.is_some() {
        return Ok(TeamDecision { writes: rest.into(), changes: Vec::new() });
    }
    let fields = vec![new("user", json!(ask.actor)), new("role", json!(invitation.role))];
    let write = TeamWrite::Role(ask.actor, Some(invitation.role));
    let mut decision = one(state, ask, write, ChangeKind::MemberJoined, fields);
    decision.writes.extend(rest);
    Ok(decision)
}

fn change_role(state: &TeamState, ask: &Ask, user: UserId, role: Role) -> Result<TeamDecision, Problem> {
    let action = if role == Role::Owner { Action::TransferOwnership } else { Action::ManageMembers };
    rights::check(state.actor.role, ask.scope, action)?;
    let before = target_role(state)?;
    if before == role {
        return Ok(TeamDecision::default());
    }
    if before == Role::Owner {
        let detail = "The owner's role changes only by making somebody else the owner.";
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    let fields = |user: UserId, from: Role, to: Role| {
        vec![new("user", json!(user)), FieldChange { name: "role".into(), from: json!(from), to: json!(to) }]
    };
    let write = TeamWrite::Role(user, Some(role));
    let mut decision = one(state, ask, write, ChangeKind::MemberRoleChanged, fields(user, before, role));
    if role == Role::Owner {
        // First the old owner steps down, so that there is never more than one.
        let step = TeamWrite::Role(ask.actor, Some(Role::Admin));
        let down = fields(ask.actor, Role::Owner, Role::Admin);
        let first = one(state, ask, step, ChangeKind::MemberRoleChanged, down);
        decision.writes.splice(0..0, first.writes);
        decision.changes.splice(0..0, first.changes);
    }
    Ok(decision)
}

fn remove(state: &TeamState, ask: &Ask, user: UserId) -> Result<TeamDecision, Problem> {
    // Everybody may leave; that takes a scope that writes, but no role.
    if user == ask.actor {
        rights::check(state.actor.role, ask.scope, Action::WatchOneself)?;
    } else {
        rights::check(state.actor.role, ask.scope, Action::ManageMembers)?;
    }
    let before = target_role(state)?;
    if before == Role::Owner {
        let detail = "The owner cannot leave or be removed; make somebody else the owner first.";
        return Err(Problem::new(ProblemKind::Conflict, detail));
    }
    let fields = vec![
        new("user", json!(user)),
        FieldChange { name: "role".into(), from: json!(before), to: Value::Null },
    ];
    Ok(one(state, ask, TeamWrite::Role(user, None), ChangeKind::MemberLeft, fields))
}

fn target_role(state: &TeamState) -> Result<Role, Problem> {
    state.target.as_ref().and_then(|t| t.role).ok_or_else(|| Problem::not_found("member"))
}

/// Whether an invitation still opens its workspace: it has not expired, and who sent it, whose present role is `inviter`,
/// may still invite so. Whoever lost that right has lost it for what they began, too.
pub fn opens(invitation: &Invitation, inviter: Option<Role>, at: Timestamp) -> Result<(), Problem> {
    if invitation.expires_at <= at {
        return Err(over());
    }
    if !rights::may_invite(inviter, invitation.role) {
        let detail =
            "Who sent the invitation may not invite any more. Ask an admin of the workspace for a new one.";
        return Err(Problem::new(ProblemKind::LinkExpired, detail));
    }
    Ok(())
}

fn named(state: &TeamState, id: InvitationId) -> Option<&Invitation> {
    state.invitation.as_ref().filter(|invitation| invitation.id == id)
}

/// There is no such invitation any more, or never was.
pub fn over() -> Problem {
    let detail =
        "The invitation has expired, was accepted, replaced or withdrawn. Ask who invited you for a new one.";
    Problem::new(ProblemKind::LinkExpired, detail)
}

fn one(
    state: &TeamState,
    ask: &Ask,
    write: TeamWrite,
    kind: ChangeKind,
    fields: Vec<FieldChange>,
) -> TeamDecision {
    let stamp = Stamp {
        workspace: ask.workspace,
        at: state.dated,
        actor: ask.actor,
        actor_name: &state.actor.name,
        source: &ask.source,
        operation: None,
        trace: None,
    };
    TeamDecision { writes: vec![write], changes: vec![stamp.change(kind, None, fields)] }
}

fn new(name: &str, to: Value) -> FieldChange {
    FieldChange { name: name.to_owned(), from: Value::Null, to }
}

/// The first change of a workspace's feed.
pub fn founding(ask: &Ask, founder: &Name, name: &Name) -> Change {
    let stamp = Stamp {
        workspace: ask.workspace,
        at: ask.at,
        actor: ask.actor,
        actor_name: founder,
        source: &ask.source,
        operation: None,
        trace: None,
    };
    Change { seq: 1, ..stamp.change(ChangeKind::WorkspaceCreated, None, vec![new("name", json!(name))]) }
}
