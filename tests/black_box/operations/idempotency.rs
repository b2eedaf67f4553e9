//! A repeat with the same key gets the first outcome; nothing happens twice.

use std::{collections::BTreeSet, future::IntoFuture};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{harness::wait_until, team::Team};

#[tokio::test]
async fn a_repeat_gets_the_first_outcome() {
    let team = Team::new().await;
    let create =
        || team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Once"})).key("k-1");
    let first = create().await.is(201);
    assert!(first.header("Idempotency-Replayed").is_none());
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "Changed since"})).await.is(200);
    let second = create().await.is(201);
    assert_eq!(second.header("Idempotency-Replayed"), Some("true"));
    assert_eq!(second.body, first.body, "a replay is the first outcome, not the present state");
    for name in ["Operation-Id", "ETag", "Location"] {
        assert_eq!(second.header(name), first.header(name), "{name}");
    }
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 1);
}

#[tokio::test]
async fn a_refusal_is_replayed_too() {
    let team = Team::new().await;
    let patch = || team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "x"})).key("early");
    let first = patch().await.problem(404, "not-found");
    team.task("Now it is there").await;
    let second = patch().await.problem(404, "not-found");
    assert_eq!(second.header("Idempotency-Replayed"), Some("true"));
    assert_eq!(second.header("Operation-Id"), first.header("Operation-Id"));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let team = Team::new().await;
    let path = team.at("/tasks");
    let body = json!({"project": "WEB", "title": "One"});
    team.owner.api.post(&path, &body).key("k").await.is(201);
    let other = json!({"project": "WEB", "title": "Two"});
    team.owner.api.post(&path, &other).key("k").await.problem(422, "idempotency-key-reused");
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &body).key("k").await.any_problem();
    let patch = json!({"title": "Three"});
    let patch_with =
        |etag: &str| team.owner.api.patch(&team.at("/tasks/WEB-1"), &patch).key("p").header("If-Match", etag);
    patch_with("\"1\"").await.is(200);
    patch_with("\"2\"").await.problem(422, "idempotency-key-reused");
    assert_eq!(patch_with("\"1\"").await.is(200).header("Idempotency-Replayed"), Some("true"));
    assert_eq!(team.owner.api.all(&path).await.len(), 1);
}

