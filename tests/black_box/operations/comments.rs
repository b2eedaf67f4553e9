//! Comments: written, rewritten by their author, taken back.

use serde_json::{Value, json};

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
    assert!(made.header("ETag").is_some_and(|tag| tag.starts_with("\"1-")), "{made:?}");
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

#[tokio::test]
async fn comments_accepted_one_after_another_are_listed_so() {
    let team = Team::new().await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1/comments");
    // While the lane is paused they gather, so that one batch applies them, at one instant.
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let post = |n: u32| {
        let call = team.owner.api.post(&path, &json!({"body": n.to_string()}));
        call.key(&format!("comment-{n}")).respond_async()
    };
    let mut accepted = Vec::new();
    for n in 0..20 {
        accepted.push(post(n).await.is(202));
    }
    assert_eq!(post(7).await.is(202)["resource"], accepted[7]["resource"], "a repeat names the first");
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    for reply in &accepted {
        let path = format!("/operations/{}", reply.str("id"));
        let end = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
        assert_eq!((&end["status"], &end["resource"]), (&json!("applied"), &reply["resource"]));
    }
    let listed = team.owner.api.all(&path).await;
    let bodies: Vec<Value> = listed.iter().map(|comment| comment["body"].clone()).collect();
    assert_eq!(bodies, (0..20).map(|n| json!(n.to_string())).collect::<Vec<_>>());
    let ids: Vec<&Value> = listed.iter().map(|comment| &comment["id"]).collect();
    assert_eq!(ids, accepted.iter().map(|reply| &reply["resource"]["id"]).collect::<Vec<_>>());
    assert_eq!(post(7).await["id"], listed[7]["id"], "a repeat of what is applied gets its outcome");
}

#[tokio::test]
async fn what_a_batch_names_is_what_it_makes_in_its_order() {
    let team = Team::new().await;
    let items: Vec<_> = (0..20).map(|n| json!({"project": "WEB", "title": n.to_string()})).collect();
    let post = || team.owner.api.post(&team.at("/tasks/batch"), &json!({ "items": items })).key("batch");
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let first = post().await.is(202);
    assert_eq!(post().await.is(202).body, first.body, "in the lane");
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let last = format!("/operations/{}", first["operations"][19]["id"].as_str().unwrap());
    team.owner.api.get(&last).header("Prefer", "wait=30").await.is(200);
    assert_eq!(post().await.is(202).body, first.body, "in the rows");
    let listed = team.owner.api.all(&team.at("/tasks?sort=created_at")).await;
    for (n, task) in listed.iter().enumerate() {
        assert_eq!((&task["title"], &task["key"]), (&json!(n.to_string()), &json!(format!("WEB-{}", n + 1))));
        assert_eq!(task["id"], first["operations"][n]["resource"]["id"]);
    }
    assert_eq!(listed.len(), 20);
}

#[tokio::test]
async fn comments_go_and_come_with_their_task() {
    let team = Team::new().await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1/comments");
    let api = &team.owner.api;
    let id = api.post(&path, &json!({"body": "x"})).await.is(201).str("id");
    let one = format!("{path}/{id}");
    api.delete(&team.at("/tasks/WEB-1")).await.is(204);
    api.get(&path).await.problem(404, "not-found");
    api.post(&path, &json!({"body": "y"})).await.problem(404, "not-found");
    api.patch(&one, &json!({"body": "y"})).await.problem(404, "not-found");
    api.delete(&one).await.problem(404, "not-found");
    api.call(&reqwest::Method::POST, &team.at("/tasks/WEB-1/restore")).await.is(200);
    let listed = api.all(&path).await;
    assert_eq!(
        listed.iter().map(|c| (&c["id"], &c["body"])).collect::<Vec<_>>(),
        [(&json!(id), &json!("x"))]
    );
    api.patch(&one, &json!({"body": "y"})).await.is(200);
}
