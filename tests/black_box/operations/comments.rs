//! Comments: written, rewritten by their author, taken back.

use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn comments_are_written_read_rewritten_and_taken_back() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let task = team.task("One").await;
    let path = team.at("/tasks/WEB-1/comments");
    let made = mina.api.post(&path, &json!({"body": "First\r\nline"})).await.is(201);
    let id = made.str("id");
    assert!(id.starts_with("cmt_"), "{made:?}");
    assert_eq!(made["body"], "First\nline");
    assert_eq!(made.header("ETag"), Some("\"1\""));
    assert!(made.header("Location").is_some_and(|l| l.ends_with(&id)), "{made:?}");
    mina.api.post(&path, &json!({"body": "Second"})).await.is(201);
    let one = format!("{path}/{id}");
    let edited = mina.api.patch(&one, &json!({"body": "Better"})).await.is(200);
    assert_eq!((&edited["body"], &edited["version"]), (&json!("Better"), &json!(2)));
    team.owner.api.patch(&one, &json!({"body": "Not mine"})).await.problem(403, "forbidden");
    let listed = team.owner.api.all(&path).await;
    let bodies: Vec<_> = listed.iter().map(|c| c["body"].as_str().unwrap()).collect();
    assert_eq!(bodies, ["Better", "Second"]);
    assert_eq!(
        team.owner.api.get(&team.at("/tasks/WEB-1")).await["version"],
        task["version"],
        "a comment is no edit"
    );
    mina.api.delete(&one).await.is(204);
    mina.api.delete(&one).await.problem(404, "not-found");
    mina.api.patch(&one, &json!({"body": "x"})).await.problem(404, "not-found");
    assert_eq!(team.owner.api.all(&path).await.len(), 1);
    for body in [json!({"body": ""}), json!({"body": " \n"}), json!({"body": "a\u{0}b"})] {
        mina.api.post(&path, &body).await.invalid("body");
    }
}

#[tokio::test]
async fn an_admin_takes_back_what_a_member_may_not() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let jae = team.member("Jae", "member").await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1/comments");
    let id = mina.api.post(&path, &json!({"body": "Mine"})).await.is(201).str("id");
    jae.api.delete(&format!("{path}/{id}")).await.problem(403, "forbidden");
    team.owner.api.delete(&format!("{path}/{id}")).await.is(204);
}

#[tokio::test]
async fn a_comment_belongs_to_its_task() {
    let team = Team::new().await;
    team.task("One").await;
    team.task("Two").await;
    let id =
        team.owner.api.post(&team.at("/tasks/WEB-1/comments"), &json!({"body": "x"})).await.is(201).str("id");
    let wrong = team.at(&format!("/tasks/WEB-2/comments/{id}"));
    team.owner.api.patch(&wrong, &json!({"body": "y"})).await.problem(404, "not-found");
    team.owner.api.delete(&wrong).await.problem(404, "not-found");
}
