//! The activity log against the feed that it tells of.

use fairy_jobs::{
    change::Change,
    command::{Assignment, Command, TaskName},
    page::{Limit, PageRequest},
    ports::{About, ActivityLog as _, ActivityQuery, Feed as _},
    problem::ProblemKind,
    team::Role,
};
use jiff::SignedDuration;

use super::stage::{Stage, refusal};

super::tests! {
    the_log_is_the_feed_however_often_it_is_given,
}

async fn walk(stage: &Stage, query: &ActivityQuery, limit: i64) -> Vec<Change> {
    let mut request = PageRequest { limit: Limit::new(limit).unwrap(), cursor: None };
    let mut seen = Vec::new();
    loop {
        let page = stage.store.entries(query, request.clone()).await.unwrap();
        assert!(page.items.len() <= request.limit.get());
        seen.extend(page.items);
        request.cursor = page.next;
        if request.cursor.is_none() {
            return seen;
        }
    }
}

async fn the_log_is_the_feed_however_often_it_is_given(stage: &Stage) {
    let (owner, mina) = (stage.person("Owner").await, stage.person("Mina").await);
    let team = stage.team(&owner).await;
    stage.join(&team, &mina, Role::Member).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    for n in 0..40 {
        let assignment = Assignment { task: TaskName::Id(task.id), user: mina.id };
        let command = if n % 2 == 0 { Command::Assign(assignment) } else { Command::Unassign(assignment) };
        let actor = if n % 13 == 0 { mina.id } else { owner.id };
        stage.apply(&team, actor, vec![command]).await;
        stage.task(&team, stage.new_task(&team, "Other")).await;
        stage.clock.advance(SignedDuration::from_secs(1));
    }
    let feed = stage.store.changes(team.workspace, 0, 500).await.unwrap().changes;
    stage.store.append(&feed[..50]).await.unwrap();
    stage.store.append(&feed[30..]).await.unwrap();
    stage.store.append(&feed).await.unwrap();
    stage.store.append(&[]).await.unwrap();
    let middle = feed[feed.len() / 2].at;
    for about in [About::Everything, About::Task(task.id), About::Person(mina.id)] {
        for since in [None, Some(middle)] {
            let query = ActivityQuery { workspace: team.workspace, about, since };
            let wanted = |c: &&Change| {
                since.is_none_or(|since| c.at >= since)
                    && match about {
                        About::Everything => true,
                        About::Task(id) => c.task.as_ref().is_some_and(|task| task.id == id),
                        About::Person(person) => c.actor == person,
                    }
            };
            let expected: Vec<Change> = feed.iter().rev().filter(wanted).cloned().collect();
            assert!(!expected.is_empty());
            for limit in [1, 6, 200] {
                assert_eq!(walk(stage, &query, limit).await, expected, "{query:?}, {limit} a page");
            }
        }
    }
    let query = |about| ActivityQuery { workspace: team.workspace, about, since: None };
    let first = PageRequest { limit: Limit::new(1).unwrap(), cursor: None };
    let cursor = stage.store.entries(&query(About::Everything), first.clone()).await.unwrap().next;
    let foreign = stage.store.entries(&query(About::Person(mina.id)), PageRequest { cursor, ..first }).await;
    assert_eq!(refusal(foreign), ProblemKind::Invalid);
}
