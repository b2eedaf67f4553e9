//! Who may do what to a workspace, and what it leaves in the feed.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use fairy_jobs::{
    change::ChangeKind,
    email::EmailAddress,
    id::{InvitationId, ProjectId, UserId, WorkspaceId},
    operation::Source,
    problem::ProblemKind,
    rights::Scope,
    team::{Invitation, Member, ProjectKey, Role},
    team_command::{Ask, MOST_INVITATIONS, TeamCommand, TeamState, TeamWrite, decide},
    text::Name,
};
use jiff::{SignedDuration, Timestamp};

const ACTOR: UserId = UserId::from_bytes([1; 16]);
const OTHER: UserId = UserId::from_bytes([2; 16]);
const INVITATION: InvitationId = InvitationId::from_bytes([3; 16]);

fn ask() -> Ask {
    let workspace = WorkspaceId::from_bytes([9; 16]);
    Ask { workspace, actor: ACTOR, scope: Scope::Admin, source: Source::web(), at: Timestamp::UNIX_EPOCH }
}

fn person(user: UserId, role: Option<Role>) -> Member {
    let email = EmailAddress::parse(&format!("{user}@example.com")).unwrap();
    Member { user, name: Name::parse("Somebody").unwrap(), email, role, joined_at: Timestamp::UNIX_EPOCH }
}

fn state(actor: Option<Role>, target: Option<Role>) -> TeamState {
    TeamState {
        seq: 7,
        dated: Timestamp::UNIX_EPOCH,
        actor: person(ACTOR, actor),
        target: target.map(|role| person(OTHER, Some(role))),
        project: None,
        invitation: None,
        count: 0,
    }
}

fn invitation(email: &EmailAddress) -> Invitation {
    Invitation {
        id: INVITATION,
        workspace: ask().workspace,
        email: email.clone(),
        role: Role::Member,
        invited_by: OTHER,
        created_at: Timestamp::UNIX_EPOCH,
        expires_at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24),
    }
}

fn refusal(state: &TeamState, command: &TeamCommand) -> ProblemKind {
    decide(state, &ask(), command).expect_err("it is refused").kind
}

#[test]
fn the_workspace_always_has_exactly_one_owner() {
    let leave = TeamCommand::Remove { user: ACTOR };
    let mut own = state(Some(Role::Owner), None);
    own.target = Some(own.actor.clone());
    assert_eq!(refusal(&own, &leave), ProblemKind::Conflict);
    let demote = TeamCommand::ChangeRole { user: OTHER, role: Role::Member };
    assert_eq!(refusal(&state(Some(Role::Admin), Some(Role::Owner)), &demote), ProblemKind::Conflict);
    let transfer = TeamCommand::ChangeRole { user: OTHER, role: Role::Owner };
    assert_eq!(refusal(&state(Some(Role::Admin), Some(Role::Member)), &transfer), ProblemKind::Forbidden);

    let decision = decide(&state(Some(Role::Owner), Some(Role::Member)), &ask(), &transfer).unwrap();
    let roles = [TeamWrite::Role(ACTOR, Some(Role::Admin)), TeamWrite::Role(OTHER, Some(Role::Owner))];
    assert_eq!(decision.writes, roles);
    assert_eq!(decision.changes.iter().map(|c| c.seq).collect::<Vec<_>>(), [8, 9]);
    // To make oneself the owner one already is changes nothing, and must not cost the workspace its owner.
    let oneself = TeamCommand::ChangeRole { user: ACTOR, role: Role::Owner };
    assert_eq!(decide(&own, &ask(), &oneself).unwrap().writes, []);
}

#[test]
fn everybody_may_leave_and_only_admins_may_remove() {
    let mut viewer = state(Some(Role::Viewer), None);
    viewer.target = Some(viewer.actor.clone());
    let left = decide(&viewer, &ask(), &TeamCommand::Remove { user: ACTOR }).unwrap();
    assert_eq!(left.writes, [TeamWrite::Role(ACTOR, None)]);
    assert_eq!(left.changes[0].kind, ChangeKind::MemberLeft);
    let remove = TeamCommand::Remove { user: OTHER };
    assert_eq!(refusal(&state(Some(Role::Member), Some(Role::Viewer)), &remove), ProblemKind::Forbidden);
    assert_eq!(refusal(&state(Some(Role::Admin), None), &remove), ProblemKind::NotFound);
    assert_eq!(refusal(&state(None, Some(Role::Viewer)), &remove), ProblemKind::NotFound);
}