fn batch(titles: &[&str]) -> Value {
    let item = |title: &&str| json!({"project": "WEB", "title": title});
    json!({"items": titles.iter().map(item).collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_key_is_of_one_request_single_or_batch() {
    let team = Team::new().await;
    let (one, many) = (team.at("/tasks"), team.at("/tasks/batch"));
    let single =
        |key: &str| team.owner.api.post(&one, &json!({"project": "WEB", "title": "Single"})).key(key);
    let several = |key: &str, titles: &[&str]| team.owner.api.post(&many, &batch(titles)).key(key);
    for waits in [false, true] {
        let (a, b) = if waits { ("a-waits", "b-waits") } else { ("a", "b") };
        if waits {
            team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
        }
        let before = if waits { 4 } else { 0 };
        single(a).respond_async().await.is(202);
        let first = several(b, &["One", "Two"]).await.is(202);
        if !waits {
            wait_until("all are applied", || async {
                (team.owner.api.all(&one).await.len() == 3).then_some(())
            })
            .await;
        }
        several(a, &["One", "Two"]).await.problem(422, "idempotency-key-reused");
        several(a, &["Single"]).await.problem(422, "idempotency-key-reused");
        single(b).await.problem(422, "idempotency-key-reused");
        for other in [&["One"][..], &["One", "Other"], &["One", "Two", "Three"], &["Two", "One"]] {
            several(b, other).await.problem(422, "idempotency-key-reused");
        }
        let again = several(b, &["One", "Two"]).await.is(202);
        assert_eq!(again["operations"], first["operations"]);
        assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
        assert_eq!(single(a).respond_async().await.header("Idempotency-Replayed"), Some("true"));
        if waits {
            team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
        }
        // One more that comes after them all shows that nothing else was accepted.
        team.task("Last").await;
        assert_eq!(team.owner.api.all(&one).await.len(), before + 4);
    }
}

#[tokio::test]
async fn different_requests_under_one_key_at_the_same_time_are_one() {
    let team = Team::new().await;
    let (one, many) = (team.at("/tasks"), team.at("/tasks/batch"));
    let titles = ["One", "Two", "Three", "Four", "Five"];
    for round in 0..10 {
        let key = format!("race-{round}");
        let single = team.owner.api.post(&one, &json!({"project": "WEB", "title": "Single"})).key(&key);
        let batches = (1..=5).map(|n| team.owner.api.post(&many, &batch(&titles[..n])).key(&key));
        let before = team.owner.api.all(&one).await.len();
        let calls: Vec<_> = batches.chain([single]).map(IntoFuture::into_future).collect();
        let replies = join_all(calls).await;
        let accepted: Vec<usize> = (0..6).filter(|at| replies[*at].status < 300).collect();
        assert!(replies.iter().all(|reply| matches!(reply.status, 201 | 202 | 422)), "{replies:?}");
        assert_eq!(accepted.len(), 1, "{replies:?}");
        team.task("Last").await;
        let made = if accepted[0] == 5 { 1 } else { accepted[0] + 1 };
        assert_eq!(team.owner.api.all(&one).await.len(), before + made + 1, "{replies:?}");
    }
}

#[tokio::test]
async fn a_key_belongs_to_its_actor_and_workspace() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let (second, _) = crate::team::workspace(&team.owner, "Second").await;
    let project = json!({"key": "WEB", "name": "Web"});
    team.owner.api.post(&format!("/workspaces/{second}/projects"), &project).await.is(201);
    let body = json!({"project": "WEB", "title": "Same"});
    let mut ids = Vec::new();
    for (api, path) in [
        (&team.owner.api, team.at("/tasks")),
        (&mina.api, team.at("/tasks")),
        (&team.owner.api, format!("/workspaces/{second}/tasks")),
    ] {
        let reply = api.post(&path, &body).key("shared").await.is(201);
        assert!(reply.header("Idempotency-Replayed").is_none());
        ids.push(reply.str("id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
    // By its slug it is the same workspace and so the same key, but another path: not the same request.
    let by_slug = format!("/workspaces/{}/tasks", team.slug);
    team.owner.api.post(&by_slug, &body).key("shared").await.problem(422, "idempotency-key-reused");
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 2);
}

#[tokio::test]
async fn repeats_at_the_same_time_make_one_task() {
    let team = Team::new().await;
    let create =
        || team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Once"})).key("race");
    let replies = join_all((0..20).map(|_| create().into_future())).await;
    let mut ids: Vec<_> = replies.into_iter().map(|r| r.is(201).str("id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 1);
    let made = team.changes().await.into_iter().filter(|c| c["kind"] == "task.created").count();
    assert_eq!(made, 1);
}

#[tokio::test]
async fn repeats_that_do_not_wait_name_one_task() {
    let team = Team::new().await;
    let path = team.at("/tasks");
    for round in 0..10 {
        let create = || {
            let call = team.owner.api.post(&path, &json!({"project": "WEB", "title": "Once"}));
            call.key(&format!("race-{round}")).respond_async()
        };
        let mut named = BTreeSet::new();
        // Whatever each meets: no operation, one in the lane, one in hand, or its outcome.
        for reply in join_all((0..20).map(|_| create().into_future())).await {
            let id = if reply.status == 202 { &reply["resource"]["id"] } else { &reply["id"] };
            named.insert(id.as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned());
        }
        let listed = wait_until("the task is there", || async {
            let listed = team.owner.api.all(&path).await;
            (listed.len() > round).then_some(listed)
        });
        assert_eq!(named, BTreeSet::from([listed.await[0]["id"].as_str().unwrap().to_owned()]));
    }
}

#[tokio::test]
async fn a_key_is_remembered_over_a_restart_in_the_lane_and_in_the_rows() {
    let mut team = Team::new().await;
    let api = team.owner.api.clone();
    let path = team.at("/tasks");
    let create =
        |title: &str, key: &str| api.post(&path, &json!({"project": "WEB", "title": title})).key(key);
    let applied = create("Applied", "a").await.is(201);
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let waiting = create("Waiting", "w").respond_async().await.is(202);
    team.server.kill().await;
    team.server.start().await;
    assert_eq!(create("Applied", "a").await.is(201).body, applied.body);
    let again = create("Waiting", "w").respond_async().await.is(202);
    assert_eq!(again.header("Operation-Id"), waiting.header("Operation-Id"));
    create("Different", "w").await.problem(422, "idempotency-key-reused");
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let done = create("Waiting", "w").await.is(201);
    assert_eq!(done.header("Operation-Id"), waiting.header("Operation-Id"));
    assert_eq!(api.all(&path).await.len(), 2);
}

#[tokio::test]
async fn what_was_not_accepted_is_not_remembered() {
    let team = Team::new().await;
    let create = |title: &str| {
        team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": title})).key("k")
    };
    create("").await.invalid("title");
    create("A title").await.is(201);
}

#[tokio::test]
async fn keys_out_of_bounds_are_refused() {
    let team = Team::new().await;
    let body = json!({"project": "WEB", "title": "x"});
    for key in ["", &"k".repeat(256), "has space", "tab\there", "é"] {
        let reply = team.owner.api.post(&team.at("/tasks"), &body).key(key).await.any_problem();
        assert!(matches!(reply.status, 400 | 422), "{key:?}: {reply:?}");
    }
    team.owner.api.post(&team.at("/tasks"), &body).key(&"~".repeat(255)).await.is(201);
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 1);
}

#[tokio::test]
async fn a_replay_checks_rights_again() {
    let team = Team::new().await;
    let mina = team.member("Mina", "member").await;
    let create = || mina.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "x"})).key("k");
    create().await.is(201);
    team.owner.api.delete(&team.at(&format!("/members/{}", mina.id))).await.is(204);
    create().await.problem(404, "not-found");
}

#[tokio::test]
async fn what_names_a_task_by_its_key_is_no_repeat() {
    let team = Team::new().await;
    let task = team.task("Fix login").await.str("id");
    for name in ["WEB-1", &task] {
        let path = team.at(&format!("/tasks/{name}"));
        let patch = json!({"title": format!("Fix it as {name}")});
        let label = format!("{path}/labels/{}", name.to_lowercase());
        for reply in [
            team.owner.api.patch(&path, &patch).await.is(200),
            team.owner.api.patch(&path, &json!({"progress": 7})).key(name).await.is(200),
            team.owner.api.put(&label).await.is(204),
            team.owner.api.delete(&path).await.is(204),
            team.owner.api.post(&format!("{path}/restore"), &json!({})).await.is(200),
        ] {
            assert_eq!(reply.header("Idempotency-Replayed"), None, "{reply:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_operation_is_guarded_by_its_name() {
    let team = Team::new().await;
    let post = |path: &str, body: &Value| team.owner.api.post(path, body).key("again");
    let (projects, invitations) = (team.at("/projects"), team.at("/invitations"));
    let project = json!({"key": "OPS", "name": "Operations"});
    let workspace = json!({"name": "Second", "slug": "second"});
    for (path, body) in [(projects.as_str(), &project), ("/workspaces", &workspace)] {
        post(path, body).await.is(201);
        let refused = post(path, body).await.problem(409, "conflict");
        assert_eq!(refused.header("Idempotency-Replayed"), None);
    }
    let invitation = json!({"email": "jae@example.com", "role": "member"});
    let first = post(&invitations, &invitation).await.is(201);
    let second = post(&invitations, &invitation).await.is(201);
    assert_ne!(first["id"], second["id"]);
    let waiting = team.owner.api.all(&invitations).await;
    assert_eq!(waiting, [second.body], "the second replaces the first");
}
