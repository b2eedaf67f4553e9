//! Tasks: status and progress, lists and filters, deletion and return.

use serde_json::{Value, json};

use crate::team::{Team, workspace};

#[tokio::test]
async fn done_is_progress_100_is_completed() {
    let team = Team::new().await;
    team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    let patch = |body: Value| team.owner.api.patch(&path, &body);
    for (body, status, progress) in [
        (json!({"progress": 30}), "waiting", 30),
        (json!({"status": "in_progress"}), "in_progress", 30),
        (json!({"progress": 100}), "done", 100),
        (json!({"status": "waiting"}), "waiting", 0),
        (json!({"status": "done"}), "done", 100),
        (json!({"progress": 80}), "in_progress", 80),
        (json!({"status": "done", "progress": 100}), "done", 100),
        (json!({"status": "in_progress", "progress": 10}), "in_progress", 10),
    ] {
        let task = patch(body.clone()).await.is(200);
        assert_eq!(
            (&task["status"], &task["progress"]),
            (&json!(status), &json!(progress)),
            "{body}: {task:?}"
        );
        assert_eq!(task["completed_at"].is_string(), status == "done", "{body}: {task:?}");
    }
    patch(json!({"status": "done", "progress": 50})).await.invalid("progress");
    patch(json!({"status": "waiting", "progress": 100})).await.invalid("progress");
    let done = team.task_with(json!({"title": "Born done", "progress": 100})).await;
    assert_eq!(done["status"], "done");
    assert!(done["completed_at"].is_string());
}

#[tokio::test]
async fn null_clears_and_absence_leaves() {
    let team = Team::new().await;
    let full = json!({"title": "T", "body": "B", "due": "2031-01-01T09:00:00+09:00", "priority": "urgent",
        "labels": ["x"], "assignees": [team.owner.id]});
    let made = team.task_with(full).await;
    assert_eq!(made["due"], "2031-01-01T09:00:00+09:00", "{made:?}");
    let path = team.at("/tasks/WEB-1");
    let left = team.owner.api.patch(&path, &json!({"title": "U"})).await.is(200);
    for name in ["body", "due", "priority", "labels", "assignees"] {
        assert_eq!(left[name], made[name], "{name}");
    }
    let clear = json!({"body": null, "due": null, "priority": null, "labels": null, "assignees": null});
    let cleared = team.owner.api.patch(&path, &clear).await.is(200);
    let shown = ["body", "due", "priority", "labels", "assignees"].map(|name| cleared[name].clone());
    assert_eq!(shown, [json!(""), Value::Null, json!("normal"), json!([]), json!([])]);
    let reply = team.owner.api.patch(&path, &json!({"title": null})).await.any_problem();
    assert!(matches!(reply.status, 400 | 422), "{reply:?}");
}

#[tokio::test]
async fn a_deleted_task_is_gone_until_it_is_restored() {
    let team = Team::new().await;
    let task = team.task("One").await;
    let path = team.at("/tasks/WEB-1");
    team.owner.api.delete(&path).await.is(204);
    team.owner.api.get(&path).await.problem(404, "not-found");
    team.owner.api.patch(&path, &json!({"title": "x"})).await.problem(404, "not-found");
    team.owner.api.delete(&path).await.problem(404, "not-found");
    assert!(team.owner.api.all(&team.at("/tasks")).await.is_empty());
    assert_eq!(team.task("Two").await["key"], "WEB-2", "a deleted task keeps its number");
    let back = team.owner.api.post(&format!("{path}/restore"), &json!({})).await.is(200);
    assert_eq!((&back["id"], &back["key"], &back["version"]), (&task["id"], &json!("WEB-1"), &json!(3)));
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 2);
}

