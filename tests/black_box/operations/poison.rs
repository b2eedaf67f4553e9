//! An operation that cannot be applied at all: it is given up alone, its outcome says so, and its neighbours go on; who
//! wants it all the same tries it again as another operation.

use serde_json::json;

use crate::{client::Reply, harness::wait_until, team::Team};

async fn ended(team: &Team, id: &str) -> Reply {
    team.owner.api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await.is(200)
}

/// Accepts operations that make tasks of these titles, kills the server before it applies any, and returns their ids.
async fn accepted(team: &mut Team, titles: &[&str]) -> Vec<String> {
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let mut ids = Vec::new();
    for title in titles {
        let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": title}));
        ids.push(create.key(title).respond_async().await.is(202).str("id"));
    }
    team.server.kill().await;
    ids
}

/// Starts the server, which then applies what was accepted.
async fn apply(team: &mut Team) {
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
}

/// Tries all failed operations again, which is one; its new id.
async fn retry(team: &Team, failed: &str) -> String {
    let said = team.server.beside(&["lanes", "retry", "operations", "--all"]).await.succeeded();
    let (new, rest) = said.split_once(' ').unwrap();
    assert!(rest.starts_with(&format!("tries {failed} again\n")), "{said}");
    new.to_owned()
}

#[tokio::test]
async fn what_cannot_be_read_is_buried_with_an_outcome_and_holds_nobody_up() {
    let mut team = Team::new().await;
    let ids = accepted(&mut team, &["before", "poison", "after"]).await;
    team.server.spoil_job(&ids[1]).await;
    apply(&mut team).await;
    for (id, status) in ids.iter().zip(["applied", "failed", "applied"]) {
        assert_eq!(ended(&team, id).await["status"], status);
    }
    let failed = ended(&team, &ids[1]).await;
    assert!(
        failed["problem"]["type"].as_str().is_some_and(|t| t.ends_with("#operation-failed")),
        "{failed:?}"
    );
    assert_eq!(ended(&team, &ids[2]).await["result"]["key"], "WEB-2", "what failed took no number");
    assert!(team.changes_of(&ids[1]).await.is_empty());
    let letters = team.server.beside(&["lanes", "dead", "operations"]).await.succeeded();
    assert!(letters.contains(&team.id) && letters.lines().count() == 2, "{letters}");
    // `failed` is final: a repeat is told so, and what cannot be read cannot be tried again.
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "poison"}));
    create.key("poison").await.problem(500, "operation-failed");
    let refused = team.server.beside(&["lanes", "retry", "operations", "--all"]).await.refused();
    assert!(refused.contains("its payload cannot be read as an operation"), "{refused}");
    assert_eq!(ended(&team, &ids[1]).await["status"], "failed");
    team.task("Goes on").await;
    team.server.beside(&["lanes", "discard", "operations", "--all"]).await.succeeded();
    team.server.accounted().await;
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 3);
}

#[tokio::test]
async fn a_failed_operation_is_tried_again_as_another_and_only_once() {
    let mut team = Team::new().await;
    let ids = accepted(&mut team, &["doomed", "after"]).await;
    team.server.doom_job(&ids[0]).await;
    apply(&mut team).await;
    assert_eq!(ended(&team, &ids[0]).await["status"], "failed");
    assert_eq!(ended(&team, &ids[1]).await["status"], "applied");
    team.server.keep_letter(&ids[0]).await;

    let new = retry(&team, &ids[0]).await;
    let applied = ended(&team, &new).await;
    assert_eq!(
        (&applied["status"], &applied["retry_of"]),
        (&json!("applied"), &json!(ids[0])),
        "{applied:?}"
    );
    assert_eq!(applied["result"]["title"], "doomed");
    assert_eq!(ended(&team, &ids[0]).await["status"], "failed", "which is final");
    let nothing = team.server.beside(&["lanes", "retry", "operations", "--all"]).await.succeeded();
    assert_eq!(nothing, "0 put into operations\n");

    // Whoever was interrupted before the letter was gone does it once more.
    team.server.put_letter_back(&ids[0]).await;
    assert_eq!(retry(&team, &ids[0]).await, new);
    assert_eq!(ended(&team, &new).await["result"], applied["result"]);
    assert_eq!(team.owner.api.all(&team.at("/tasks")).await.len(), 2, "it is applied once");
}

#[tokio::test]
async fn an_operation_whose_end_cannot_be_written_down_answers_all_the_same() {
    let mut team = Team::new().await;
    let ids = accepted(&mut team, &["deadly", "after"]).await;
    // Its burial has killed the worker three times.
    team.server.doom_deadly_job(&ids[0]).await;
    apply(&mut team).await;
    assert_eq!(ended(&team, &ids[1]).await["status"], "applied", "followers go on");
    wait_until("the log says that nobody was told", || async {
        team.server.log().contains("nobody was told").then_some(())
    })
    .await;
    let failed = ended(&team, &ids[0]).await;
    assert_eq!((&failed["status"], &failed["finished_at"]), (&json!("failed"), &json!(null)), "{failed:?}");
    assert!(
        failed["problem"]["type"].as_str().is_some_and(|t| t.ends_with("#operation-failed")),
        "{failed:?}"
    );

    let new = retry(&team, &ids[0]).await;
    assert_eq!(ended(&team, &new).await["status"], "applied");
    let failed = ended(&team, &ids[0]).await;
    assert_eq!(failed["status"], "failed", "though its letter is gone");
    assert_ne!(failed["finished_at"], json!(null));
}

/// Not the job is unreadable here but the row that it names, so it is the database that finds it, among others in a batch.
#[tokio::test]
async fn a_row_that_is_broken_stops_only_who_names_it() {
    let mut team = Team::new().await;
    for title in ["One", "Two"] {
        team.task(title).await;
    }
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let mut ids = Vec::new();
    for n in 0..40 {
        let task = if n == 23 { "WEB-2" } else { "WEB-1" };
        let patch =
            team.owner.api.patch(&team.at(&format!("/tasks/{task}")), &json!({"title": n.to_string()}));
        ids.push(patch.respond_async().await.is(202).str("id"));
    }
    team.server.kill().await;
    assert_eq!(team.server.change_rows("UPDATE tasks SET status = 'odd' WHERE number = 2").await, 1);
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    for (n, id) in ids.iter().enumerate() {
        let status = if n == 23 { "failed" } else { "applied" };
        assert_eq!(ended(&team, id).await["status"], status, "{n}");
    }
    let task = team.owner.api.get(&team.at("/tasks/WEB-1")).await.is(200);
    assert_eq!((&task["title"], &task["version"]), (&json!("39"), &json!(40)), "in order, each once");
    let mine = team.changes().await;
    let order: Vec<_> =
        mine.iter().filter(|c| c["kind"] == "task.updated").map(|c| &c["operation"]).collect();
    let expected: Vec<_> =
        ids.iter().enumerate().filter(|(n, _)| *n != 23).map(|(_, id)| json!(id)).collect();
    assert_eq!(order, expected.iter().collect::<Vec<_>>());
}