#[test]
fn an_invitation_opens_for_its_address_alone_and_once() {
    let accept = TeamCommand::Accept { id: INVITATION };
    let mut invited = state(None, None);
    assert_eq!(refusal(&invited, &accept), ProblemKind::LinkExpired);
    invited.invitation = Some(invitation(&person(OTHER, None).email));
    invited.target = Some(person(OTHER, Some(Role::Owner)));
    assert_eq!(refusal(&invited, &accept), ProblemKind::Forbidden);
    invited.invitation = Some(invitation(&invited.actor.email));
    invited.target = Some(person(OTHER, Some(Role::Admin)));
    let joined = decide(&invited, &ask(), &accept).unwrap();
    assert_eq!(joined.writes[0], TeamWrite::Role(ACTOR, Some(Role::Member)));
    assert!(joined.writes.contains(&TeamWrite::ProvenAddress(ACTOR)), "the code came by mail");
    // The clock was set back by ten days: what changes is dated like the last change, what expires goes by the clock.
    let behind = TeamState { dated: ask().at + SignedDuration::from_hours(240), ..invited.clone() };
    assert_eq!(decide(&behind, &ask(), &accept).unwrap().changes[0].at, behind.dated);
    let late = Ask { at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24), ..ask() };
    assert_eq!(decide(&invited, &late, &accept).expect_err("too late").kind, ProblemKind::LinkExpired);
    // A member who accepts keeps the role they have: an invitation never demotes.
    invited.actor.role = Some(Role::Admin);
    let again = decide(&invited, &ask(), &accept).unwrap();
    let rest = vec![TeamWrite::CloseInvitation(INVITATION), TeamWrite::ProvenAddress(ACTOR)];
    assert_eq!((again.writes, again.changes), (rest, vec![]));
}

#[test]
fn an_invitation_goes_with_the_right_to_send_it() {
    let accept = TeamCommand::Accept { id: INVITATION };
    let mut invited = state(None, None);
    invited.invitation = Some(invitation(&invited.actor.email));
    for (inviter, opens) in [
        (Some(Role::Owner), true),
        (Some(Role::Admin), true),
        (Some(Role::Member), false),
        (Some(Role::Viewer), false),
        (None, false),
    ] {
        invited.target = Some(person(OTHER, inviter));
        let decision = decide(&invited, &ask(), &accept);
        assert_eq!(decision.is_ok(), opens, "{inviter:?}");
        if let Err(problem) = decision {
            assert_eq!(problem.kind, ProblemKind::LinkExpired);
            assert!(
                problem.detail.starts_with("Who sent the invitation may not invite any more."),
                "{problem}"
            );
        }
    }
}

#[test]
fn so_many_invitations_wait_and_no_more() {
    let invite = |email: &str| TeamCommand::Invite {
        id: INVITATION,
        email: EmailAddress::parse(email).unwrap(),
        role: Role::Member,
        expires_at: ask().at,
    };
    let mut admin = state(Some(Role::Admin), None);
    admin.count = MOST_INVITATIONS - 1;
    assert!(decide(&admin, &ask(), &invite("mina@example.com")).is_ok());
    admin.count = MOST_INVITATIONS;
    assert_eq!(refusal(&admin, &invite("mina@example.com")), ProblemKind::Conflict);
    // One that replaces another adds none, and one that has expired can be withdrawn to make room.
    admin.invitation = Some(invitation(&EmailAddress::parse("mina@example.com").unwrap()));
    assert!(decide(&admin, &ask(), &invite("mina@example.com")).is_ok());
    let late = Ask { at: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(48), ..ask() };
    let withdrawn = decide(&admin, &late, &TeamCommand::Withdraw { id: INVITATION }).unwrap();
    assert_eq!(withdrawn.writes, [TeamWrite::CloseInvitation(INVITATION)]);
    let other = TeamCommand::Withdraw { id: InvitationId::from_bytes([4; 16]) };
    assert_eq!(refusal(&admin, &other), ProblemKind::NotFound);
}

#[test]
fn an_owner_is_never_invited_and_an_address_stays_out_of_the_feed() {
    let email = EmailAddress::parse("mina@example.com").unwrap();
    let invite =
        |role| TeamCommand::Invite { id: INVITATION, email: email.clone(), role, expires_at: ask().at };
    let admin = state(Some(Role::Admin), None);
    assert_eq!(refusal(&admin, &invite(Role::Owner)), ProblemKind::Invalid);
    assert_eq!(
        refusal(&state(Some(Role::Admin), Some(Role::Viewer)), &invite(Role::Member)),
        ProblemKind::Conflict
    );
    let decision = decide(&admin, &ask(), &invite(Role::Member)).unwrap();
    assert!(!serde_json::to_string(&decision.changes).unwrap().contains("mina"));
}

#[test]
fn a_token_never_allows_more_than_its_scope() {
    let make = TeamCommand::CreateProject {
        id: ProjectId::from_bytes([5; 16]),
        key: ProjectKey::parse("WEB").unwrap(),
        name: Name::parse("Web").unwrap(),
    };
    let owner = state(Some(Role::Owner), None);
    let writer = Ask { scope: Scope::Write, ..ask() };
    assert_eq!(decide(&owner, &writer, &make).expect_err("out of scope").kind, ProblemKind::Forbidden);
    assert!(decide(&owner, &ask(), &make).is_ok());
}
