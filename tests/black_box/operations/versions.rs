//! `ETag`, `If-Match`, `If-None-Match`, and patches that change nothing.

use serde_json::json;

use crate::team::Team;

#[tokio::test]
async fn an_edit_of_an_old_version_is_refused() {
    let team = Team::new().await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    let patch = |title: &str, etag: &str| {
        team.owner.api.patch(&path, &json!({"title": title})).header("If-Match", etag)
    };
    let second = patch("Two", "\"1\"").await.is(200);
    assert!(second.header("ETag").is_some_and(|tag| tag.starts_with("\"2-")), "{second:?}");
    assert_eq!(second["version"], 2);
    patch("Three", "\"1\"").await.problem(412, "precondition-failed");
    patch("Three", "W/\"2\"").await.problem(412, "precondition-failed");
    for never_given in ["\"elsewhere\"", "\"02\"", "\"+2\"", "\"a,b\""] {
        patch("Three", never_given).await.problem(412, "precondition-failed");
    }
    let tag = second.header("ETag").expect("a tag");
    patch("Three", &format!("\"7\", {tag},")).await.is(200);
    patch("Four", "*").await.is(200);
    patch("Five", "4").await.problem(400, "malformed-request");
    patch("Five", "W/W/\"4\"").await.problem(400, "malformed-request");
    let shown = team.owner.api.get(&path).await;
    let tag = shown.header("ETag").expect("a tag");
    let known = team.owner.api.get(&path).header("If-None-Match", "\"1\"").header("If-None-Match", tag);
    known.await.is(304);
    assert_eq!(team.owner.api.get(&path).await["title"], "Four");
    let comments = team.at("/tasks/WEB-1/comments");
    let comment = team.owner.api.post(&comments, &json!({"body": "a"})).await.is(201);
    let comment = format!("{comments}/{}", comment.str("id"));
    let delete = |etag: &str| team.owner.api.delete(&comment).header("If-Match", etag);
    delete("\"9\"").await.problem(412, "precondition-failed");
    delete("\"1\"").await.is(204);
    team.owner.api.delete(&path).header("If-Match", "\"1\"").await.problem(412, "precondition-failed");
    team.owner.api.delete(&path).header("If-Match", "\"4\"").await.is(204);
}

#[tokio::test]
async fn a_patch_without_difference_makes_no_change_and_no_version() {
    let team = Team::new().await;
    let task = team.task_with(json!({"title": "Same", "labels": ["a", "b"], "due": "2031-01-01"})).await;
    let before = team.seq().await;
    let path = team.at("/tasks/WEB-1");
    for body in [
        json!({}),
        json!({"title": "Same"}),
        json!({"labels": ["B", "a", "a"]}),
        json!({"due": "2031-01-01", "priority": null, "body": null, "status": "waiting"}),
        json!({"project": "WEB"}),
    ] {
        let reply = team.owner.api.patch(&path, &body).await.is(200);
        assert_eq!(reply["version"], 1, "{body}: {reply:?}");
        assert_eq!(reply["updated_at"], task["updated_at"]);
    }
    team.owner.api.delete(&format!("{path}/labels/nowhere")).await.is(204);
    assert_eq!(team.seq().await, before);
}

#[tokio::test]
async fn a_reader_who_has_it_is_spared_the_body() {
    let team = Team::new().await;
    let made = team.task("One").await;
    let tag = made.header("ETag").expect("a tag");
    let path = team.at("/tasks/WEB-1");
    let get = |tag: &str| team.owner.api.get(&path).header("If-None-Match", tag);
    let same = get(tag).await.is(304);
    assert_eq!((same.text.as_str(), same.header("ETag")), ("", Some(tag)));
    get(&format!("W/{tag}")).await.is(304);
    get(&format!("\"0\", {tag}")).await.is(304);
    get("*").await.is(304);
    get("\"2\"").await.is(200);
    team.owner.api.patch(&path, &json!({"title": "Two"})).await.is(200);
    assert_ne!(get(tag).await.is(200).header("ETag"), Some(tag));
}

#[tokio::test]
async fn a_reader_learns_that_an_assignee_has_left() {
    let team = Team::new().await;
    let joon = team.member("Joon", "member").await;
    let made = team.task_with(json!({"title": "One", "assignees": [joon.id]})).await;
    let tag = made.header("ETag").expect("a tag");
    let path = team.at("/tasks/WEB-1");
    let get = || team.owner.api.get(&path).header("If-None-Match", tag);
    get().await.is(304);
    team.owner.api.delete(&team.at(&format!("/members/{}", joon.id))).await.is(204);
    let shown = get().await.is(200);
    assert_eq!((&shown["assignees"][0]["active"], &shown["version"]), (&json!(false), &json!(1)));
    team.owner.api.patch(&path, &json!({"title": "Two"})).header("If-Match", tag).await.is(200);
}

#[tokio::test]
async fn one_operation_is_one_version_however_many_fields_it_changes() {
    let team = Team::new().await;
    team.task("One").await;
    let body = json!({"title": "Two", "status": "in_progress", "progress": 40, "assignees": [team.owner.id], "labels": ["x"]});
    let reply = team.owner.api.patch(&team.at("/tasks/WEB-1"), &body).await.is(200);
    assert_eq!(reply["version"], 2);
    let changes = team.changes_of(reply.header("Operation-Id").unwrap()).await;
    let kinds: Vec<_> = changes.iter().map(|c| c["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["task.updated", "task.status_changed", "task.assigned"], "{changes:#?}");
}
