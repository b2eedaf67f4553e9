//! Accounts, sessions, tokens, links.

use fairy_jobs::{
    account::{Day, Digest, Locale, TimeZone, User},
    id::{LinkId, SessionId, TokenId},
    notice::Subject,
    page::{Limit, PageRequest},
    ports::{
        Accounts as _, ApiToken, Deliveries as _, DeliveryContent, LinkPurpose, ResetLink, Session,
        Teams as _,
    },
    problem::ProblemKind,
    profile::{DigestPatch, ProfilePatch},
    rights::Scope,
    team::Role,
    text::Name,
};
use futures::future::join_all;
use jiff::SignedDuration;

use super::stage::{Stage, refusal};

super::tests! {
    an_address_has_one_account,
    an_account_reads_as_written,
    sessions_end_and_the_oldest_make_room,
    tokens_are_paged_and_limited,
    a_link_opens_once,
    a_link_that_did_reset_knows_it,
    a_new_password_ends_what_the_old_one_opened,
    a_recovered_account_has_no_door_left_open,
    a_new_password_is_told_once,
    changes_at_the_same_moment_all_hold,
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
    let gone = stage.store.change_profile(nobody, &ProfilePatch::default()).await;
    assert_eq!(refusal(gone), ProblemKind::NotFound);
}

fn session(stage: &Stage, user: &User) -> Session {
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
    let holds = async |id, purpose| stage.store.link_holds(id, purpose, stage.now()).await.unwrap();
    assert!(!holds(first, LinkPurpose::VerifyEmail).await, "it was replaced");
    assert!(!holds(second, LinkPurpose::ResetPassword).await);
    assert!(holds(second, LinkPurpose::VerifyEmail).await && holds(second, LinkPurpose::VerifyEmail).await);
    let verify = async |id| stage.store.verify_email(id, stage.now()).await;
    let reset = async |id| stage.store.reset_password(id, "new", stage.tell()).await;
    assert_eq!(refusal(verify(first).await), ProblemKind::LinkExpired);
    assert_eq!(refusal(reset(second).await), ProblemKind::LinkExpired);
    let begun = stage.begin(&[letter]).await;
    assert_eq!(begun[0].subject, Subject::VerifyEmail(first));
    let content = stage.store.contents(&begun).await.unwrap().remove(0);
    assert!(matches!(content, DeliveryContent::Gone(_)), "{content:?}");
    assert_eq!(verify(second).await, Ok(user.id));
    assert!(stage.store.user(user.id).await.unwrap().unwrap().email_verified);
    assert_eq!(refusal(verify(second).await), ProblemKind::LinkExpired);
    assert!(!holds(second, LinkPurpose::VerifyEmail).await, "it was used");
    let (late, letter) = send(LinkPurpose::ResetPassword).await;
    let begun = stage.begin(&[letter]).await;
    let content = stage.store.contents(&begun).await.unwrap().remove(0);
    assert!(matches!(content, DeliveryContent::Link { .. }), "{content:?}");
    assert_eq!(refusal(verify(late).await), ProblemKind::LinkExpired);
    assert!(holds(late, LinkPurpose::ResetPassword).await);
    stage.clock.advance(SignedDuration::from_hours(1));
    assert!(!holds(late, LinkPurpose::ResetPassword).await, "it has expired");
    assert_eq!(refusal(reset(late).await), ProblemKind::LinkExpired);
    assert_eq!(stage.store.reset_link(late, stage.now()).await.unwrap(), None);
    let credentials = stage.store.credentials_of(user.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "hash", "what was refused changed nothing");
}

async fn reset_link(stage: &Stage, user: &User) -> LinkId {
    let link = LinkId::generate(&*stage.ids, stage.now());
    let times = (stage.now(), stage.now() + SignedDuration::from_hours(1));
    let ids = (link, stage.delivery());
    stage.store.send_link(user, LinkPurpose::ResetPassword, ids, times).await.unwrap();
    link
}

