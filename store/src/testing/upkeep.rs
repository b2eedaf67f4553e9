//! What goes when it is over, and copies.

use fairy_jobs::{
    command::Command,
    id::{InvitationId, LinkId, SessionId, TokenId},
    operation::{End, Operation, keyed_id},
    page::PageRequest,
    ports::{
        Accounts as _, ApiToken, Feed as _, Ledger as _, LinkPurpose, PortError, Session, Tasks as _,
        Teams as _, Upkeep as _,
    },
    team::Role,
    team_command::TeamCommand,
    text::Name,
};
use jiff::SignedDuration;

use super::{
    ledger::every_task,
    stage::{Stage, Team},
};
use crate::{Database, Store, driver::Dialect};

super::tests! {
    what_is_over_goes_in_bounded_steps,
    what_a_lane_may_hand_out_again_stays,
    a_key_that_was_forgotten_is_a_key_again,
    what_is_not_over_stays,
    a_copy_is_whole_while_others_write,
    a_database_in_order_is_found_so,
    a_database_is_in_use_from_its_first_workspace_on,
}

async fn what_is_over_goes_in_bounded_steps(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let mut first = None;
    for _ in 0..6 {
        let create = |_| Command::CreateTask(stage.new_task(&team, "Task"));
        let outcomes = stage.apply(&team, owner.id, (0..200).map(create).collect()).await;
        first.get_or_insert(outcomes[0].id);
    }
    let kept = SignedDuration::from_hours(30 * 24);
    stage.clock.advance(kept);
    assert_eq!(stage.store.purge(stage.now(), stage.now()).await.unwrap(), 0);
    stage.clock.advance(SignedDuration::from_millis(1));
    let mut went = Vec::new();
    loop {
        went.push(stage.store.purge(stage.now(), stage.now()).await.unwrap());
        if went.last() == Some(&0) {
            break;
        }
    }
    assert_eq!(went, [500, 500, 200, 0]);
    assert_eq!(stage.store.outcome(first.unwrap()).await.unwrap(), None);
    assert_eq!(every_task(stage, &team).await.len(), 1200);
    assert_eq!(stage.store.seq(team.workspace).await.unwrap(), Some(1202));
}

async fn what_a_lane_may_hand_out_again_stays(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let create = || Command::CreateTask(stage.new_task(&team, "Task"));
    let before = stage.apply(&team, owner.id, vec![create()]).await.remove(0);
    stage.clock.advance(SignedDuration::from_hours(1));
    // Applied, not acknowledged, and its lane paused for longer than outcomes are kept.
    let held = stage.operation(&team, owner.id, create());
    let first = stage.store.apply(team.workspace, std::slice::from_ref(&held), stage.now()).await.unwrap();
    stage.clock.advance(SignedDuration::from_hours(31 * 24));
    assert_eq!(stage.store.purge(stage.now(), held.accepted_at).await.unwrap(), 1);
    assert_eq!(stage.store.outcome(before.id).await.unwrap(), None);
    let again = stage.store.apply(team.workspace, std::slice::from_ref(&held), stage.now()).await.unwrap();
    assert_eq!(
        (again.outcomes, again.seq),
        (first.outcomes, None),
        "what is handed out again has its outcome"
    );
    assert_eq!(stage.store.purge(stage.now(), stage.now()).await.unwrap(), 1);
}

/// A monthly job gives the same key each time; what it makes has a new id each time.
async fn a_key_that_was_forgotten_is_a_key_again(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let key = keyed_id(owner.id, team.workspace, "report");
    let mut made = Vec::new();
    for month in 1..=2 {
        let create = Command::CreateTask(stage.new_task(&team, &format!("Report {month}")));
        let operation = Operation { id: key, ..stage.operation(&team, owner.id, create) };
        let applied = stage.store.apply(team.workspace, &[operation], stage.now()).await.unwrap();
        assert!(matches!(applied.outcomes[0].end, End::Applied(_)), "{:?}", applied.outcomes);
        made.push(applied.outcomes[0].resource.id.clone());
        stage.clock.advance(SignedDuration::from_hours(31 * 24));
        assert_eq!(stage.store.purge(stage.now(), stage.now()).await.unwrap(), 1);
    }
    made.dedup();
    assert_eq!((made.len(), every_task(stage, &team).await.len()), (2, 2));
}

