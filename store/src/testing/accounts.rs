//! Accounts, sessions, tokens, links.

use fairy_jobs::{
    id::{LinkId, SessionId, TokenId},
    notice::Subject,
    page::{Limit, PageRequest},
    ports::{
        Accounts as _, ApiToken, Deliveries as _, DeliveryContent, LinkPurpose, PortError, Session,
        Teams as _,
    },
    problem::ProblemKind,
    rights::Scope,
    team::Role,
    text::Name,
};
use jiff::SignedDuration;

use super::stage::{Stage, refusal};

super::tests! {
    an_address_has_one_account,
    an_account_reads_as_written,
    sessions_end_and_the_oldest_make_room,
    tokens_are_paged_and_limited,
    a_link_opens_once,
    a_new_password_ends_what_the_old_one_opened,
    a_new_name_is_what_people_call,
}

async fn an_address_has_one_account(stage: &Stage) {
    let user = stage.person("Mina").await;
    let mut other =
        stage.user_named(fairy_jobs::id::UserId::from_bytes([7; 16]), "Other", user.email.as_str());
    let refused = stage.store.create_user(&other, "hash").await;
    assert_eq!(refusal(refused), ProblemKind::EmailTaken);
    other.email = fairy_jobs::email::EmailAddress::parse("other@example.com").unwrap();
    stage.store.create_user(&other, "hash").await.unwrap();
}

async fn an_account_reads_as_written(stage: &Stage) {
    let user = stage.person("Mina Park").await;
    assert_eq!(stage.store.user(user.id).await.unwrap().as_ref(), Some(&user));
    let credentials = stage.store.credentials(&user.email).await.unwrap().unwrap();
    assert_eq!((credentials.user, credentials.password_hash.as_str()), (user.id, "hash"));
    assert_eq!(stage.store.credentials_of(user.id).await.unwrap(), Some(credentials));
    let nobody = fairy_jobs::id::UserId::from_bytes([9; 16]);
    assert_eq!(stage.store.user(nobody).await.unwrap(), None);
    let gone = stage.user_named(nobody, "Nobody", "nobody@example.com");
    assert_eq!(refusal(stage.store.update_user(&gone).await), ProblemKind::NotFound);
}

fn session(stage: &Stage, user: &fairy_jobs::account::User) -> Session {
    let at = stage.now();
    Session {
        id: SessionId::generate(&*stage.ids, at),
        user: user.id,
        created_at: at,
        seen_at: at,
        expires_at: at + SignedDuration::from_hours(1),
        user_agent: "Browser".to_owned(),
    }
}

async fn sessions_end_and_the_oldest_make_room(stage: &Stage) {
    let user = stage.person("Mina").await;
    let mut made = Vec::new();
    for n in 0..52_u8 {
        let session = session(stage, &user);
        stage.store.create_session(&session, [n; 32]).await.unwrap();
        made.push(session);
        stage.clock.advance(SignedDuration::from_secs(1));
    }
    let held = stage.store.sessions(user.id, stage.now()).await.unwrap();
    assert_eq!(held, made.iter().skip(2).rev().cloned().collect::<Vec<_>>());
    assert_eq!(stage.store.session([1; 32], stage.now()).await.unwrap(), None);
    assert_eq!(stage.store.session([51; 32], stage.now()).await.unwrap().as_ref(), made.last());
    stage.store.touch_session(made[51].id, stage.now()).await.unwrap();
    let touched = stage.store.session([51; 32], stage.now()).await.unwrap().unwrap();
    assert_eq!(touched.seen_at, stage.now());
    assert_eq!(touched.expires_at, stage.now() + SignedDuration::from_hours(1), "it lasts as long again");
    let other = stage.person("Other").await;
    assert!(!stage.store.end_session(other.id, made[51].id).await.unwrap());
    assert!(stage.store.end_session(user.id, made[51].id).await.unwrap());
    stage.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(stage.store.session([50; 32], stage.now()).await.unwrap(), None);
    assert_eq!(stage.store.sessions(user.id, stage.now()).await.unwrap(), []);
}

