//! A disk that fills up: what is not accepted is said so, what was accepted is kept, and work goes on once there is room.
//!
//! The server runs in a mount namespace of its own with a small file system in memory, which goes away with it and is
//! reached from here through `/proc/PID/root`. That needs no more rights than a user namespace gives.

use std::{io::Write as _, path::PathBuf};

use serde_json::json;

use crate::{
    harness::{About, Home, Launch, embedded_only, wait_until},
    team::Team,
};

/// Runs what follows in a namespace where `$1` is a small file system.
fn small_disk(data: &str) -> Vec<String> {
    let mut words = vec!["unshare", "--mount"];
    if !rustix::process::geteuid().is_root() {
        words.push("--map-root-user");
    }
    let script = "mount -t tmpfs -o size=24m tmpfs \"$0\" && exec \"$@\"";
    words.extend(["sh", "-c", script, data]);
    words.into_iter().map(str::to_owned).collect()
}

/// Fills the disk to the last byte; the file that does it.
fn fill(root: &std::path::Path) -> PathBuf {
    let path = root.join("filler");
    let mut file = std::fs::File::create(&path).unwrap();
    let mut size = 1 << 20;
    while size > 0 {
        match file.write_all(&vec![b'x'; size]) {
            Ok(()) => {}
            Err(_) => size /= 2,
        }
    }
    path
}

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    if embedded_only(About::Disk) {
        return;
    }
    let home = Home::new();
    let data = home.path().join("var");
    std::fs::create_dir(&data).unwrap();
    let wrapper = small_disk(&data.display().to_string());
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let team = Team::launch(Launch::at(&home, "var").wrapped(&wrapper)).await;
    team.task("Before").await;
    let inside = PathBuf::from(format!("/proc/{}/root{}", team.server.pid(), data.display()));
    let filler = fill(&inside);
    let create = |n: usize| {
        let body = json!({"project": "WEB", "title": format!("During {n}"), "body": "x".repeat(10_000)});
        team.owner.api.post(&team.at("/tasks"), &body).key(&format!("during-{n}")).header("Prefer", "wait=2")
    };
    let mut accepted = Vec::new();
    let mut refused = 0;
    for n in 0..12 {
        let reply = create(n).await;
        match reply.status {
            201 | 202 => accepted.push(reply.header("Operation-Id").unwrap().to_owned()),
            503 => {
                assert!(reply.header("Retry-After").is_some(), "{reply:?}");
                reply.problem(503, "unavailable");
                refused += 1;
            }
            504 => drop(reply.problem(504, "outcome-unknown")),
            _ => panic!("{reply:?}"),
        }
        if refused >= 2 {
            break;
        }
    }
    assert!(refused >= 2, "the disk was never full");
    // Reading goes on.
    team.owner.api.get(&team.at("/tasks/WEB-1")).await.is(200);
    std::fs::remove_file(filler).unwrap();
    for operation in &accepted {
        wait_until("what was accepted is applied", || async {
            let operation = team.owner.api.get(&format!("/operations/{operation}")).await;
            (operation.status == 200 && operation["status"] == "applied").then_some(())
        })
        .await;
    }
    wait_until("writing works again", || async { (create(100).await.status == 201).then_some(()) }).await;
    for n in 0..12 {
        let reply = create(n).await;
        assert!(matches!(reply.status, 201 | 202), "{reply:?}");
    }
    let titles: Vec<_> =
        team.owner.api.all(&team.at("/tasks")).await.into_iter().map(|t| t["title"].clone()).collect();
    for n in 0..12 {
        let title = json!(format!("During {n}"));
        assert_eq!(titles.iter().filter(|t| **t == title).count(), 1, "{title} in {titles:?}");
    }
}
