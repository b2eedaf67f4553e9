//! Reading lists of tasks in a workspace that has many.

use std::time::Instant;

use serde_json::json;

use crate::{load::Team, report::Times, served::Served};

const QUERIES: [(&str, &str); 8] = [
    ("the list as it is", ""),
    ("one status, by creation", "?status=in_progress&sort=created_at"),
    ("mine", "?assignee=me"),
    ("one label", "?label=label-7"),
    ("soonest due", "?sort=due"),
    ("due before a date, most urgent first", "?due_before=2031-06-01&sort=-priority"),
    ("last changed, 200 a page", "?sort=-updated_at&limit=200"),
    ("text that few have", "?q=number+4711+"),
];

/// Fills a workspace and reads each list.
pub async fn measure(tasks: usize, samples: usize) -> Vec<(String, Times)> {
    let mut served = Served::start().await;
    let team = Team::make(&served, "Lists").await;
    let mut wire = team.wire().await;
    let me = wire.call("GET", "/v1/me", "", "").await.json(200)["user"]["id"].clone();
    let path = format!("/v1/workspaces/{}/tasks", team.workspaces[0]);
    let mut last = String::new();
    for first in (0..tasks).step_by(500) {
        let items: Vec<_> = (first..first + 500).map(|number| task(number, &me)).collect();
        let body = json!({ "items": items }).to_string();
        let mut answer = wire.call("POST", &format!("{path}/batch"), "", &body).await;
        while answer.status == 429 {
            wire.call("GET", &format!("/v1/operations/{last}"), "Prefer: wait=1\r\n", "").await;
            answer = wire.call("POST", &format!("{path}/batch"), "", &body).await;
        }
        last = answer.json(202)["operations"][499]["id"].as_str().expect("an id").to_owned();
    }
    while wire.call("GET", &format!("/v1/operations/{last}"), "Prefer: wait=60\r\n", "").await.json(200)["status"]
        == "accepted"
    {}
    let mut lists = Vec::new();
    for (name, query) in QUERIES {
        let mut times = Vec::new();
        for _ in 0..samples {
            let begun = Instant::now();
            wire.call("GET", &format!("{path}{query}"), "", "").await.json(200);
            times.push(begun.elapsed());
        }
        lists.push((format!("`GET` tasks, {name}"), Times::new(times)));
    }
    served.stop().await;
    lists
}

fn task(number: usize, me: &serde_json::Value) -> serde_json::Value {
    let status = ["waiting", "in_progress", "done"][number % 3];
    let priority = ["low", "normal", "high", "urgent"][number / 7 % 4];
    let mut task = json!({
        "project": "WEB",
        "title": format!("Task number {number} of many"),
        "body": "Some words about it, as people write them.",
        "status": status,
        "priority": priority,
        "labels": [format!("label-{}", number % 50)],
    });
    if number.is_multiple_of(4) {
        task["due"] = json!(format!("2031-{:02}-{:02}", number % 12 + 1, number % 28 + 1));
    }
    if number.is_multiple_of(10) {
        task["assignees"] = json!([me]);
    }
    task
}
