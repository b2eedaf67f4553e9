//! How far sinks have followed, and what one that begins later gets.

use fairy_jobs::{
    command::{Command, Patch, PatchTask, TaskName},
    lane::Sink,
    page::{Limit, PageRequest},
    ports::{About, ActivityLog as _, ActivityQuery, Feed as _, Sinks as _},
    text::Body,
};
use jiff::SignedDuration;

use super::stage::{Stage, Team};

super::tests! {
    a_mark_moves_only_forward,
    what_waits_longest_comes_first,
    all_workspaces_are_found_in_pages,
    a_sink_that_begins_later_begins_with_what_comes,
    a_page_of_changes_is_bounded,
    a_page_of_large_changes_is_bounded,
}

async fn grow(stage: &Stage, team: &Team) -> u64 {
    let create = Command::CreateTask(stage.new_task(team, "Task"));
    stage.apply(team, team.owner, vec![create]).await;
    stage.store.seq(team.workspace).await.unwrap().unwrap()
}

async fn a_mark_moves_only_forward(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let pending = async |sink| {
        let changes = stage.store.pending(sink, team.workspace, 10).await.unwrap().changes;
        changes.into_iter().map(|change| change.seq).collect::<Vec<_>>()
    };
    assert_eq!(pending(Sink::Notify).await, [1, 2]);
    stage.store.mark(Sink::Notify, team.workspace, 2).await.unwrap();
    assert!(pending(Sink::Notify).await.is_empty());
    assert_eq!(pending(Sink::Record).await, [1, 2]);
    assert_eq!(grow(stage, &team).await, 3);
    stage.store.mark(Sink::Notify, team.workspace, 1).await.unwrap();
    assert_eq!(pending(Sink::Notify).await, [3]);
    let nowhere = fairy_jobs::id::WorkspaceId::from_bytes([9; 16]);
    assert_eq!(stage.store.pending(Sink::Notify, nowhere, 10).await.unwrap().changes, []);
    stage.store.mark(Sink::Notify, nowhere, 10).await.unwrap();
}

async fn all_workspaces_are_found_in_pages(stage: &Stage) {
    let owner = stage.person("Mina").await;
    assert_eq!(stage.store.workspaces(None, 10).await.unwrap(), []);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(stage.team(&owner).await.workspace);
    }
    made.sort();
    assert_eq!(stage.store.workspaces(None, 2).await.unwrap(), made[..2]);
    assert_eq!(stage.store.workspaces(Some(made[1]), 2).await.unwrap(), made[2..4]);
    assert_eq!(stage.store.workspaces(Some(made[3]), 2).await.unwrap(), made[4..]);
    assert_eq!(stage.store.workspaces(Some(made[4]), 2).await.unwrap(), []);
}

