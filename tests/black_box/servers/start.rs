//! A start before its servers: it waits for what is only late, and says at once what waiting does not mend.

use crate::{
    harness::{Keeper, Launch, Server, cluster_only, fairy, wait_until},
    team::Team,
};

#[tokio::test]
async fn processes_that_are_there_before_the_queue_wait_for_it() {
    if cluster_only() {
        return;
    }
    let mut redis = Keeper::redis(&[]);
    redis.kill();
    let launch = Launch::new().set("QUEUE__URL", format!("redis://127.0.0.1:{}", redis.port()));
    launch.prepare().await;
    let parts = launch.parts().len();
    let mut server = Server::of(launch);
    server.spawn();
    wait_until("all of them wait", || async {
        (server.log().matches("waiting for").count() >= parts).then_some(())
    })
    .await;
    for part in 0..parts {
        assert!(!server.process(part).is_ready().await, "not without a queue");
    }
    redis.restart();
    server.ready().await;
    let team = Team::on(server).await;
    team.task("Late, but there").await;
}

#[tokio::test]
async fn a_start_that_waited_in_vain_says_for_what_and_how_long() {
    if cluster_only() {
        return;
    }
    for (setting, value) in
        [("QUEUE__URL", "redis://127.0.0.1:9"), ("DATABASE__URL", "mysql://fairy:secret@127.0.0.1:9/fairy")]
    {
        let launch = Launch::new();
        launch.prepare().await;
        let late = launch.set(setting, value).set("START__WAIT_SECONDS", "1");
        let finished = late.run_alone().await;
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let line = finished.stderr.lines().last().unwrap_or_default();
        assert!(line.contains("127.0.0.1:9") && line.contains("waited 1 s"), "{finished:?}");
        assert!(!finished.stderr.contains("secret@"), "{finished:?}");
        if setting == "DATABASE__URL" {
            let migrated = fairy(late.home().path(), &late.environment(), &["migrate"]).await;
            assert!(migrated.code == Some(1) && migrated.stderr.contains("waited 1 s"), "{migrated:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_waited_for() {
    if cluster_only() {
        return;
    }
    let redis = Keeper::redis(&["--requirepass", "right"]);
    let launch = Launch::new().set("QUEUE__URL", format!("redis://:wrong@127.0.0.1:{}", redis.port()));
    let line = launch.fails().await.refused();
    assert!(line.contains("WRONGPASS") && !line.contains("waited") && !line.contains("wrong@"), "{line}");
}
