//! `fairy doctor` before servers that are well, and before each that is not.

use crate::harness::{Keeper, Launch, Server, cluster_only, fairy};

/// Runs it; whether it found something wrong, and what it printed.
async fn doctor(launch: &Launch) -> (bool, String) {
    let told = fairy(launch.home().path(), &launch.environment(), &["doctor"]).await;
    assert!(matches!(told.code, Some(0 | 1)), "{told:?}");
    (told.code == Some(1), told.stdout)
}

#[track_caller]
fn says(told: &str, beginning: &str, rest: &str) {
    let found = told.lines().any(|line| line.starts_with(beginning) && line.contains(rest));
    assert!(found, "no line `{beginning}… {rest}`: {told}");
}

#[tokio::test]
async fn doctor_is_well_before_good_servers() {
    if cluster_only() {
        return;
    }
    let server = Server::new().await;
    let told = server.beside(&["doctor"]).await.succeeded();
    for (what, words) in [
        ("database", "MariaDB"),
        ("queue", "redis"),
        ("secret", "can be used"),
        ("mail", "goes to files"),
        ("clock", "that of the database differs by"),
        ("clock", "that of the queue differs by"),
    ] {
        says(&told, &format!("ok    {what}"), words);
    }
    assert!(!told.contains("WRONG"), "{told}");
}

#[tokio::test]
async fn doctor_names_each_server_that_cannot_be_used() {
    if cluster_only() {
        return;
    }
    // Nobody listens at the port of discarding, and the other parts are well.
    for (setting, value, what) in [
        ("QUEUE__URL", "redis://127.0.0.1:9", "queue"),
        ("DATABASE__URL", "mysql://fairy:secret@127.0.0.1:9/fairy", "database"),
        ("DATABASE__READER_URL", "mysql://fairy:secret@127.0.0.1:9/fairy", "database for lists"),
        ("MAIL__SMTP_URL", "smtp://127.0.0.1:9", "mail"),
    ] {
        let launch = Launch::new();
        launch.prepare().await;
        let mut launch = launch.set(setting, value);
        if what == "mail" {
            launch = launch.set("MAIL__TRANSPORT", "smtp").set("MAIL__FROM", "fairy@example.com");
        }
        let (wrong, told) = doctor(&launch).await;
        assert!(wrong && !told.contains("secret@"), "{told}");
        says(&told, &format!("WRONG {what}"), "127.0.0.1");
        assert_eq!(told.matches("WRONG").count(), 1, "the others are well: {told}");
    }
}

#[tokio::test]
async fn doctor_finds_a_schema_that_is_not_there_and_a_password_that_is_none() {
    if cluster_only() {
        return;
    }
    let launch = Launch::new();
    let (wrong, told) = doctor(&launch).await;
    assert!(wrong, "{told}");
    says(&told, "WRONG database", "run `fairy migrate`");
    launch.prepare().await;
    let redis = Keeper::redis(&["--requirepass", "right"]);
    let with = |password: &str| format!("redis://:{password}@127.0.0.1:{}", redis.port());
    let launch = launch.set("QUEUE__URL", with("wrong"));
    let (wrong, told) = doctor(&launch).await;
    assert!(wrong && !told.contains("WRONG database"), "{told}");
    says(&told, "WRONG queue", "WRONGPASS");
    let (wrong, told) = doctor(&launch.set("QUEUE__URL", with("right"))).await;
    assert!(!wrong && !told.contains("right@"), "{told}");
}

#[tokio::test]
async fn a_server_that_may_lose_accepted_jobs_is_named_at_the_start_and_one_that_evicts_them_refused() {
    if cluster_only() {
        return;
    }
    for (set, said) in [
        (["--appendfsync", "everysec"], "appendfsync is everysec"),
        (["--no-appendfsync-on-rewrite", "yes"], "no-appendfsync-on-rewrite is yes"),
        (["--appendonly", "no"], "appendonly is off"),
    ] {
        let redis = Keeper::redis(&set);
        let launch = Launch::new().set("QUEUE__URL", format!("redis://127.0.0.1:{}", redis.port()));
        let server = launch.start().await;
        assert!(server.log().contains(said), "{said}: {}", server.log());
        let told = server.beside(&["doctor"]).await.succeeded();
        says(&told, "note  queue durability", said);
    }
    let redis = Keeper::redis(&["--maxmemory-policy", "allkeys-lru"]);
    let launch = Launch::new().set("QUEUE__URL", format!("redis://127.0.0.1:{}", redis.port()));
    let line = launch.fails().await.refused();
    assert!(line.contains("evicts keys (allkeys-lru)") && line.contains("maxmemory-policy"), "{line}");
    let (wrong, told) = doctor(&launch).await;
    assert!(wrong, "{told}");
    says(&told, "WRONG queue", "evicts keys");
}
