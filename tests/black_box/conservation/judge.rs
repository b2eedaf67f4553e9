//! Judges a system from outside, against what its clients were told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    account::{Account, Intent, Known, Sent},
    replay::{Replay, texts},
    world::{Site, World},
};
use crate::{
    client::Api,
    harness::wait_until,
    team::{self, numbers},
};

/// How much of what the system holds the account explains.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// All of it.
    Everything,
    /// At least what is in the account; there may be more.
    AtLeast,
}

/// What one workspace was found to hold.
pub struct Report {
    /// Its feed.
    pub feed: Vec<Value>,
    /// Its tasks, told from the feed.
    pub replay: Replay,
}

/// Judges every workspace.
pub async fn judge(world: &World, sent: &mut Account, claim: Claim) -> Vec<Report> {
    ends(world, sent).await;
    for number in 0..world.sites.len() {
        revive(world, number, sent).await;
    }
    let ends = ends(world, sent).await;
    let mut reports = Vec::new();
    for (number, site) in world.sites.iter().enumerate() {
        let api = &site.people[0].api;
        let feed = team::changes(api, &site.id).await;
        gapless(&feed);
        let own = |(_, s): &(&String, &Sent)| s.site == number;
        let operations: BTreeMap<&String, &Sent> = sent.operations.iter().filter(own).collect();
        once(&feed, &operations, &ends, claim);
        let mut replay = Replay::default();
        feed.iter().for_each(|change| replay.apply(change));
        numbered(&replay);
        rows(api, site, &replay).await;
        log(api, site, &feed).await;
        reports.push(Report { feed, replay });
    }
    reports
}

/// The end of every operation, once each has one; operations whose client gave up may not exist.
async fn ends(world: &World, sent: &Account) -> BTreeMap<String, Option<Value>> {
    let mut ends = BTreeMap::new();
    for (id, operation) in &sent.operations {
        let api = &world.sites[operation.site].people[operation.actor].api;
        let end = wait_until("an accepted operation has ended", || async {
            let reply = api.get(&format!("/operations/{id}")).header("Prefer", "wait=30").await;
            match reply.status {
                404 => Some(None),
                429 => None,
                _ => {
                    let reply = reply.is(200);
                    (reply["status"] != "accepted").then_some(Some(reply.body))
                }
            }
        });
        ends.insert(id.clone(), end.await);
    }
    ends
}

/// Restores what is deleted in a workspace, so that it can be looked at, and puts that into the account.
async fn revive(world: &World, number: usize, sent: &mut Account) {
    let site = &world.sites[number];
    let api = &site.people[0].api;
    let mut replay = Replay::default();
    // All operations have ended, so one reading after that is whole.
    team::changes(api, &site.id).await.iter().for_each(|change| replay.apply(change));
    for id in replay.tasks.iter().filter(|(_, task)| task.deleted()).map(|(id, _)| id) {
        let reply = api.post(&site.at(&format!("/tasks/{id}/restore")), &json!({})).await.is(200);
        let operation = reply.header("Operation-Id").expect("an id").to_owned();
        let known = Known::Ended(reply.status, reply.body);
        sent.keep(operation, Sent { site: number, actor: 0, intent: Intent::Other, known });
    }
}

fn gapless(feed: &[Value]) {
    let seqs = numbers(&json!(feed.iter().map(|c| &c["seq"]).collect::<Vec<_>>()));
    assert_eq!(seqs, (1..=feed.len() as u64).collect::<Vec<_>>());
}

/// Each operation that was acknowledged is in the feed once, as it was answered; and each in the feed was sent.
fn once(
    feed: &[Value],
    operations: &BTreeMap<&String, &Sent>,
    ends: &BTreeMap<String, Option<Value>>,
    claim: Claim,
) {
    let mut made: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for change in feed {
        if let Some(id) = change["operation"].as_str() {
            made.entry(id).or_default().push(change);
        }
    }
    for (id, changes) in &made {
        assert!(
            claim == Claim::AtLeast || operations.contains_key(&(*id).to_owned()),
            "nobody sent {id}: {changes:#?}"
        );
        let seqs: Vec<u64> = changes.iter().filter_map(|c| c["seq"].as_u64()).collect();
        assert!(seqs.windows(2).all(|w| w[0] + 1 == w[1]), "{id} was applied in two pieces: {changes:#?}");
        let kinds: BTreeSet<_> = changes.iter().map(|c| c["kind"].as_str()).collect();
        assert_eq!(kinds.len(), changes.len(), "{id} did the same twice: {changes:#?}");
    }
    for (id, sent) in operations {
        let changes = made.get(id.as_str()).map(Vec::as_slice).unwrap_or_default();
        fate(id, sent, ends[*id].as_ref(), changes);
    }
}