async fn furnish(stage: &Stage, team: &Team, life: SignedDuration) -> (InvitationId, LinkId) {
    let at = stage.now();
    let session = Session {
        id: SessionId::generate(&*stage.ids, at),
        user: team.owner,
        created_at: at,
        seen_at: at,
        expires_at: at + life,
        user_agent: String::new(),
    };
    let mut secret = [0; 32];
    fairy_jobs::id::IdSource::fill(&*stage.ids, &mut secret);
    stage.store.create_session(&session, secret).await.unwrap();
    let token = ApiToken {
        id: TokenId::generate(&*stage.ids, at),
        user: team.owner,
        name: Name::parse("Token").unwrap(),
        scopes: [].into(),
        created_at: at,
        expires_at: Some(at + life),
        used_at: None,
    };
    stage.store.create_token(&token, secret).await.unwrap();
    let user = stage.store.user(team.owner).await.unwrap().unwrap();
    let link = LinkId::generate(&*stage.ids, at);
    let times = (at, at + life);
    stage.store.send_link(&user, LinkPurpose::ResetPassword, (link, stage.delivery()), times).await.unwrap();
    let id = InvitationId::generate(&*stage.ids, at);
    let email = fairy_jobs::email::EmailAddress::parse(&format!("x{}@example.com", life.as_secs())).unwrap();
    let invite = TeamCommand::Invite { id, email, role: Role::Viewer, expires_at: at + life };
    stage.command(team, team.owner, &invite).await;
    (id, link)
}

async fn what_is_not_over_stays(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let (short, _) = furnish(stage, &team, SignedDuration::from_hours(1)).await;
    let (long, link) = furnish(stage, &team, SignedDuration::from_hours(24 * 60)).await;
    stage.clock.advance(SignedDuration::from_hours(2));
    // The second link took the place of the first at once.
    assert_eq!(stage.store.purge(stage.now(), stage.now()).await.unwrap(), 2);
    let waiting =
        async || stage.store.invitations(team.workspace, PageRequest::default()).await.unwrap().items;
    assert_eq!(waiting().await.iter().map(|i| i.id).collect::<Vec<_>>(), [long, short]);
    stage.clock.advance(SignedDuration::from_hours(24 * 30));
    assert_eq!(stage.store.purge(stage.now(), stage.now()).await.unwrap(), 1);
    assert_eq!(waiting().await.iter().map(|i| i.id).collect::<Vec<_>>(), [long]);
    assert_eq!(stage.store.sessions(owner.id, stage.now()).await.unwrap().len(), 1);
    assert_eq!(stage.store.tokens(owner.id, PageRequest::default()).await.unwrap().items.len(), 1);
    assert_eq!(stage.store.reset_password(link, "new", stage.tell()).await, Ok(owner.id));
}

async fn a_copy_is_whole_while_others_write(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let path = stage.directory.path().join("copy.db");
    if stage.store.dialect() == Dialect::MySql {
        // A server's database is copied by the server's tools, and whoever asks is told so.
        assert!(matches!(stage.store.backup_to(&path).await, Err(PortError::Broken(_))));
        return;
    }
    let create = || Command::CreateTask(stage.new_task(&team, "Task"));
    let writing = async {
        for _ in 0..30 {
            stage.apply(&team, owner.id, (0..10).map(|_| create()).collect()).await;
        }
    };
    let before = stage.apply(&team, owner.id, vec![create()]).await.remove(0);
    let ((), copied) = tokio::join!(writing, stage.store.backup_to(&path));
    copied.unwrap();
    assert!(stage.store.backup_to(&path).await.is_err(), "a copy is never written over");
    let options = stage.options(Database::File(path), &fairy_jobs::lane::Sink::ALL);
    let copy = Store::open(options).await.unwrap();
    assert_eq!(copy.migrate().await.unwrap().applied, Vec::<&str>::new());
    copy.check().await.unwrap();
    assert_eq!(copy.outcome(before.id).await.unwrap(), Some(before));
    let seq = copy.seq(team.workspace).await.unwrap().unwrap();
    let changes = copy.changes(team.workspace, 0, 500).await.unwrap().changes;
    assert_eq!(changes, stage.store.changes(team.workspace, 0, changes.len()).await.unwrap().changes);
    assert_eq!(changes.last().map(|change| change.seq), Some(seq));
    for change in changes {
        let Some(task) = change.task else { continue };
        let name = fairy_jobs::command::TaskName::Id(task.id);
        assert!(copy.task(team.workspace, &name).await.unwrap().is_some());
    }
    copy.close().await;
}

async fn a_database_in_order_is_found_so(stage: &Stage) {
    stage.store.ping().await.unwrap();
    let health = stage.store.check().await.unwrap();
    assert_eq!(health.migrations, crate::migration::ALL.len());
    assert!(health.to_string().starts_with("sound, "), "{health}");
}

async fn a_database_is_in_use_from_its_first_workspace_on(stage: &Stage) {
    let owner = stage.person("Mina").await;
    assert!(!stage.store.is_in_use().await.unwrap(), "nothing can be accepted without one");
    stage.team(&owner).await;
    assert!(stage.store.is_in_use().await.unwrap());
}
