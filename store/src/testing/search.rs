//! Searching: what it costs at the most. What it finds is in `lists`.

use std::time::Duration;

use fairy_jobs::{
    account::TimeZone,
    command::{Command, CreateTask},
    page::{Page, PageRequest},
    ports::{PortResult, TaskFilter, TaskQuery, TaskSort, Tasks as _},
    task::Task,
    text::Body,
};

use super::stage::{Stage, Team};

super::tests! {
    a_page_looks_at_so_many_bytes,
    readers_are_left_for_others,
}

fn query(team: &Team, text: &str) -> TaskQuery {
    TaskQuery {
        workspace: team.workspace,
        filter: TaskFilter { text: Some(text.to_owned()), ..TaskFilter::default() },
        sort: TaskSort::Oldest,
        time_zone: TimeZone::utc(),
    }
}

async fn search(stage: &Stage, team: &Team, request: PageRequest) -> PortResult<Page<Task>> {
    stage.store.tasks(&query(team, "needle"), request).await
}

async fn a_page_looks_at_so_many_bytes(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let task = |body: &str| {
        let body = Body::parse(body).unwrap();
        Command::CreateTask(CreateTask { body, ..stage.new_task(&team, "Task") })
    };
    let hay = "hay ".repeat(40);
    let tasks = [hay.as_str(), hay.as_str(), "a NEEDLE", hay.as_str()].map(task);
    stage.apply(&team, owner.id, tasks.into()).await;
    // The suite's page looks at 200 bytes, and each heap has 164 of them.
    let mut request = PageRequest::default();
    let mut found = Vec::new();
    loop {
        let page = search(stage, &team, request.clone()).await.unwrap();
        found.push(page.items.len());
        request.cursor = page.next;
        if request.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [0, 1], "a page ends before it is full, and the next goes on");
}

async fn readers_are_left_for_others(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let turns = [stage.store.searches.turn().await.unwrap(), stage.store.searches.turn().await.unwrap()];
    let mut waits = std::pin::pin!(search(stage, &team, PageRequest::default()));
    // Reading takes a moment too, but not this long.
    let early = tokio::time::timeout(Duration::from_millis(200), waits.as_mut()).await;
    assert!(early.is_err(), "a third search waits");
    let all = TaskQuery { filter: TaskFilter::default(), ..query(&team, "") };
    assert!(stage.store.tasks(&all, PageRequest::default()).await.unwrap().items.is_empty());
    drop(turns);
    assert!(waits.await.unwrap().items.is_empty());
}
