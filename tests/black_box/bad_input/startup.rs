//! A server that cannot start says in one line what to do, and harms nothing.

use serde_json::json;

use crate::{
    harness::{About, Home, Launch, Server, Version, embedded_only, fairy},
    team::Team,
};

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused() {
    if embedded_only(About::Locks) {
        return;
    }
    let team = Team::new().await;
    let second = Launch::at(team.server.launch().home(), "var");
    let line = second.fails().await.refused();
    assert!(line.contains("var"), "does not name the directory: {line}");
    team.task("The first goes on").await;
}

#[tokio::test]
async fn a_second_server_is_refused_whatever_it_shares() {
    if embedded_only(About::Locks) {
        return;
    }
    let team = Team::new().await;
    let home = team.server.launch().home();
    let url = |path: &std::path::Path| format!("sqlite://{}", path.display());
    let other_queue =
        Launch::at(home, "var").set("QUEUE__URL", url(&home.path().join("other-queue.db"))).fails().await;
    assert!(other_queue.refused().contains("var"), "the same data directory with another queue");
    let same_database =
        Launch::at(home, "elsewhere").set("DATABASE__URL", url(&team.server.data().join("fairy.db")));
    let line = same_database.fails().await.refused();
    assert!(line.contains("fairy.db") && line.contains("FAIRY__DATABASE__URL"), "{line}");
    let same_queue = Launch::at(home, "third").set("QUEUE__URL", url(&team.server.data().join("queue.db")));
    let line = same_queue.fails().await.refused();
    assert!(line.contains("queue.db") && line.contains("FAIRY__QUEUE__URL"), "{line}");
    team.task("The first goes on").await;
    team.server.beside(&["lanes", "list"]).await.succeeded();
    team.server.beside(&["admin", "user", &team.owner.email]).await.succeeded();
    team.server.beside(&["doctor"]).await.succeeded();
    let copy = home.path().join("copy").display().to_string();
    team.server.beside(&["backup", &copy]).await.succeeded();
}

#[tokio::test]
async fn a_server_starts_in_the_instant_in_which_another_is_killed() {
    if embedded_only(About::Locks) {
        return;
    }
    let mut server = Server::new().await;
    for _ in 0..20 {
        server.signal(rustix::process::Signal::KILL);
        server.spawn_one(0, Version::This);
        server.ready().await;
    }
}

