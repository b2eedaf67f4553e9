//! Workspaces, members, projects, invitations, and what people can be called.

use std::collections::BTreeSet;

use fairy_jobs::{
    change::ChangeKind,
    id::{InvitationId, ProjectId, WorkspaceId},
    page::{Cursor, Limit, PageRequest},
    ports::{Accounts as _, Deliveries as _, DeliveryContent, Feed as _, Teams as _, WorkspaceName},
    problem::ProblemKind,
    team::{ProjectKey, Role},
    team_command::{Ask, TeamCommand},
    text::{Name, Slug},
};
use jiff::SignedDuration;

use super::stage::{Stage, refusal};

super::tests! {
    a_taken_slug_is_numbered_or_refused,
    the_feed_begins_with_the_founding,
    an_invitation_makes_a_member,
    an_invitation_goes_with_the_right_to_send_it,
    an_invitation_goes_by_the_clock,
    who_left_stays_known,
    a_shared_handle_means_the_whole_name_or_nobody,
    lists_are_walked_without_loss,
    refusals_leave_nothing,
    ownership_passes_on,
}

async fn a_taken_slug_is_numbered_or_refused(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let name = Name::parse("Team").unwrap();
    let slug = Slug::from_name(&name);
    let found = async |fixed| {
        let workspace = WorkspaceId::generate(&*stage.ids, stage.now());
        stage.store.create_workspace(&stage.ask(workspace, owner.id), &name, &slug, fixed).await
    };
    for n in 1..140_u32 {
        let workspace = found(false).await.unwrap();
        let expected = if n == 1 { slug.clone() } else { slug.numbered(n) };
        assert_eq!(workspace.slug, expected);
    }
    assert_eq!(refusal(found(true).await), ProblemKind::Conflict);
    let by_slug = WorkspaceName::Slug(slug.numbered(139));
    let last = stage.store.workspace(&by_slug).await.unwrap().unwrap();
    let membership = stage.store.membership(owner.id, &by_slug).await.unwrap().unwrap();
    assert_eq!((membership.workspace, membership.role), (last.id, Role::Owner));
}

async fn the_feed_begins_with_the_founding(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let changes = stage.store.changes(team.workspace, 0, 10).await.unwrap().changes;
    let kinds: Vec<_> = changes.iter().map(|change| (change.seq, change.kind)).collect();
    assert_eq!(kinds, [(1, ChangeKind::WorkspaceCreated), (2, ChangeKind::ProjectCreated)]);
    let workspace = stage.store.workspace(&WorkspaceName::Id(team.workspace)).await.unwrap().unwrap();
    assert_eq!(workspace.seq, 2);
    let nowhere = WorkspaceId::from_bytes([9; 16]);
    assert_eq!(stage.store.workspace(&WorkspaceName::Id(nowhere)).await.unwrap(), None);
    assert_eq!(stage.store.seq(nowhere).await.unwrap(), None);
}

