//! What is left in the lanes when all is done.

use std::time::Duration;

use crate::harness::{Server, eventually};

/// How long the sinks may take with what a large import left them.
const PATIENCE: Duration = Duration::from_secs(600);

/// Waits until no lane holds anything, looks that nothing died, and that the system itself misses nothing.
pub async fn are_empty(server: &mut Server) {
    let last = server.launch().parts().len() - 1;
    let worker = &*server.process(last);
    let figures = eventually(PATIENCE, || async {
        let figures = worker.metrics().await?;
        let held = figures.lines().filter(|line| {
            let states = ["waiting", "later", "in_flight"];
            line.starts_with("fairy_lane_jobs{") && states.iter().any(|state| line.contains(state))
        });
        held.clone().all(|line| line.ends_with(" 0")).then_some(()).filter(|()| held.count() > 0)?;
        Some(figures)
    })
    .await
    .expect("the lanes become empty");
    for line in figures.lines().filter(|line| line.contains("state=\"dead\"")) {
        assert!(line.ends_with(" 0"), "dead letters: {line}\n{}", server.log());
    }
    server.accounted().await;
}
