//! What survives when the process is killed, and when the power fails.
//!
//! A child process pushes and works under load and prints each job it was promised; then it is killed. The page cache
//! survives that, so for a power failure a shim under the child's libc notes what was not yet synced, and the test
//! takes exactly that back before it opens the file again. The last test proves that this can fail: with syncing
//! turned off, promised jobs are gone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod file;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fairy_queue::sqlite::{Knobs, Mode, Options, open_with};
use fairy_queue::testing::{Probe, start};
use fairy_queue::{Answer, Hold, LaneSpec, NewJob, Order, Queue, RetrySchedule};
use file::TempFile;

static KEPT: LaneSpec = LaneSpec {
    name: "kept",
    order: Order::Grouped,
    lease: std::time::Duration::from_secs(60),
    batch: 10,
    retry: RetrySchedule::Steps(&[]),
    group_limit: None,
    max_payload: 1_024,
};
static WORKED: LaneSpec = LaneSpec { name: "worked", order: Order::Plain, ..KEPT };

const PROMISES: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child process of the tests below"]
async fn child() {
    let dir = PathBuf::from(std::env::var_os("POWER_DIR").unwrap());
    let never_sync = std::env::var_os("POWER_NEVER_SYNC").is_some();
    let options =
        Options { path: dir.join("queue.db"), clock: Arc::new(|| 1_700_000_000_000), mode: Mode::Serve };
    let queue = open_with(options, Knobs { never_sync, ..Knobs::default() }).await.unwrap();
    let probe = Arc::new(Probe::each(|_| Answer::Done));
    let _running = start(&queue, &WORKED, &probe, 4);
    let pushers: Vec<_> = (0..8).map(|pusher| tokio::spawn(push_for_ever(queue.clone(), pusher))).collect();
    for pusher in pushers {
        pusher.await.unwrap();
    }
}

async fn push_for_ever(queue: Queue, pusher: usize) {
    for number in 0.. {
        let key = format!("{pusher}-{number}");
        let kept = NewJob::new(vec![b'7'; 300])
            .group(format!("group {pusher}"))
            .unique(&key, Hold::UntilAcknowledged);
        queue.push(&KEPT, vec![kept]).await.unwrap();
        let line = format!("promised {key}\n");
        std::io::stdout().write_all(line.as_bytes()).unwrap();
        queue.push(&WORKED, vec![NewJob::json(&number).unwrap()]).await.unwrap();
    }
}

/// Runs the child until it has promised enough, kills it, and returns what it had promised.
fn run_child(dir: &Path, shim: Option<&Path>, never_sync: bool) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--ignored", "--nocapture"]).env("POWER_DIR", dir);
    if let Some(shim) = shim {
        command.env("LD_PRELOAD", shim).env("POWER_JOURNAL", dir.join("journal"));
    }
    if never_sync {
        command.env("POWER_NEVER_SYNC", "1");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut promised = Vec::new();
    for line in lines.map_while(Result::ok) {
        promised.extend(line.split_once("promised ").map(|(_, key)| key.to_owned()));
        if promised.len() == PROMISES {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(promised.len() >= PROMISES, "the child ended early, with {} promises", promised.len());
    promised
}

/// The promised jobs that are not in the file.
async fn missing(file: &TempFile, promised: &[String]) -> Vec<String> {
    let queue = file.serve(Knobs::default()).await;
    let mut missing = Vec::new();
    for key in promised {
        if queue.find(&KEPT, key).await.unwrap().is_none() {
            missing.push(key.clone());
        }
    }
    missing
}

/// Builds the shim.
fn shim(dir: &Path) -> PathBuf {
    let built = dir.join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/shim.c");
    let done = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&built)
        .arg(source)
        .arg("-ldl")
        .status();
    assert!(done.unwrap().success(), "the shim is built");
    built
}

/// One thing the shim noted.
struct Note {
    kind: u8,
    offset: u64,
    size: u64,
    old: Vec<u8>,
}

/// Takes back everything that was not synced; returns how many changes that were.
fn cut_power(journal: &Path) -> usize {
    let mut bytes = Vec::new();
    File::open(journal).unwrap().read_to_end(&mut bytes).unwrap();
    let mut notes: HashMap<String, Vec<Note>> = HashMap::new();
    let mut rest = bytes.as_slice();
    // The last note may be cut short by the kill; its change was then never made.
    while let Some((path, note)) = read_note(&mut rest) {
        let notes = notes.entry(path).or_default();
        if note.kind == b's' { notes.clear() } else { notes.push(note) }
    }
    let mut undone = 0;
    for (path, notes) in notes {
        let file = File::options().write(true).open(&path).unwrap();
        for note in notes.iter().rev() {
            file.write_all_at(&note.old, note.offset).unwrap();
            file.set_len(note.size).unwrap();
            undone += 1;
        }
    }
    undone
}

fn read_note(rest: &mut &[u8]) -> Option<(String, Note)> {
    let (head, tail) = rest.split_at_checked(25)?;
    let word = |at: usize| u32::from_ne_bytes(head[at..at + 4].try_into().unwrap()) as usize;
    let long = |at: usize| u64::from_ne_bytes(head[at..at + 8].try_into().unwrap());
    let (path, tail) = tail.split_at_checked(word(1))?;
    let (old, tail) = tail.split_at_checked(word(21))?;
    *rest = tail;
    let note = Note { kind: head[0], offset: long(5), size: long(13), old: old.to_vec() };
    Some((String::from_utf8(path.to_vec()).unwrap(), note))
}

#[tokio::test]
async fn a_killed_process_loses_no_promise() {
    let file = TempFile::new();
    let promised = run_child(file.path().parent().unwrap(), None, false);
    assert_eq!(missing(&file, &promised).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_power_failure_loses_no_promise() {
    let file = TempFile::new();
    let dir = file.path().parent().unwrap().to_owned();
    let promised = run_child(&dir, Some(&shim(&dir)), false);
    let journal = dir.join("journal");
    assert!(fs::metadata(&journal).unwrap().len() > 100_000, "the shim was at work");
    cut_power(&journal);
    assert_eq!(missing(&file, &promised).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_syncing_the_same_test_finds_loss() {
    let file = TempFile::new();
    let dir = file.path().parent().unwrap().to_owned();
    let promised = run_child(&dir, Some(&shim(&dir)), true);
    assert!(cut_power(&dir.join("journal")) > 0, "something was not synced");
    assert!(
        !missing(&file, &promised).await.is_empty(),
        "a promise that was never synced cannot outlive the power"
    );
}
