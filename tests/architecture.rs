//! Proves what `ARCHITECTURE.md` says of the code: who may use whom, and that every file keeps its shape.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot read its own repository fails"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which crates of this workspace each crate may use.
const GRAPH: [(&str, &[&str]); 6] = [
    ("fairy-jobs", &[]),
    ("fairy-queue", &[]),
    ("fairy-store", &["fairy-jobs"]),
    ("fairy-api", &["fairy-jobs", "fairy-queue"]),
    ("fairy-workers", &["fairy-jobs", "fairy-queue"]),
    ("fairy", &["fairy-api", "fairy-jobs", "fairy-queue", "fairy-store", "fairy-workers"]),
];

/// What the domain must never link, not even through another crate: runtimes, servers, clients, databases, queues.
const INFRASTRUCTURE: [&str; 14] = [
    "apalis",
    "apalis-core",
    "axum",
    "h2",
    "hyper",
    "lettre",
    "libsqlite3-sys",
    "mio",
    "poem",
    "redis",
    "reqwest",
    "rustls",
    "sqlx",
    "tokio",
];

/// Names that say nothing of what is inside.
const NAMELESS: [&str; 6] = ["utils", "common", "helpers", "misc", "manager", "service"];

/// Most lines of a file that is not a test.
const LONGEST: usize = 400;
/// Most lines of nineteen files of twenty.
const LONG: usize = 300;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

/// What each package links outside its tests, by the names of packages.
fn links(metadata: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeMap<&str, &str> =
        packages.iter().map(|p| (p["id"].as_str().unwrap(), p["name"].as_str().unwrap())).collect();
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in metadata["resolve"]["nodes"].as_array().expect("nodes") {
        let of = links.entry(names[node["id"].as_str().unwrap()].to_owned()).or_default();
        for dependency in node["deps"].as_array().unwrap() {
            let linked =
                dependency["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"].is_null());
            if linked {
                of.insert(names[dependency["pkg"].as_str().unwrap()].to_owned());
            }
        }
    }
    links
}

fn everything_below(links: &BTreeMap<String, BTreeSet<String>>, top: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![top.to_owned()];
    while let Some(name) = open.pop() {
        for below in links.get(&name).into_iter().flatten() {
            if found.insert(below.clone()) {
                open.push(below.clone());
            }
        }
    }
    found
}

/// The Rust files below these folders.
fn sources(folders: &[&str]) -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

const CODE: [&str; 6] = ["src", "jobs/src", "queue/src", "store/src", "api/src", "workers/src"];

#[test]
fn each_crate_uses_only_what_it_may() {
    let links = links(&metadata());
    for (name, allowed) in GRAPH {
        let used: Vec<&str> =
            links[name].iter().map(String::as_str).filter(|used| used.starts_with("fairy")).collect();
        let beyond: Vec<_> = used.iter().filter(|used| !allowed.contains(used)).collect();
        assert!(beyond.is_empty(), "{name} uses {beyond:?}, but may only use {allowed:?}");
    }
    let known: BTreeSet<_> = GRAPH.iter().map(|(name, _)| *name).collect();
    let members = links.keys().filter(|name| name.starts_with("fairy"));
    for member in members {
        assert!(known.contains(member.as_str()), "say here what {member} may use");
    }
}

#[test]
fn the_domain_links_no_infrastructure() {
    let links = links(&metadata());
    let below = everything_below(&links, "fairy-jobs");
    let found: Vec<_> = INFRASTRUCTURE.iter().filter(|name| below.contains(**name)).collect();
    assert!(found.is_empty(), "fairy-jobs links {found:?}");
    // The list is worth something only while its names are those of real crates.
    let all = everything_below(&links, "fairy");
    for name in ["apalis-core", "hyper", "libsqlite3-sys", "poem", "sqlx", "tokio"] {
        assert!(all.contains(name), "{name} is not linked by anything any more: correct the list");
    }
}

#[test]
fn files_are_short() {
    let mut lengths: Vec<(usize, PathBuf)> = sources(&CODE)
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .collect();
    lengths.sort();
    let over: Vec<_> = lengths.iter().filter(|(lines, _)| *lines > LONGEST).collect();
    assert!(over.is_empty(), "files over {LONGEST} lines: {over:#?}");
    let at = |share: usize| lengths[(lengths.len() - 1) * share / 100].0;
    println!("{} files, median {} lines, 95th percentile {} lines", lengths.len(), at(50), at(95));
    assert!(at(95) <= LONG, "the 95th percentile is {} lines, over {LONG}", at(95));
}

#[test]
fn files_say_what_they_are_and_have_a_name() {
    for path in sources(&CODE) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{shown} does not begin with what it is, why, and what must stay true"
        );
        for part in path.strip_prefix(root()).unwrap() {
            let part = part.to_str().unwrap().trim_end_matches(".rs");
            assert!(!NAMELESS.contains(&part), "{shown} is named like a drawer for anything");
        }
    }
}

#[test]
fn nothing_is_left_to_be_done() {
    let words = ["todo!", "unimplemented!", "TODO", "FIXME", "XXX", "#[ignore]"];
    for path in sources(&CODE).into_iter().chain(sources(&["tests/black_box"])) {
        let text = fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate() {
            for word in words {
                assert!(!line.contains(word), "{}:{} has {word}", path.display(), index + 1);
            }
        }
    }
}

#[test]
fn the_committed_document_is_the_one_that_is_served() {
    let path = root().join("openapi/fairy.json");
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let served = fairy_api::spec();
    assert!(
        committed.trim_end() == served.trim_end(),
        "openapi/fairy.json has drifted: `cargo run -- openapi > openapi/fairy.json`, and read the difference"
    );
}