async fn titles(team: &Team, query: &str) -> Vec<String> {
    let items = team.owner.api.all(&team.at(&format!("/tasks?{query}"))).await;
    items.iter().map(|t| t["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let team = Team::new().await;
    team.project("OPS").await;
    let mina = team.member("Mina", "member").await;
    for task in [
        json!({"title": "apple", "labels": ["fruit"], "due": "2031-03-01", "priority": "low"}),
        json!({"title": "beet", "assignees": [mina.id], "status": "in_progress", "priority": "urgent"}),
        json!({"title": "cherry", "project": "OPS", "labels": ["fruit", "red"], "due": "2031-01-01"}),
        json!({"title": "date", "assignees": [team.owner.id, mina.id], "due": "2031-02-01T00:00:00Z", "body": "Sweet APPLE-like"}),
    ] {
        team.task_with(task).await;
    }
    for (query, expected) in [
        ("sort=created_at", "apple beet cherry date"),
        ("", "date cherry beet apple"),
        ("sort=-created_at", "date cherry beet apple"),
        ("sort=due", "cherry date apple beet"),
        ("project=OPS", "cherry"),
        ("status=in_progress", "beet"),
        ("assignee=me", "date"),
        ("assignee=none&sort=created_at", "apple cherry"),
        ("label=fruit&sort=created_at", "apple cherry"),
        ("label=FRUIT&project=WEB", "apple"),
        ("due_before=2031-02-15&sort=due", "cherry date"),
        ("q=apple&sort=created_at", "apple date"),
        ("key=WEB-2", "beet"),
        ("key=ops-1", "cherry"),
        ("key=WEB-99", ""),
    ] {
        assert_eq!(titles(&team, query).await.join(" "), expected, "{query}");
    }
    assert_eq!(titles(&team, &format!("assignee={}&sort=created_at", mina.id)).await, ["beet", "date"]);
    assert_eq!(titles(&team, "sort=-priority").await.first().map(String::as_str), Some("beet"));
    team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "apricot"})).await.is(200);
    assert_eq!(titles(&team, "sort=-updated_at").await.first().map(String::as_str), Some("apricot"));
}

#[tokio::test]
async fn a_project_that_is_not_the_workspaces_is_refused_wherever_it_is() {
    let team = Team::new().await;
    let (elsewhere, _) = workspace(&team.owner, "Elsewhere").await;
    let body = json!({"key": "OPS", "name": "Operations"});
    let foreign =
        team.owner.api.post(&format!("/workspaces/{elsewhere}/projects"), &body).await.is(201).str("id");
    let mina = team.member("Mina", "member").await;
    let ask = |project: &str| mina.api.get(&team.at(&format!("/tasks?project={project}")));
    let mut said = Vec::new();
    let nowhere = "prj_00000000000000000000000001";
    for project in ["NOPE", "OPS", nowhere, &foreign] {
        let refused = ask(project).await.invalid("project");
        said.push(refused.body.to_string().replace(project, "it"));
    }
    said.dedup();
    assert_eq!(said.len(), 1, "what another workspace has is answered otherwise: {said:?}");
    assert!(ask("WEB").await.is(200)["items"].as_array().unwrap().is_empty());
    // What nothing has is no fault of the question.
    assert!(titles(&team, "label=nothing").await.is_empty());
    assert!(titles(&team, "assignee=usr_00000000000000000000000001").await.is_empty());
}

#[tokio::test]
async fn pages_give_each_task_once_while_tasks_are_made() {
    let team = Team::new().await;
    for number in 0..23 {
        team.task(&format!("t{number}")).await;
    }
    let mut seen = Vec::new();
    let mut path = team.at("/tasks?limit=5&sort=created_at");
    loop {
        let page = team.owner.api.get(&path).await.is(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 5);
        seen.extend(items.iter().map(|t| t["key"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = team.at(&format!("/tasks?limit=5&sort=created_at&cursor={next}"));
        if seen.len() < 20 {
            team.task("made meanwhile").await;
        }
    }
    let mut unique = seen.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), seen.len(), "{seen:?}");
    assert!((1..=23).all(|n| seen.contains(&format!("WEB-{n}"))), "{seen:?}");
}

#[tokio::test]
async fn a_date_is_read_in_the_zone_of_who_asks() {
    let team = Team::new().await;
    team.task_with(json!({"title": "instant", "due": "2031-01-01T20:00:00Z"})).await;
    // In Seoul it is the second of January already, so it is not due before that date begins there.
    team.owner.api.patch("/me", &json!({"time_zone": "Asia/Seoul"})).await.is(200);
    assert!(titles(&team, "due_before=2031-01-02").await.is_empty());
    team.owner.api.patch("/me", &json!({"time_zone": "UTC"})).await.is(200);
    assert_eq!(titles(&team, "due_before=2031-01-02").await, ["instant"]);
}
