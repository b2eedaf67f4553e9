//! The subcommands that a person runs beside the server or without one: each does what it says, or says what to do.

use serde_json::json;

use crate::{
    client::Api,
    harness::{About, Home, Launch, embedded_only, fairy, wait_until},
    team::{PASSWORD, Team, workspace},
};

async fn run(launch: &Launch, args: &[&str]) -> (Option<i32>, String) {
    let finished = fairy(launch.home().path(), &launch.environment(), args).await;
    (finished.code, finished.stdout + &finished.stderr)
}

#[tokio::test]
async fn migrate_makes_the_schema_once_and_the_server_starts_on_it() {
    let launch = Launch::new();
    let (code, told) = run(&launch, &["migrate"]).await;
    assert!(code == Some(0) && told.contains("migrations applied"), "{told}");
    let (code, told) = run(&launch, &["migrate"]).await;
    assert!(code == Some(0) && told.contains("already"), "{told}");
    launch.start().await;
}

#[tokio::test]
async fn migrate_names_a_data_directory_that_cannot_be_used() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    let (code, told) = run(&Launch::new().set("DATA_DIR", "/proc/fairy"), &["migrate"]).await;
    assert!(code == Some(1) && told.contains("/proc/fairy"), "{told}");
}

#[tokio::test]
async fn doctor_is_well_before_the_first_start_and_beside_a_server() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    let launch = Launch::new();
    let (code, told) = run(&launch, &["doctor"]).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("is not there yet") && !told.contains("WRONG"), "{told}");
    assert!(!launch.home().path().join("var").exists(), "doctor changes nothing");
    let secret = format!("the file {}/secret.key (default)", launch.data().display());
    for (key, value) in [("auth.sign_up", "open (default)"), ("auth.secret", secret.as_str())] {
        let shown = told.lines().find(|line| line.trim_start().starts_with(key)).expect("it is shown");
        assert!(shown.ends_with(&format!(" {value}")), "{shown}");
    }
    let server = launch.start().await;
    let told = server.beside(&["doctor"]).await.succeeded();
    for what in ["data directory", "disk space", "secret", "database", "queue", "mail", "clock"] {
        assert!(told.lines().any(|line| line.starts_with(&format!("ok    {what}"))), "{what}: {told}");
    }
}

#[tokio::test]
async fn doctor_finds_what_would_keep_the_server_from_starting() {
    if embedded_only(About::DataDirectory) {
        return;
    }
    // `/proc` refuses new entries to everybody, root included.
    for (setting, what) in [("DATABASE__URL", "database"), ("QUEUE__URL", "queue")] {
        let launch = Launch::new().set(setting, "sqlite:///proc/x/file.db");
        launch.fails().await.refused();
        let (code, told) = run(&launch, &["doctor"]).await;
        let found = told.lines().any(|line| line.starts_with(&format!("WRONG {what}")));
        assert!(code == Some(1) && found, "{told}");
    }
    let home = Home::new();
    let launch = Launch::at(&home, "var");
    std::fs::create_dir(home.path().join("var")).unwrap();
    std::fs::write(home.path().join("var/secret.key"), "").unwrap();
    launch.fails().await.refused();
    let (code, told) = run(&launch, &["doctor"]).await;
    assert!(code == Some(1) && told.lines().any(|line| line.starts_with("WRONG secret")), "{told}");
    let (code, told) = run(&Launch::new().set("AUTH__SIGN_UP", "maybe"), &["doctor"]).await;
    assert!(code == Some(1) && told.contains("WRONG settings"), "{told}");
}

#[tokio::test]
async fn admin_looks_after_accounts() {
    let team = Team::new().await;
    let email = team.owner.email.as_str();
    let shown = team.server.beside(&["admin", "user", email]).await.succeeded();
    assert!(shown.contains(&team.owner.id) && shown.contains(&team.id) && shown.contains("verified: no"));
    team.server.beside(&["admin", "verify", email]).await.succeeded();
    let shown = team.server.beside(&["admin", "user", email]).await.succeeded();
    assert!(shown.contains("verified: yes"), "{shown}");
    let link = team.server.beside(&["admin", "reset-link", email]).await.succeeded();
    let code = link.lines().next().unwrap().rsplit('/').next().unwrap();
    let stranger = Api::new(&team.server.url());
    let body = json!({"password": "quite another password"});
    stranger.post(&format!("/auth/password-reset/{code}"), &body).await.is(204);
    let sign_in =
        |password: &str| stranger.post("/auth/sign-in", &json!({"email": email, "password": password}));
    sign_in(PASSWORD).await.is(401);
    sign_in("quite another password").await.is(200);
    stranger.get("/me").await.is(200);
    team.server.beside(&["admin", "sign-out", email]).await.succeeded();
    wait_until("the session is over", || async { (stranger.get("/me").await.status == 401).then_some(()) })
        .await;
    let line = team.server.beside(&["admin", "user", "nobody@example.com"]).await.refused();
    assert!(line.contains("nobody@example.com"), "{line}");
}