/// One operation: what its client was told, what the system says of it, and what it did.
fn fate(id: &str, sent: &Sent, end: Option<&Value>, changes: &[&Value]) {
    let Some(end) = end else {
        assert_eq!(sent.known, Known::Nothing, "{id} was acknowledged and is not known: {sent:?}");
        assert!(changes.is_empty(), "{id} is not known and did something: {changes:#?}");
        return;
    };
    let status = end["status"].as_str().expect("a status");
    if let Known::Ended(answered, body) = &sent.known {
        let (expected, shown) =
            if *answered < 300 { ("applied", &end["result"]) } else { ("refused", &end["problem"]) };
        assert_eq!(status, expected, "{id} was answered {answered}: {end:#}");
        if *answered == 200 || *answered == 201 {
            assert_eq!(body, shown, "{id} was answered otherwise");
        } else if *answered >= 400 {
            assert_eq!(body["status"], shown["status"], "{id} was answered otherwise");
            assert_eq!(slug(body), slug(shown), "{id} was answered otherwise");
        }
    }
    match status {
        "applied" => {
            let marked = |field: &str, text: &str| {
                let sets = |c: &&&Value| {
                    let fields = c["fields"].as_array().expect("fields");
                    fields.iter().any(|f| f["name"] == field && f["to"] == text)
                };
                changes.iter().filter(sets).count()
            };
            match &sent.intent {
                Intent::Create(title) | Intent::Retitle(title) => {
                    assert_eq!(marked("title", title), 1, "{id}: {changes:#?}");
                }
                Intent::Comment(text) => assert_eq!(marked("comment", text), 1, "{id}: {changes:#?}"),
                Intent::Other => {}
            }
        }
        "refused" => assert!(changes.is_empty(), "{id} was refused and did something: {changes:#?}"),
        _ => panic!("{id} ended as nothing that a kill explains: {end:#}"),
    }
}

/// Which problem it is; its address begins with that of the server.
fn slug(problem: &Value) -> Option<&str> {
    problem["type"].as_str()?.rsplit('#').next()
}

/// Keys of each project are given without gaps, each to one task.
fn numbered(replay: &Replay) {
    let mut given: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for key in replay.tasks.values().flat_map(|task| &task.keys) {
        let (project, number) = key.split_once('-').expect("a key");
        given.entry(project).or_default().push(number.parse().expect("a number"));
    }
    for (project, mut numbers) in given {
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{project}");
    }
}

/// The lists show what the feed tells.
async fn rows(api: &Api, site: &Site, replay: &Replay) {
    let listed = api.all(&site.at("/tasks")).await;
    assert_eq!(listed.len(), replay.tasks.len());
    for row in listed {
        let id = row["id"].as_str().expect("an id");
        let task = &replay.tasks[id];
        for name in ["title", "body", "status", "progress", "priority", "due", "project"] {
            assert_eq!(row[name], task.fields[name], "{name} of {id}");
        }
        assert_eq!(row["key"].as_str(), task.keys.last().map(String::as_str), "{id}");
        assert_eq!(row["created_by"], task.created_by.as_str(), "{id}");
        assert_eq!(row["version"], task.operations.len(), "{id}: a version for each operation: {task:#?}");
        assert_eq!(texts(&row["watchers"]), task.people("watchers"), "{id}");
        assert_eq!(texts(&row["labels"]), task.people("labels"), "{id}");
        let assignees =
            row["assignees"].as_array().expect("a list").iter().map(|a| &a["id"]).collect::<Vec<_>>();
        assert_eq!(texts(&json!(assignees)), task.people("assignees"), "{id}");
        if !task.comments.is_empty() {
            let comments = api.all(&site.at(&format!("/tasks/{id}/comments"))).await;
            let bodies =
                |c: &Value| (c["id"].as_str().unwrap().to_owned(), c["body"].as_str().unwrap().to_owned());
            assert_eq!(comments.iter().map(bodies).collect::<BTreeMap<_, _>>(), task.comments, "{id}");
        }
    }
}

/// The activity log is the feed.
async fn log(api: &Api, site: &Site, feed: &[Value]) {
    let last = &feed.last().expect("a workspace has a first change")["seq"];
    wait_until("the activity log has caught up", || async {
        let newest = api.get(&site.at("/activity?limit=1")).await.is(200);
        (newest["items"][0]["seq"] == *last).then_some(())
    })
    .await;
    let mut log = api.all(&site.at("/activity")).await;
    log.reverse();
    assert!(log == feed, "the activity log ({} entries) is not the feed ({})", log.len(), feed.len());
}