async fn an_invitation_makes_a_member(stage: &Stage) {
    let (owner, guest) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    let expires_at = stage.now() + SignedDuration::from_hours(1);
    let invite = async || {
        let id = InvitationId::generate(&*stage.ids, stage.now());
        let command = TeamCommand::Invite { id, email: guest.email.clone(), role: Role::Viewer, expires_at };
        let ask = stage.ask(team.workspace, owner.id);
        stage.store.execute(&ask, &command, stage.delivery()).await.unwrap()
    };
    let (first, second) = (invite().await, invite().await);
    let waiting = stage.store.invitations(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(waiting, [second.invitation.clone().unwrap()]);
    let id = second.invitation.as_ref().unwrap().id;
    let invited = stage.store.invitation(id).await.unwrap().unwrap();
    assert_eq!((invited.invitation.email, invited.workspace.id), (guest.email.clone(), team.workspace));
    assert_eq!(invited.inviter, Some(Role::Owner));

    // Both mails are due; the one whose invitation was replaced is not sent.
    let due = [first.delivery.unwrap(), second.delivery.unwrap()];
    let begun = stage.begin(&due).await;
    let contents = stage.store.contents(&begun).await.unwrap();
    assert!(matches!(contents[0], DeliveryContent::Gone(_)), "{contents:?}");
    assert!(matches!(contents[1], DeliveryContent::Invitation { .. }), "{contents:?}");

    let ask = stage.ask(team.workspace, guest.id);
    let accepted = stage.store.execute(&ask, &TeamCommand::Accept { id }, stage.delivery()).await.unwrap();
    assert_eq!(accepted.member.as_ref().map(|m| (m.user, m.role)), Some((guest.id, Some(Role::Viewer))));
    assert_eq!(accepted.seq, second.seq + 1);
    let again = stage.store.execute(&ask, &TeamCommand::Accept { id }, stage.delivery()).await;
    assert_eq!(refusal(again), ProblemKind::LinkExpired);
    assert_eq!(stage.store.invitation(id).await.unwrap(), None);
    assert!(!guest.email_verified);
    assert!(stage.store.user(guest.id).await.unwrap().unwrap().email_verified, "the code was read there");
    let theirs = stage.store.workspaces_of(guest.id, PageRequest::default()).await.unwrap().items;
    assert_eq!(
        theirs.iter().map(|(w, role)| (w.id, *role)).collect::<Vec<_>>(),
        [(team.workspace, Role::Viewer)]
    );
}

async fn an_invitation_goes_with_the_right_to_send_it(stage: &Stage) {
    let (owner, admin) = (stage.person("Mina").await, stage.person("Ada").await);
    let guest = stage.person("Jae").await;
    let team = stage.team(&owner).await;
    stage.join(&team, &admin, Role::Admin).await;
    let id = InvitationId::generate(&*stage.ids, stage.now());
    let expires_at = stage.now() + SignedDuration::from_hours(1);
    let command = TeamCommand::Invite { id, email: guest.email.clone(), role: Role::Admin, expires_at };
    let ask = stage.ask(team.workspace, admin.id);
    let delivery = stage.store.execute(&ask, &command, stage.delivery()).await.unwrap().delivery.unwrap();
    let begun = stage.begin(&[delivery]).await;
    let mail = async || stage.store.contents(&begun).await.unwrap().remove(0);
    let inviter = async || stage.store.invitation(id).await.unwrap().unwrap().inviter;
    let accept = async || {
        let ask = stage.ask(team.workspace, guest.id);
        stage.store.execute(&ask, &TeamCommand::Accept { id }, stage.delivery()).await
    };
    let demote = TeamCommand::ChangeRole { user: admin.id, role: Role::Member };
    stage.command(&team, owner.id, &demote).await;
    assert_eq!(inviter().await, Some(Role::Member));
    assert!(matches!(mail().await, DeliveryContent::Gone(_)));
    assert_eq!(refusal(accept().await), ProblemKind::LinkExpired);
    stage.remove(&team, admin.id).await;
    assert_eq!(inviter().await, None);
    assert!(matches!(mail().await, DeliveryContent::Gone(_)));
    assert_eq!(refusal(accept().await), ProblemKind::LinkExpired);
    // Who may invite again stands by what they began.
    stage.join(&team, &admin, Role::Admin).await;
    assert!(matches!(mail().await, DeliveryContent::Invitation { .. }));
    assert_eq!(accept().await.unwrap().member.and_then(|m| m.role), Some(Role::Admin));
}

/// The clock ran three days ahead, somebody wrote, and it was set back: only what changes is dated like the last change.
async fn an_invitation_goes_by_the_clock(stage: &Stage) {
    let (owner, guest) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    let ahead =
        Ask { at: stage.now() + SignedDuration::from_hours(72), ..stage.ask(team.workspace, owner.id) };
    let name = Name::parse("Project").unwrap();
    let project = ProjectId::generate(&*stage.ids, stage.now());
    let make = TeamCommand::CreateProject { id: project, key: ProjectKey::parse("NEW").unwrap(), name };
    stage.store.execute(&ahead, &make, stage.delivery()).await.unwrap();

    let id = InvitationId::generate(&*stage.ids, stage.now());
    let expires_at = stage.now() + SignedDuration::from_hours(1);
    let invite = TeamCommand::Invite { id, email: guest.email.clone(), role: Role::Viewer, expires_at };
    let ask = stage.ask(team.workspace, owner.id);
    let delivery = stage.store.execute(&ask, &invite, stage.delivery()).await.unwrap().delivery.unwrap();
    let begun = stage.begin(&[delivery]).await;
    assert_eq!(begun.len(), 1, "the mail is due now");
    let accept = TeamCommand::Accept { id };
    stage.store.execute(&stage.ask(team.workspace, guest.id), &accept, stage.delivery()).await.unwrap();
    let changes = stage.store.changes(team.workspace, 0, 10).await.unwrap().changes;
    assert!(changes.is_sorted_by_key(|change| change.at));
    assert_eq!(
        changes.last().map(|change| (change.kind, change.at)),
        Some((ChangeKind::MemberJoined, ahead.at))
    );
}

async fn who_left_stays_known(stage: &Stage) {
    let (owner, guest) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &guest, Role::Member).await;
    let joined = stage.store.members_by_id(team.workspace, &[guest.id]).await.unwrap().remove(0).joined_at;
    stage.remove(&team, guest.id).await;
    let by_id = WorkspaceName::Id(team.workspace);
    assert_eq!(stage.store.membership(guest.id, &by_id).await.unwrap(), None);
    let present = stage.store.members(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(present.iter().map(|m| m.user).collect::<Vec<_>>(), [owner.id]);
    let known = stage.store.members_by_id(team.workspace, &[guest.id, owner.id, guest.id]).await.unwrap();
    let known: BTreeSet<_> = known.into_iter().map(|m| (m.user, m.role)).collect();
    assert_eq!(known, [(guest.id, None), (owner.id, Some(Role::Owner))].into());
    assert_eq!(stage.store.members_by_handle(team.workspace, &["jae".to_owned()]).await.unwrap(), []);
    stage.clock.advance(SignedDuration::from_hours(1));
    stage.join(&team, &guest, Role::Admin).await;
    let back = stage.store.members_by_id(team.workspace, &[guest.id]).await.unwrap().remove(0);
    assert_eq!(back.role, Some(Role::Admin));
    assert!(back.joined_at > joined);
    assert_eq!(stage.store.members_by_handle(team.workspace, &["jae".to_owned()]).await.unwrap(), [guest.id]);
}

async fn a_shared_handle_means_the_whole_name_or_nobody(stage: &Stage) {
    let owner = stage.person("Owner").await;
    let team = stage.team(&owner).await;
    let mut people = Vec::new();
    for name in ["Kim Jae", "Kim Mina", "Kim", "Lee Sun", "Lee Moon"] {
        let person = stage.person(name).await;
        stage.join(&team, &person, Role::Member).await;
        people.push(person.id);
    }
    let meant = async |handles: &[&str]| {
        let handles: Vec<String> = handles.iter().map(|&h| h.to_owned()).collect();
        stage.store.members_by_handle(team.workspace, &handles).await.unwrap()
    };
    assert_eq!(meant(&["kim"]).await, [people[2]]);
    assert_eq!(meant(&["lee"]).await, []);
    assert_eq!(meant(&["kimjae", "leesun", "nobody"]).await, [people[0], people[3]]);
    assert_eq!(meant(&[]).await, []);
}

async fn lists_are_walked_without_loss(stage: &Stage) {
    let owner = stage.person("Owner").await;
    let team = stage.team(&owner).await;
    for n in 0..25_u8 {
        stage.project(&team, ProjectId::generate(&*stage.ids, stage.now()), &format!("P{n}")).await;
        let person = stage.person(&format!("Person {n}")).await;
        stage.join(&team, &person, Role::Member).await;
        // A workspace of the same name, and of a name longer than a cursor.
        let name = if n % 2 == 0 { "Same".to_owned() } else { "우".repeat(100) };
        let name = Name::parse(&name).unwrap();
        let workspace = WorkspaceId::generate(&*stage.ids, stage.now());
        let ask = stage.ask(workspace, owner.id);
        stage.store.create_workspace(&ask, &name, &Slug::from_name(&name), false).await.unwrap();
    }
    let first = PageRequest { limit: Limit::new(7).unwrap(), cursor: None };
    let (mut request, mut keys) = (first.clone(), Vec::new());
    while keys.is_empty() || request.cursor.is_some() {
        let page = stage.store.projects(team.workspace, request.clone()).await.unwrap();
        keys.extend(page.items.into_iter().map(|p| p.key.as_str().to_owned()));
        request.cursor = page.next;
    }
    assert!(keys.is_sorted() && keys.len() == 26, "{keys:?}");
    let (mut request, mut members) = (first.clone(), Vec::new());
    while members.is_empty() || request.cursor.is_some() {
        let page = stage.store.members(team.workspace, request.clone()).await.unwrap();
        members.extend(page.items.into_iter().map(|m| m.user));
        request.cursor = page.next;
    }
    assert_eq!((members.len(), members[0]), (26, owner.id));
    let (mut request, mut theirs) = (first.clone(), Vec::new());
    while theirs.is_empty() || request.cursor.is_some() {
        let page = stage.store.workspaces_of(owner.id, request.clone()).await.unwrap();
        theirs.extend(page.items.into_iter().map(|(w, _)| (w.name.as_str().to_owned(), w.id)));
        request.cursor = page.next;
    }
    assert!(theirs.is_sorted() && theirs.len() == 26, "{theirs:?}");

    // A cursor of one list opens no other, and a made-up one opens none.
    let foreign = stage.store.projects(team.workspace, first.clone()).await.unwrap().next;
    let made_up = Some(Cursor::parse("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap());
    for cursor in [foreign, made_up] {
        let request = PageRequest { cursor, ..first.clone() };
        assert_eq!(refusal(stage.store.members(team.workspace, request.clone()).await), ProblemKind::Invalid);
        assert_eq!(refusal(stage.store.workspaces_of(owner.id, request.clone()).await), ProblemKind::Invalid);
        assert_eq!(refusal(stage.store.invitations(team.workspace, request).await), ProblemKind::Invalid);
    }
}

async fn refusals_leave_nothing(stage: &Stage) {
    let (owner, stranger) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    let before = stage.store.seq(team.workspace).await.unwrap();
    let project = |key: &str| TeamCommand::CreateProject {
        id: ProjectId::generate(&*stage.ids, stage.now()),
        key: ProjectKey::parse(key).unwrap(),
        name: Name::parse(key).unwrap(),
    };
    let run = async |workspace, actor, command: TeamCommand| {
        stage.store.execute(&stage.ask(workspace, actor), &command, stage.delivery()).await
    };
    assert_eq!(refusal(run(team.workspace, owner.id, project("WEB")).await), ProblemKind::Conflict);
    assert_eq!(refusal(run(team.workspace, stranger.id, project("OPS")).await), ProblemKind::NotFound);
    let nowhere = WorkspaceId::from_bytes([9; 16]);
    assert_eq!(refusal(run(nowhere, owner.id, project("OPS")).await), ProblemKind::NotFound);
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), before);
    let held = stage.store.projects(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(held.len(), 1);
}

async fn ownership_passes_on(stage: &Stage) {
    let (owner, heir) = (stage.person("Mina").await, stage.person("Jae").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &heir, Role::Member).await;
    let command = TeamCommand::ChangeRole { user: heir.id, role: Role::Owner };
    let outcome =
        stage.store.execute(&stage.ask(team.workspace, owner.id), &command, stage.delivery()).await.unwrap();
    assert_eq!(outcome.member.and_then(|m| m.role), Some(Role::Owner));
    let members = stage.store.members(team.workspace, PageRequest::default()).await.unwrap().items;
    let roles: BTreeSet<_> = members.into_iter().map(|m| (m.user, m.role)).collect();
    assert_eq!(roles, [(owner.id, Some(Role::Admin)), (heir.id, Some(Role::Owner))].into());
    assert_eq!(stage.store.members_by_handle(team.workspace, &["jae".to_owned()]).await.unwrap(), [heir.id]);
}