#[tokio::test]
async fn a_group_can_be_paused_by_itself_and_what_operators_did_is_kept() {
    let team = Team::new().await;
    let by = ["--by", "Rosa"];
    let pause = [["lanes", "pause", "operations", "--group", &team.id].as_slice(), &by].concat();
    let told = team.server.beside(&pause).await.succeeded();
    assert!(told.contains(&format!("`fairy lanes resume operations --group {}`", team.id)), "{told}");
    let held = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Held"}));
    let held = held.header("Prefer", "wait=1").await.is(202);
    let (other, _) = workspace(&team.owner, "Other").await;
    let project = json!({"key": "OPS", "name": "Ops"});
    team.owner.api.post(&format!("/workspaces/{other}/projects"), &project).await.is(201);
    let free = json!({"project": "OPS", "title": "Free"});
    team.owner.api.post(&format!("/workspaces/{other}/tasks"), &free).await.is(201);
    team.server.beside(&["lanes", "resume", "operations", "--group", &team.id]).await.succeeded();
    let path = format!("/operations/{}", held.str("id"));
    assert_eq!(team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200)["status"], "applied");
    let audit = team.server.beside(&["lanes", "audit"]).await.succeeded();
    let paused = audit.lines().find(|line| line.contains("pause")).expect("it is kept");
    assert!(audit.contains("resume") && audit.contains("Rosa") && audit.contains(&team.id), "{paused}");
}

#[tokio::test]
async fn what_did_nothing_is_not_among_what_operators_did() {
    let server = crate::harness::Server::new().await;
    for action in ["retry", "discard"] {
        server.beside(&["lanes", action, "deliver", "--all"]).await.succeeded();
        let line = server.beside(&["lanes", action, "deliver", "7"]).await.refused();
        assert!(line.contains("`fairy lanes dead deliver`"), "{line}");
    }
    let told = server.beside(&["lanes", "pause", "deliver"]).await.succeeded();
    assert!(told.contains("`fairy lanes resume deliver`"), "{told}");
    let audit = server.beside(&["lanes", "audit"]).await.succeeded();
    assert!(audit.lines().count() == 2 && audit.contains("pause"), "{audit}");
}

#[tokio::test]
async fn dead_letters_are_shown_and_discarded_and_a_wrong_name_is_refused() {
    let mut team = Team::new().await;
    team.server.beside(&["lanes", "pause", "operations"]).await.succeeded();
    let create = team.owner.api.post(&team.at("/tasks"), &json!({"project": "WEB", "title": "Broken"}));
    let operation = create.respond_async().await.is(202);
    team.server.kill().await;
    team.server.spoil_job(&operation.str("id")).await;
    team.server.start().await;
    team.server.beside(&["lanes", "resume", "operations"]).await.succeeded();
    let path = format!("/operations/{}", operation.str("id"));
    let ended = team.owner.api.get(&path).header("Prefer", "wait=30").await.is(200);
    assert_eq!(ended["status"], "failed", "{ended:?}");
    let dead = wait_until("there is a dead letter", || async {
        let shown = team.server.beside(&["lanes", "dead", "operations", "--payload"]).await.succeeded();
        (shown.contains(&team.id) && shown.contains("{\"x")).then_some(shown)
    });
    let dead = dead.await;
    let job = dead.lines().nth(1).and_then(|line| line.split_whitespace().next()).expect("a job").to_owned();
    team.server.beside(&["lanes", "discard", "operations", "no-such-job"]).await.refused();
    team.server.beside(&["lanes", "discard", "operations", &job]).await.succeeded();
    let left = team.server.beside(&["lanes", "dead", "operations"]).await.succeeded();
    assert!(!left.contains(&team.id), "{left}");
    team.server.beside(&["lanes", "discard", "no-such-lane", "--all"]).await.refused();
}

#[tokio::test]
async fn a_backup_goes_into_a_new_directory_only() {
    if embedded_only(About::Backup) {
        return;
    }
    let team = Team::new().await;
    let there = team.server.launch().home().path().join("there");
    std::fs::create_dir(&there).unwrap();
    std::fs::write(there.join("mine"), "mine").unwrap();
    let line = team.server.beside(&["backup", there.to_str().unwrap()]).await.refused();
    assert!(line.contains("exists already"), "{line}");
    assert_eq!(std::fs::read_dir(&there).unwrap().count(), 1, "it is left as it was");
    let data = team.server.data();
    std::os::unix::fs::symlink(data, team.server.launch().home().path().join("link")).unwrap();
    for inside in ["var/copy", "var/new/copy", "link/copy"] {
        let line = team.server.beside(&["backup", inside]).await.refused();
        assert!(line.contains("inside the data directory") && line.contains("elsewhere"), "{line}");
    }
    assert!(!data.join("copy.partial").exists() && !data.join("new").exists(), "nothing is made");
    let empty = Launch::new();
    let (code, told) = run(&empty, &["backup", "copy"]).await;
    assert!(code == Some(1) && told.contains("fairy up"), "{told}");
    assert!(!empty.home().path().join("copy").exists());
}
