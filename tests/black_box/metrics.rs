//! Figures: what happens is counted in the process in which it happens, and all processes together tell all of it.

use serde_json::json;

use crate::{
    harness::{Server, wait_until},
    team::Team,
};

/// Waits until a figure of all processes together is so high; it never goes down.
async fn counted(server: &mut Server, series: &str, least: f64) -> f64 {
    let pages: Vec<String> = {
        let parts = server.launch().parts().len();
        (0..parts).map(|part| format!("{}/metrics", server.launch().url(2 * part + 1))).collect()
    };
    wait_until(&format!("{series} is {least}"), || async {
        let mut sum = 0.0;
        for page in &pages {
            let figures = reqwest::get(page).await.ok()?.text().await.ok()?;
            let value = |line: &str| line.strip_prefix(series)?.trim().parse::<f64>().ok();
            sum += figures.lines().filter_map(value).sum::<f64>();
        }
        (sum >= least).then_some(sum)
    })
    .await
}

#[tokio::test]
async fn what_becomes_of_an_operation_is_counted_wherever_it_is() {
    let mut team = Team::new().await;
    team.task("Count me").await;
    let missing = team.owner.api.patch(&team.at("/tasks/WEB-99"), &json!({"title": "Nobody"})).await;
    missing.problem(404, "not-found");
    for series in [
        "fairy_accepted_operations_total",
        "fairy_accept_seconds_count",
        "fairy_applied_operations_total",
        "fairy_apply_seconds_count",
        r#"fairy_lane_pushed_jobs_total{lane="operations"}"#,
        r#"fairy_lane_attempts_total{lane="operations"}"#,
        r#"fairy_lane_ends_total{end="done",lane="operations"}"#,
    ] {
        assert_eq!(counted(&mut team.server, series, 2.0).await, 2.0, "{series}");
    }
    for sink in ["activity_log", "mail"] {
        counted(&mut team.server, &format!("fairy_sink_seconds_count{{sink=\"{sink}\"}}"), 1.0).await;
    }
    assert_eq!(team.server.stop().await, Some(0));
}