#[tokio::test]
async fn links_that_nobody_can_open_are_told_of_at_the_start_and_by_doctor() {
    let launch = Launch::new();
    let address = launch.url(0).replace("http://127.0.0.1", "0.0.0.0");
    let launch = launch.set("HTTP__ADDRESS", address.as_str()).without("HTTP__PUBLIC_URL");
    let server = launch.for_one(0, "FAIRY__HTTP__ADDRESS", address.as_str()).start().await;
    let warns = |text: &str| text.contains("FAIRY__HTTP__PUBLIC_URL") && text.contains(&address);
    assert!(warns(&server.log()), "{}", server.log());
    let told = server.beside(&["doctor"]).await.succeeded();
    assert!(told.lines().any(|line| line.starts_with("note  address") && warns(line)), "{told}");
    let linked = Launch::new().set("HTTP__PUBLIC_URL", "http://fairy.example.com");
    let told = fairy(linked.home().path(), &linked.environment(), &["doctor"]).await.stdout;
    assert!(
        told.lines().any(|line| line.starts_with("note  address") && line.contains("fairy.example.com")),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_only() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let data = home.path().join("var");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let team = Team::launch(Launch::at(&home, "var")).await;
    team.letter("the mail to the owner", |letter| letter.to == team.owner.email).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    for name in ["fairy.db", "fairy.db-wal", "queue.db", "secret.key", "mail"] {
        assert_eq!(mode(&data.join(name)), 0, "{name}");
    }
    for mail in std::fs::read_dir(data.join("mail")).unwrap().flatten() {
        assert_eq!(mode(&mail.path()), 0, "{mail:?}");
    }
    let told = team.server.beside(&["doctor"]).await.succeeded();
    assert!(told.lines().any(|l| l.starts_with("note  privacy") && l.contains("chmod 700")), "{told}");
}

#[tokio::test]
async fn a_busy_port_is_named() {
    let first = Server::new().await;
    let address = first.url().replace("http://", "");
    let line = Launch::new().set("HTTP__ADDRESS", address.as_str()).fails().await.refused();
    assert!(line.contains(&address), "{line}");
    let admin = first.admin_url().replace("http://", "");
    let line = Launch::new().set("HTTP__ADMIN_ADDRESS", admin.as_str()).fails().await.refused();
    assert!(line.contains(&admin), "{line}");
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_used_is_named() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    let home = Home::new();
    std::fs::write(home.path().join("file"), "not a directory").unwrap();
    for data in ["file", "file/below"] {
        let line = Launch::at(&home, data).fails().await.refused();
        assert!(line.contains("file"), "{line}");
    }
    // `/proc` refuses new entries to everybody, root included, where permissions would not stop a test that runs as root.
    let line = Launch::new().set("DATA_DIR", "/proc/fairy").fails().await.refused();
    assert!(line.contains("/proc/fairy"), "{line}");
}

#[tokio::test]
async fn broken_settings_are_named_all_at_once() {
    let launch = Launch::new()
        .set("HTTP__PUBLIC_URL", "not a url")
        .set("AUTH__SIGN_UP", "maybe")
        .set("MAIL__TRANSPORT", "pigeon");
    let finished = launch.fails().await;
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for name in ["HTTP__PUBLIC_URL", "AUTH__SIGN_UP", "MAIL__TRANSPORT"] {
        assert!(finished.stderr.to_lowercase().contains(&name.to_lowercase()), "{name}: {finished:?}");
    }
    let line = Launch::new().set("HTTP__ADRESS", "127.0.0.1:1").fails().await.refused();
    assert!(line.contains("FAIRY__HTTP__ADRESS") && line.contains("http.address"), "no hint: {line}");
}

#[tokio::test]
async fn a_broken_configuration_file_is_named_with_its_line() {
    let home = Home::new();
    for (text, hint) in
        [("[http]\naddress = \n", "2"), ("[http]\nadress = \"127.0.0.1:1\"\n", "adress"), ("nonsense", "1")]
    {
        std::fs::write(home.path().join("fairy.toml"), text).unwrap();
        let line = Launch::at(&home, "var").fails().await.refused();
        assert!(line.contains("fairy.toml") && line.contains(hint), "{line}");
    }
    for (name, why) in [("nowhere.toml", "No such file"), (".", "Is a directory")] {
        let line = fairy(home.path(), &[], &["up", "--config", name]).await.refused();
        assert!(line.contains(&format!("cannot be used: {name} cannot be read: {why}")), "{line}");
    }
    assert!(!home.path().join("var").exists(), "it made a data directory before it had read its settings");
}

#[tokio::test]
async fn a_file_and_the_environment_are_layered() {
    let home = Home::new();
    std::fs::write(home.path().join("fairy.toml"), "[auth]\nsign_up = \"invite\"\n").unwrap();
    let by_file = Launch::at(&home, "one").without("AUTH__SIGN_UP").start().await;
    let body = json!({"email": "a@example.com", "password": crate::team::PASSWORD, "name": "A"});
    let api = crate::client::Api::new(&by_file.url());
    api.post("/auth/sign-up", &body).await.problem(403, "forbidden");
    let by_environment = Launch::at(&home, "two").set("AUTH__SIGN_UP", "open").start().await;
    crate::client::Api::new(&by_environment.url()).post("/auth/sign-up", &body).await.is(201);
}

#[tokio::test]
async fn wrong_usage_and_wrong_settings_are_told_apart() {
    let home = Home::new();
    for args in [
        &["nonsense"][..],
        &["up", "--nonsense"],
        &["lanes", "retry"],
        &["lanes", "dead", "a", "b", "c", "d"],
    ] {
        let finished = fairy(home.path(), &[], args).await;
        assert_eq!(finished.code, Some(2), "{args:?}: {finished:?}");
    }
    for args in [&["api"][..], &["worker"]] {
        let line = fairy(home.path(), &[], args).await.refused();
        assert!(line.contains("SQLite serves `fairy up` only"), "{line}");
    }
    for (name, value) in
        [("DATABASE__URL", "mysql://x"), ("QUEUE__URL", "redis+cluster://x/1"), ("MAIL__TRANSPORT", "ses")]
    {
        Launch::new().set(name, value).fails().await.refused();
    }
    for args in [&["--help"][..], &["up", "--help"], &["lanes", "--help"], &["admin", "--help"], &["openapi"]]
    {
        assert!(!fairy(home.path(), &[], args).await.succeeded().is_empty());
    }
}