async fn tokens_are_paged_and_limited(stage: &Stage) {
    let user = stage.person("Mina").await;
    let token = |n: u8| ApiToken {
        id: TokenId::generate(&*stage.ids, stage.now()),
        user: user.id,
        name: Name::parse(&format!("Token {n}")).unwrap(),
        scopes: [Scope::Read, Scope::Write].into(),
        created_at: stage.now(),
        expires_at: (n == 0).then(|| stage.now() + SignedDuration::from_secs(5)),
        used_at: None,
    };
    let mut made = Vec::new();
    for n in 0..100 {
        let token = token(n);
        stage.store.create_token(&token, [n; 32]).await.unwrap();
        made.push(token);
    }
    assert_eq!(refusal(stage.store.create_token(&token(100), [100; 32]).await), ProblemKind::Conflict);
    let mut request = PageRequest { limit: Limit::new(33).unwrap(), cursor: None };
    let mut seen = Vec::new();
    loop {
        let page = stage.store.tokens(user.id, request.clone()).await.unwrap();
        seen.extend(page.items);
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    made.reverse();
    assert_eq!(seen, made);
    assert!(stage.store.token([0; 32], stage.now()).await.unwrap().is_some());
    stage.clock.advance(SignedDuration::from_secs(6));
    assert_eq!(stage.store.token([0; 32], stage.now()).await.unwrap(), None);
    let used = stage.store.token([1; 32], stage.now()).await.unwrap().unwrap();
    stage.store.touch_token(used.id, stage.now()).await.unwrap();
    let used = stage.store.token([1; 32], stage.now()).await.unwrap().unwrap();
    assert_eq!(used.used_at, Some(stage.now()));
    assert!(stage.store.end_token(user.id, used.id).await.unwrap());
    assert!(!stage.store.end_token(user.id, used.id).await.unwrap());
}

async fn a_link_opens_once(stage: &Stage) {
    let user = stage.person("Mina").await;
    let send = async |purpose| {
        let (id, delivery) = (LinkId::generate(&*stage.ids, stage.now()), stage.delivery());
        let times = (stage.now(), stage.now() + SignedDuration::from_hours(1));
        stage.store.send_link(&user, purpose, (id, delivery), times).await.unwrap();
        (id, delivery)
    };
    let (first, letter) = send(LinkPurpose::VerifyEmail).await;
    let (second, _) = send(LinkPurpose::VerifyEmail).await;
    let use_link = async |id, purpose| stage.store.use_link(id, purpose, stage.now()).await;
    assert_eq!(refusal(use_link(first, LinkPurpose::VerifyEmail).await), ProblemKind::LinkExpired);
    assert_eq!(refusal(use_link(second, LinkPurpose::ResetPassword).await), ProblemKind::LinkExpired);
    let begun = stage.begin(&[letter]).await;
    assert_eq!(begun[0].subject, Subject::VerifyEmail(first));
    let content = stage.store.contents(&begun).await.unwrap().remove(0);
    assert!(matches!(content, DeliveryContent::Gone(_)), "{content:?}");
    assert_eq!(use_link(second, LinkPurpose::VerifyEmail).await, Ok(user.id));
    assert!(stage.store.user(user.id).await.unwrap().unwrap().email_verified);
    assert_eq!(refusal(use_link(second, LinkPurpose::VerifyEmail).await), ProblemKind::LinkExpired);
    let (late, letter) = send(LinkPurpose::ResetPassword).await;
    let begun = stage.begin(&[letter]).await;
    let content = stage.store.contents(&begun).await.unwrap().remove(0);
    assert!(matches!(content, DeliveryContent::Link { .. }), "{content:?}");
    stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(refusal(use_link(late, LinkPurpose::ResetPassword).await), ProblemKind::LinkExpired);
}

async fn a_new_password_ends_what_the_old_one_opened(stage: &Stage) {
    let user = stage.person("Mina").await;
    let (kept, ended) = (session(stage, &user), session(stage, &user));
    stage.store.create_session(&kept, [1; 32]).await.unwrap();
    stage.store.create_session(&ended, [2; 32]).await.unwrap();
    let link = LinkId::generate(&*stage.ids, stage.now());
    let times = (stage.now(), stage.now() + SignedDuration::from_hours(1));
    let ids = (link, stage.delivery());
    stage.store.send_link(&user, LinkPurpose::ResetPassword, ids, times).await.unwrap();
    stage.store.set_password(user.id, "other", Some(kept.id), stage.now()).await.unwrap();
    assert_eq!(stage.store.sessions(user.id, stage.now()).await.unwrap(), [kept]);
    let used = stage.store.use_link(link, LinkPurpose::ResetPassword, stage.now()).await;
    assert_eq!(refusal(used), ProblemKind::LinkExpired);
    let credentials = stage.store.credentials_of(user.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "other");
    stage.store.set_password(user.id, "third", None, stage.now()).await.unwrap();
    assert_eq!(stage.store.sessions(user.id, stage.now()).await.unwrap(), []);
}

async fn a_new_name_is_what_people_call(stage: &Stage) {
    let (owner, mut mina) = (stage.person("Jae").await, stage.person("Mina Park").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &mina, Role::Member).await;
    let meant = async |handle: &str| {
        stage.store.members_by_handle(team.workspace, &[handle.to_owned()]).await.unwrap()
    };
    assert_eq!(meant("minapark").await, [mina.id]);
    mina.name = Name::parse("Soyeon Lee").unwrap();
    stage.store.update_user(&mina).await.unwrap();
    assert_eq!(meant("soyeon").await, [mina.id]);
    assert_eq!(meant("mina").await, []);
    // The address did not change.
    assert_eq!(meant("minapark").await, [mina.id]);
    let member = stage.store.members_by_id(team.workspace, &[mina.id]).await.unwrap().remove(0);
    assert_eq!(member.name, mina.name);
    let unreadable = stage.store.credentials_of(mina.id).await;
    assert!(!matches!(unreadable, Err(PortError::Broken(_))));
}