async fn a_link_that_did_reset_knows_it(stage: &Stage) {
    let user = stage.person("Mina").await;
    let found = async |id| stage.store.reset_link(id, stage.now()).await.unwrap();
    let first = reset_link(stage, &user).await;
    let fresh = Some(ResetLink { user: user.id, used: false });
    assert_eq!((found(first).await, found(first).await), (fresh, fresh), "looking does not use it up");
    // Of two at the same moment one sets its password.
    let (one, two) = tokio::join!(
        stage.store.reset_password(first, "one", stage.tell()),
        stage.store.reset_password(first, "two", stage.tell())
    );
    let set = if one.is_ok() { "one" } else { "two" };
    let (done, refused) = if one.is_ok() { (one, two) } else { (two, one) };
    assert_eq!(done, Ok(user.id));
    assert_eq!(refusal(refused), ProblemKind::LinkExpired);
    assert_eq!(stage.store.credentials_of(user.id).await.unwrap().unwrap().password_hash, set);
    assert_eq!(found(first).await, Some(ResetLink { user: user.id, used: true }));
    // A later link leaves what is known of the one before, until that has done its work.
    let second = reset_link(stage, &user).await;
    assert_eq!(found(first).await, Some(ResetLink { user: user.id, used: true }));
    stage.store.reset_password(second, "three", stage.tell()).await.unwrap();
    assert_eq!((found(first).await, found(second).await.map(|link| link.used)), (None, Some(true)));
    let other = reset_link(stage, &stage.person("Other").await).await;
    assert_eq!(found(other).await.map(|link| link.used), Some(false));
    stage.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(found(second).await, None);
}

async fn a_new_password_ends_what_the_old_one_opened(stage: &Stage) {
    let user = stage.person("Mina").await;
    let (kept, ended) = (session(stage, &user), session(stage, &user));
    stage.store.create_session(&kept, [1; 32]).await.unwrap();
    stage.store.create_session(&ended, [2; 32]).await.unwrap();
    let link = reset_link(stage, &user).await;
    stage.store.change_password(user.id, "other", kept.id, stage.tell()).await.unwrap();
    assert_eq!(stage.store.sessions(user.id, stage.now()).await.unwrap(), [kept]);
    assert_eq!(stage.store.reset_link(link, stage.now()).await.unwrap(), None);
    let credentials = stage.store.credentials_of(user.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "other");
    let nobody = fairy_jobs::id::UserId::from_bytes([9; 16]);
    let gone = stage.store.change_password(nobody, "x", SessionId::from_bytes([9; 16]), stage.tell()).await;
    assert_eq!(refusal(gone), ProblemKind::NotFound);
}

async fn a_recovered_account_has_no_door_left_open(stage: &Stage) {
    let (user, other) = (stage.person("Mina").await, stage.person("Other").await);
    for (person, secret) in [(&user, [1; 32]), (&other, [2; 32])] {
        stage.store.create_session(&session(stage, person), secret).await.unwrap();
        let token = ApiToken {
            id: TokenId::generate(&*stage.ids, stage.now()),
            user: person.id,
            name: Name::parse("Token").unwrap(),
            scopes: [Scope::Read].into(),
            created_at: stage.now(),
            expires_at: None,
            used_at: None,
        };
        stage.store.create_token(&token, secret).await.unwrap();
    }
    let link = reset_link(stage, &user).await;
    stage.store.reset_password(link, "new", stage.tell()).await.unwrap();
    let held = async |secret| {
        let session = stage.store.session(secret, stage.now()).await.unwrap();
        (session.is_some(), stage.store.token(secret, stage.now()).await.unwrap().is_some())
    };
    assert_eq!((held([1; 32]).await, held([2; 32]).await), ((false, false), (true, true)));
    let credentials = stage.store.credentials_of(user.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "new");
    assert!(stage.store.user(user.id).await.unwrap().unwrap().email_verified);
}

