//! Invitations by mail: taken up, expired, foreign, withdrawn, mutual.

use serde_json::json;

use crate::{
    mailbox::Letter,
    team::{PASSWORD, Person, Team, workspace},
};

#[tokio::test]
async fn an_invitation_leads_from_the_mail_into_the_workspace() {
    let team = Team::new().await;
    let code = team.invite("jae@example.com", "member").await;
    let page = team.owner.api.stranger().page(&format!("/invitations/{code}")).await.is(200);
    assert!(page.text.contains("Acme") && page.text.contains("Olga Owner"), "{page:?}");
    let jae = Person::sign_up_as(&team.server.url(), "Jae", "jae@example.com").await;
    jae.api.get(&team.at("")).await.problem(404, "not-found");
    let accept = format!("/invitations/{code}/accept");
    let reply = jae.api.post(&accept, &json!({})).await;
    assert!(matches!(reply.status, 200 | 201), "{reply:?}");
    jae.api.get(&team.at("/tasks")).await.is(200);
    let members = jae.api.all(&team.at("/members")).await;
    let mine = members.iter().find(|m| m["id"] == jae.id.as_str()).expect("listed");
    assert_eq!((&mine["role"], &mine["email"]), (&json!("member"), &json!("jae@example.com")));
    let used = jae.api.post(&accept, &json!({})).await.problem(410, "link-expired");
    assert!(used.str("detail").contains("Ask who invited you"), "{used:?}");
    let page = jae.api.page(&format!("/invitations/{code}")).header("Accept", "text/html").await.is(410);
    assert!(page.text.contains("Ask who invited you"), "{page:?}");
    let joined = team.changes().await.into_iter().filter(|c| c["kind"] == "member.joined").count();
    assert_eq!(joined, 1);
}

#[tokio::test]
async fn an_invitation_is_only_for_its_address() {
    let team = Team::new().await;
    let code = team.invite("jae@example.com", "admin").await;
    let thief = Person::sign_up(&team.server.url(), "Thief").await;
    thief.api.post(&format!("/invitations/{code}/accept"), &json!({})).await.problem(403, "forbidden");
    thief.api.get(&team.at("")).await.problem(404, "not-found");
    for code in ["nonsense".to_owned(), "A".repeat(64)] {
        let reply = thief.api.post(&format!("/invitations/{code}/accept"), &json!({})).await.any_problem();
        assert!(matches!(reply.status, 404 | 410), "{reply:?}");
    }
}

#[tokio::test]
async fn a_withdrawn_invitation_opens_nothing_and_a_new_one_replaces_the_old() {
    let team = Team::new().await;
    let jae = Person::sign_up_as(&team.server.url(), "Jae", "jae@example.com").await;
    let accept = |code: &str| jae.api.post(&format!("/invitations/{code}/accept"), &json!({}));
    let first = team.invite("jae@example.com", "viewer").await;
    let second = team.invite("jae@example.com", "member").await;
    accept(&first).await.problem(410, "link-expired");
    let waiting = team.owner.api.all(&team.at("/invitations")).await;
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    let id = waiting[0]["id"].as_str().unwrap();
    team.owner.api.delete(&team.at(&format!("/invitations/{id}"))).await.is(204);
    accept(&second).await.problem(410, "link-expired");
    team.owner.api.delete(&team.at(&format!("/invitations/{id}"))).await.problem(404, "not-found");
    assert!(jae.api.all("/workspaces").await.is_empty());
}