async fn what_waits_longest_comes_first(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let mut teams = Vec::new();
    for _ in 0..3 {
        teams.push(stage.team(&owner).await);
        stage.clock.advance(SignedDuration::from_secs(1));
    }
    let behind = async |sink| {
        let behind = stage.store.behind(sink, stage.now(), 10).await.unwrap();
        let place = |id| teams.iter().position(|team| team.workspace == id).unwrap();
        behind.into_iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(behind(Sink::Record).await, [0, 1, 2]);
    // Half done, it waits as long as it did; all done, not at all, until there is more.
    stage.store.mark(Sink::Record, teams[0].workspace, 1).await.unwrap();
    stage.store.mark(Sink::Record, teams[1].workspace, 2).await.unwrap();
    assert_eq!(behind(Sink::Record).await, [0, 2]);
    assert_eq!(stage.store.behind(Sink::Record, stage.now(), 1).await.unwrap(), [teams[0].workspace]);
    stage.store.mark(Sink::Record, teams[0].workspace, 2).await.unwrap();
    assert_eq!(behind(Sink::Record).await, [2]);
    grow(stage, &teams[0]).await;
    assert_eq!(behind(Sink::Record).await, [2]);
    stage.clock.advance(SignedDuration::from_millis(1));
    assert_eq!(behind(Sink::Record).await, [2, 0]);
    assert_eq!(behind(Sink::Notify).await, [0, 1, 2]);
}

async fn a_sink_that_begins_later_begins_with_what_comes(stage: &Stage) {
    let stage = stage.beside(&[Sink::Record]).await;
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let in_use = async |sinks: &[Sink]| {
        let store = stage.again(sinks).await;
        store.migrate().await.unwrap();
        store
    };
    let seqs = |changes: Vec<fairy_jobs::change::Change>| changes.iter().map(|c| c.seq).collect::<Vec<_>>();
    let both = in_use(&[Sink::Record, Sink::Notify]).await;
    assert_eq!(both.pending(Sink::Notify, team.workspace, 10).await.unwrap().changes, []);
    assert_eq!(seqs(both.pending(Sink::Record, team.workspace, 10).await.unwrap().changes), [1, 2]);
    both.close().await;
    // What happens while it is out of use is there when it is in use again.
    assert_eq!(grow(&stage, &team).await, 3);
    stage.clock.advance(SignedDuration::from_secs(1));
    let later = stage.now() + SignedDuration::from_secs(1);
    assert_eq!(stage.store.behind(Sink::Notify, later, 10).await.unwrap(), []);
    let again = in_use(&[Sink::Record, Sink::Notify]).await;
    assert_eq!(seqs(again.pending(Sink::Notify, team.workspace, 10).await.unwrap().changes), [3]);
    assert_eq!(again.behind(Sink::Notify, later, 10).await.unwrap(), [team.workspace]);
    again.close().await;
}

async fn a_page_of_changes_is_bounded(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    for _ in 0..3 {
        let create = |_| Command::CreateTask(stage.new_task(&team, "Task"));
        stage.apply(&team, owner.id, (0..200).map(create).collect()).await;
    }
    let changes = stage.store.changes(team.workspace, 5, usize::MAX).await.unwrap().changes;
    assert_eq!((changes.len(), changes[0].seq), (500, 6));
    assert_eq!(
        stage.store.pending(Sink::Notify, team.workspace, usize::MAX).await.unwrap().changes.len(),
        500
    );
    assert_eq!(stage.store.changes(team.workspace, 602, 10).await.unwrap().changes, []);
}

async fn a_page_of_large_changes_is_bounded(stage: &Stage) {
    let owner = stage.person("Mina").await;
    let team = stage.team(&owner).await;
    let task = stage.task(&team, stage.new_task(&team, "Task")).await;
    for n in 0..60 {
        let mut patch = PatchTask::of(TaskName::Id(task.id));
        let text = char::from_u32(0x1F600 + n).unwrap().to_string();
        patch.body = Patch::Set(Body::parse(&text.repeat(Body::LIMIT)).unwrap());
        stage.apply(&team, owner.id, vec![Command::PatchTask(patch)]).await;
    }
    // Each of these changes has 160 KB, the text before and after.
    let first = stage.store.changes(team.workspace, 0, 500).await.unwrap();
    assert!(first.more && (25..35).contains(&first.changes.len()), "{}", first.changes.len());
    let seen = first.changes.len() as u64;
    stage.store.mark(Sink::Record, team.workspace, seen).await.unwrap();
    let next = stage.store.pending(Sink::Record, team.workspace, 500).await.unwrap();
    assert_eq!(next.changes.first().map(|change| change.seq), Some(seen + 1));
    assert!(next.more && next.changes.len() < 35, "{}", next.changes.len());
    stage.store.append(&[first.changes, next.changes].concat()).await.unwrap();
    let query = ActivityQuery { workspace: team.workspace, about: About::Everything, since: None };
    let request = PageRequest { limit: Limit::new(200).unwrap(), cursor: None };
    let entries = stage.store.entries(&query, request).await.unwrap();
    assert!(entries.next.is_some() && entries.items.len() < 35, "{}", entries.items.len());
}
