//! A part of the data that is gone: nothing begins anew in silence, and what is put back is used.

use crate::{
    harness::{About, Home, Launch, embedded_only, fairy},
    team::Team,
};

/// Moves a file of the data directory, with what SQLite has beside it.
fn away(from: &std::path::Path, to: &std::path::Path, name: &str) {
    for end in ["", "-wal", "-shm"] {
        let name = format!("{name}{end}");
        if from.join(&name).exists() {
            std::fs::rename(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

fn found<'a>(told: &'a str, begin: &str) -> &'a str {
    told.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("no {begin}: {told}"))
}

#[tokio::test]
async fn lanes_and_secret_that_are_gone_are_missed_by_doctor_and_at_the_start() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    let mut team = Team::new().await;
    assert!(!team.server.log().contains("put the old one back"), "at the first start");
    team.server.stop().await;
    team.server.start().await;
    assert!(!team.server.log().contains("put the old one back"), "where all are there");
    let elsewhere = Home::new();
    for (file, what) in [("queue.db", "queue"), ("secret.key", "secret")] {
        team.server.stop().await;
        away(team.server.data(), elsewhere.path(), file);
        let doctor = team.server.beside(&["doctor"]).await;
        let told = found(&doctor.stdout, &format!("WRONG {what}"));
        assert!(
            doctor.code == Some(1) && told.contains(file) && told.contains("put the old one back"),
            "{told}"
        );
        team.server.start().await;
        let log = team.server.log();
        let warned = |l: &str| l.contains("WARN") && l.contains(file) && l.contains("put the old one back");
        assert!(log.lines().any(warned), "{log}");
        team.server.beside(&["doctor"]).await.succeeded();
    }
    team.server.stop().await;
    std::fs::write(team.server.data().join("queue.db"), "").unwrap();
    found(&team.server.beside(&["doctor"]).await.stdout, "WRONG queue");
    team.server.start().await;
    assert!(team.server.log().contains("put the old one back"), "{}", team.server.log());
}

#[tokio::test]
async fn a_database_that_is_gone_while_its_queue_is_there_is_not_made_anew() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    let home = Home::new();
    let mut team = Team::launch(Launch::at(&home, "var")).await;
    team.task("Still there").await;
    let seq = team.seq().await;
    team.server.stop().await;
    let (data, elsewhere) = (team.server.data(), Home::new());
    away(data, elsewhere.path(), "fairy.db");
    let environment = team.server.launch().environment();
    for command in [&["up"][..], &["migrate"], &["admin", "user", "a@example.com"]] {
        let line = fairy(home.path(), &environment, command).await.refused();
        assert!(line.contains("fairy.db") && line.contains("put it back"), "{command:?}: {line}");
        assert!(!data.join("fairy.db").exists(), "{command:?} made a database");
    }
    let doctor = team.server.beside(&["doctor"]).await;
    let told = found(&doctor.stdout, "WRONG database");
    assert!(doctor.code == Some(1) && told.contains("put it back"), "{told}");
    std::fs::write(data.join("fairy.db"), "").unwrap();
    assert!(fairy(home.path(), &environment, &["up"]).await.refused().contains("or empty"));
    away(elsewhere.path(), data, "fairy.db");
    team.server.start().await;
    assert_eq!(team.seq().await, seq);
}
