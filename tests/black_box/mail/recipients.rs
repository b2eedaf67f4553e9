//! Who gets a mail, and with which reason.

use serde_json::json;

use crate::{
    mailbox::Letter,
    team::{Person, Team},
};

/// The mails about tasks that this person got, once everybody was told.
async fn notices(team: &Team, person: &Person) -> Vec<Letter> {
    team.told().await;
    let mut letters = team.letters();
    letters.retain(|l| l.to == person.email && l.notice.is_some());
    letters
}

fn reasons(letters: &[Letter]) -> Vec<&str> {
    letters.iter().filter_map(|l| l.reason.as_deref()).collect()
}

#[tokio::test]
async fn the_assignee_is_told_and_the_actor_never() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task_with(json!({"title": "Both", "assignees": [mina.id, team.owner.id]})).await;
    let letters = notices(&team, &mina).await;
    assert_eq!(reasons(&letters), ["assigned"]);
    assert!(notices(&team, &team.owner).await.is_empty());
    mina.api.patch(&team.at("/tasks/WEB-1"), &json!({"status": "done"})).await.is(200);
    assert_eq!(reasons(&notices(&team, &team.owner).await), ["assigned"]);
    assert_eq!(notices(&team, &mina).await.len(), 1);
}

#[tokio::test]
async fn one_operation_is_one_mail_with_the_strongest_reason() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task("One").await;
    team.owner.api.put(&team.at(&format!("/tasks/WEB-1/watchers/{}", mina.id))).await.is(204);
    let body = json!({"title": "Two @mina", "status": "in_progress", "assignees": [mina.id]});
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &body).await.is(200);
    let letters = notices(&team, &mina).await;
    assert_eq!(reasons(&letters), ["assigned"], "{letters:#?}");
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"assignees": []})).await.is(200);
    let mut letters = notices(&team, &mina).await;
    letters.retain(|l| l.reason.as_deref() == Some("unassigned"));
    assert_eq!(letters.len(), 1, "who no longer has it is told so");
}

#[tokio::test]
async fn watchers_creators_and_the_mentioned_are_told() {
    let team = Team::new().await;
    let mina = team.member("Mina Park", "member").await;
    let jae = team.member("Jae", "member").await;
    let vera = team.member("Vera", "viewer").await;
    mina.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Hers"})).await.is(201);
    vera.api.put(&team.at("/tasks/WEB-1/watchers/me")).await.is(204);
    let comment = json!({"body": "What do you think, @Jae? And `@vera` is only code, mail x@mina.com too."});
    team.owner.api.post(&team.at("/tasks/WEB-1/comments"), &comment).await.is(201);
    assert_eq!(reasons(&notices(&team, &mina).await), ["creator"]);
    assert_eq!(reasons(&notices(&team, &jae).await), ["mentioned"]);
    assert_eq!(reasons(&notices(&team, &vera).await), ["watching"]);
    assert!(notices(&team, &team.owner).await.is_empty());
}

#[tokio::test]
async fn somebody_of_another_workspace_is_never_mentioned() {
    let team = Team::new().await;
    let stranger = Person::sign_up(&team.server.url(), "Zoe").await;
    let mina = team.member("Mina", "member").await;
    team.task("Ask @zoe and @mina and @nobody").await;
    assert_eq!(reasons(&notices(&team, &mina).await), ["mentioned"]);
    assert!(notices(&team, &stranger).await.is_empty());
}

#[tokio::test]
async fn a_change_without_difference_tells_nobody() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    team.task_with(json!({"title": "One", "assignees": [mina.id]})).await;
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "One"})).await.is(200);
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "Two"})).await.is(200);
    assert_eq!(notices(&team, &mina).await.len(), 2);
}
