//! Commits on a server that are done, or not, while the worker does not learn which.

use serde_json::json;

use crate::{
    harness::{Launch, Line, Way, cluster_only},
    team::Team,
};

#[tokio::test]
async fn a_commit_of_which_nothing_is_known_is_looked_up_at_once() {
    if cluster_only() {
        return;
    }
    let launch = Launch::new().made_of(&["api", "worker"]);
    let (mut line, over_the_line) = Line::before(&launch.backing().database).await;
    let mut team = Team::launch(launch.for_one(1, "FAIRY__DATABASE__URL", over_the_line)).await;
    line.set(Way::LosesCommits).await;
    // The commit of the first is done, and that of the second is not.
    for key in ["WEB-1", "WEB-2"] {
        assert_eq!(team.task("Whatever became of it").await["key"], key);
    }
    assert_eq!(line.lost_commits(), (1, 1));
    let figures = team.server.process(1).metrics().await.expect("the worker lives");
    for figure in [
        "fairy_apply_errors_total{kind=\"unknown\"} 2",
        "fairy_lane_ends_total{end=\"snoozed\",lane=\"operations\"} 0",
    ] {
        assert!(figures.lines().any(|line| line == figure), "{figure} is not in {figures}");
    }
    line.set(Way::Open).await;
    let created = team.changes().await.iter().filter(|change| change["kind"] == "task.created").count();
    assert_eq!(created, 2);
    let rename = team.owner.api.patch(&team.at("/tasks/WEB-1"), &json!({"title": "It was there"}));
    assert_eq!(rename.await.is(200)["version"], 2);
    team.server.accounted().await;
    assert_eq!(team.server.stop().await, Some(0));
}