async fn a_new_password_is_told_once(stage: &Stage) {
    let user = stage.person("Mina").await;
    let (changed, recovered, refused) = (stage.tell(), stage.tell(), stage.tell());
    let session = SessionId::from_bytes([9; 16]);
    stage.store.change_password(user.id, "other", session, changed).await.unwrap();
    let link = reset_link(stage, &user).await;
    stage.store.reset_password(link, "new", recovered).await.unwrap();
    let again = stage.store.reset_password(link, "newer", refused).await;
    assert_eq!(refusal(again), ProblemKind::LinkExpired);
    let begun = stage.begin(&[changed.0, recovered.0, refused.0]).await;
    let subjects: Vec<_> = begun.iter().map(|delivery| delivery.subject).collect();
    assert_eq!(subjects, [Subject::PasswordChanged(user.id), Subject::AccountRecovered(user.id)]);
    for delivery in &begun {
        let what = (&delivery.address, delivery.person, delivery.created_at);
        assert_eq!(what, (&user.email, Some(user.id), stage.now()));
    }
    for content in stage.store.contents(&begun).await.unwrap() {
        assert!(
            matches!(&content, DeliveryContent::Account { person } if person.id == user.id),
            "{content:?}"
        );
    }
}

async fn changes_at_the_same_moment_all_hold(stage: &Stage) {
    let user = stage.person("Mina").await;
    let nothing = ProfilePatch::default;
    let off = DigestPatch { enabled: Some(false), ..DigestPatch::default() };
    let fridays = DigestPatch { weekdays: Some(vec![Day::Fri]), ..DigestPatch::default() };
    let patches = [
        ProfilePatch { name: Some(Name::parse("Soyeon").unwrap()), ..nothing() },
        ProfilePatch { locale: Some(Locale::English), ..nothing() },
        ProfilePatch { digest: off, ..nothing() },
        ProfilePatch { time_zone: Some(TimeZone::utc()), ..nothing() },
        ProfilePatch { digest: fridays, ..nothing() },
    ];
    let done = join_all(patches.iter().map(|patch| stage.store.change_profile(user.id, patch))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let expected = User {
        name: Name::parse("Soyeon").unwrap(),
        locale: Locale::English,
        time_zone: TimeZone::utc(),
        digest: Digest { enabled: false, weekdays: vec![Day::Fri], ..user.digest.clone() },
        ..user.clone()
    };
    assert_eq!(stage.store.user(user.id).await.unwrap(), Some(expected.clone()));
    // Two that are good alone and make no sense together: the later one is refused and changes nothing.
    let digest = DigestPatch { weekdays: Some(vec![]), ..DigestPatch::default() };
    let none = stage.store.change_profile(user.id, &ProfilePatch { digest, ..nothing() }).await.unwrap();
    let digest = DigestPatch { enabled: Some(true), ..DigestPatch::default() };
    let patch = ProfilePatch { digest, name: Some(Name::parse("Nobody").unwrap()), ..nothing() };
    assert_eq!(refusal(stage.store.change_profile(user.id, &patch).await), ProblemKind::Invalid);
    assert_eq!(stage.store.user(user.id).await.unwrap(), Some(none));
}

async fn a_new_name_is_what_people_call(stage: &Stage) {
    let (owner, mina) = (stage.person("Jae").await, stage.person("Mina Park").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &mina, Role::Member).await;
    let meant = async |handle: &str| {
        stage.store.members_by_handle(team.workspace, &[handle.to_owned()]).await.unwrap()
    };
    assert_eq!(meant("minapark").await, [mina.id]);
    let patch = ProfilePatch { name: Some(Name::parse("Soyeon Lee").unwrap()), ..ProfilePatch::default() };
    let mina = stage.store.change_profile(mina.id, &patch).await.unwrap();
    assert_eq!(meant("soyeon").await, [mina.id]);
    assert_eq!(meant("mina").await, []);
    // The address did not change.
    assert_eq!(meant("minapark").await, [mina.id]);
    let member = stage.store.members_by_id(team.workspace, &[mina.id]).await.unwrap().remove(0);
    assert_eq!(member.name, mina.name);
    let credentials = stage.store.credentials_of(mina.id).await.unwrap().unwrap();
    assert_eq!(credentials.password_hash, "hash", "a new name leaves the password alone");
}