#[tokio::test]
async fn an_invitation_goes_with_the_right_to_send_it() {
    let team = Team::new().await;
    let ada = team.member("Ada", "admin").await;
    let jae = Person::sign_up_as(&team.server.url(), "Jae", "jae@example.com").await;
    let body = json!({"email": jae.email, "role": "admin"});
    ada.api.post(&team.at("/invitations"), &body).await.is(201);
    let mail = |l: &Letter| l.to == jae.email && l.text.contains("/invitations/");
    let code = team.letter("her invitation is there", mail).await.code("invitations");
    let member = team.at(&format!("/members/{}", ada.id));
    team.owner.api.patch(&member, &json!({"role": "member"})).await.is(200);
    let accept = || jae.api.post(&format!("/invitations/{code}/accept"), &json!({}));
    let refused = accept().await.problem(410, "link-expired");
    assert!(refused.str("detail").contains("may not invite any more"), "{refused:?}");
    jae.api.get(&format!("/invitations/{code}")).await.problem(410, "link-expired");
    let page = jae.api.page(&format!("/invitations/{code}")).header("Accept", "text/html").await.is(410);
    assert!(page.text.contains("may not invite any more"), "{page:?}");
    team.owner.api.delete(&member).await.is(204);
    accept().await.problem(410, "link-expired");
    jae.api.get(&team.at("")).await.problem(404, "not-found");
    let account = json!({"email": jae.email, "password": PASSWORD, "name": "Jae", "invitation": code});
    jae.api.stranger().post("/auth/sign-up", &account).await.problem(410, "link-expired");
}

#[tokio::test]
async fn an_expired_invitation_opens_nothing() {
    let mut team = Team::new().await;
    let jae = Person::sign_up_as(&team.server.url(), "Jae", "jae@example.com").await;
    let code = team.invite("jae@example.com", "member").await;
    team.server.kill().await;
    // Nobody can wait a week here, so the row is made older while the server is away.
    assert_eq!(team.server.change_rows("UPDATE invitations SET expires_at = 1000").await, 1);
    team.server.start().await;
    jae.api.post(&format!("/invitations/{code}/accept"), &json!({})).await.problem(410, "link-expired");
}

#[tokio::test]
async fn two_owners_who_invite_each_other_both_join() {
    let team = Team::new().await;
    let other = Person::sign_up(&team.server.url(), "Other").await;
    let (second, _) = workspace(&other, "Second").await;
    let mine = team.invite(&other.email, "member").await;
    let body = json!({"email": team.owner.email, "role": "admin"});
    other.api.post(&format!("/workspaces/{second}/invitations"), &body).await.is(201);
    let theirs = team.letter("the second invitation is there", |l| {
        l.to == team.owner.email && l.text.contains("/invitations/")
    });
    let theirs = theirs.await.code("invitations");
    // Each takes up the other's while both wait, and a member who invites the owner back meets a plain refusal.
    other.api.post(&format!("/invitations/{mine}/accept"), &json!({})).await;
    team.owner.api.post(&format!("/invitations/{theirs}/accept"), &json!({})).await;
    assert_eq!(other.api.all("/workspaces").await.len(), 2);
    assert_eq!(team.owner.api.all("/workspaces").await.len(), 2);
    let path = format!("/workspaces/{second}/invitations");
    team.owner
        .api
        .post(&path, &json!({"email": other.email, "role": "viewer"}))
        .await
        .problem(409, "conflict");
    team.owner
        .api
        .post(&path, &json!({"email": team.owner.email, "role": "viewer"}))
        .await
        .problem(409, "conflict");
    let roles = other.api.all(&format!("/workspaces/{second}/members")).await;
    assert_eq!(roles.iter().filter(|m| m["role"] == "owner").count(), 1, "{roles:?}");
}

#[tokio::test]
async fn an_owner_is_not_made_by_invitation() {
    let team = Team::new().await;
    let path = team.at("/invitations");
    let document = team.owner.api.page("/openapi.json").await.is(200).body;
    let role = &document["components"]["schemas"]["InviteRequest"]["properties"]["role"];
    assert_eq!(role["enum"], json!(["admin", "member", "viewer"]), "{role:#}");
    for no_role in ["owner", "king", ""] {
        let body = json!({"email": "x@example.com", "role": no_role});
        let refused = team.owner.api.post(&path, &body).await.invalid("role");
        let detail = "role must be one of admin, member, viewer; an owner is made by transfer";
        assert_eq!(refused["detail"], detail);
    }
    team.owner.api.post(&path, &json!({"email": "not an address", "role": "member"})).await.invalid("email");
    let member = team.member("Mina", "member").await;
    member
        .api
        .post(&path, &json!({"email": "x@example.com", "role": "viewer"}))
        .await
        .problem(403, "forbidden");
}
