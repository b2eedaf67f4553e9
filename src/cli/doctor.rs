//! `fairy doctor`: what holds, and whether each part can be used; one line each.
//!
//! It changes nothing and may run beside `fairy up`. A part that is not there before the first start is no failure.

use std::{fmt, path::Path, process::ExitCode, time::Duration};

use fairy_api::is_local;
use fairy_jobs::{clock::Clock as _, clock::rfc3339};
use jiff::Timestamp;
use rustix::fs::{Access, access, statvfs};

use super::{lanes::tool, run::print};
use crate::{
    config::{Config, Effective, Faults, Layers, SecretSource, Transport, effective},
    lanes,
    process::{clock::SystemClock, data_dir, ids::OsIds, secret::link_key},
    stack::{Parts, open_store, smtp},
};

/// Less free space than this is a failure: SQLite needs room to finish what it began.
const LEAST_SPACE: u64 = 200 * 1024 * 1024;
/// How long a mail server may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// A clock before this is wrong: 2026-01-01.
const EARLIEST: i64 = 1_767_225_600;

/// What a check found.
enum Finding {
    Well(String),
    Note(String),
    Wrong(String),
}

use Finding::{Note, Well, Wrong};

/// Prints what it finds; 1 if something is wrong.
pub async fn run(loaded: Result<(Config, Layers), Faults>) -> ExitCode {
    let mut report = Report::default();
    match loaded {
        Ok((config, layers)) => {
            for setting in effective(&layers) {
                report.setting(&setting);
            }
            report.add("settings", Well("all can be used".to_owned()));
            report.add("address", public(&config));
            report.add("data directory", directory(&config.data_dir));
            report.add("privacy", privacy(&config.data_dir));
            for (what, place) in places(&config) {
                report.add(what, space(place));
            }
            report.add("secret", secret(&config));
            report.add("database", database(&config).await);
            report.add("queue", queue(&config).await);
            report.add("mail", mail(&config).await);
            report.add("clock", clock(&config));
        }
        Err(faults) => {
            for fault in faults.0 {
                report.add("settings", Wrong(fault.to_string()));
            }
        }
    }
    match print(&report.text) {
        Ok(_) if !report.wrong => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

#[derive(Default)]
struct Report {
    text: String,
    wrong: bool,
}

impl Report {
    fn setting(&mut self, setting: &Effective) {
        self.line("      ", setting.key, format_args!("{} ({})", setting.shown, setting.origin));
    }

    fn add(&mut self, what: &str, finding: Finding) {
        match finding {
            Well(words) => self.line("ok    ", what, words),
            Note(words) => self.line("note  ", what, words),
            Wrong(words) => {
                self.wrong = true;
                self.line("WRONG ", what, words);
            }
        }
    }

    fn line(&mut self, mark: &str, what: &str, words: impl fmt::Display) {
        use fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{mark}{what:<20} {words}");
    }
}

fn public(config: &Config) -> Finding {
    let ip = config.http.address.ip();
    match &config.http.public_url {
        None if ip.is_loopback() => Well(format!("http://{}, for this machine only", config.http.address)),
        None => Wrong(format!(
            "{} is reachable by others, but links in mails would begin with it: set http.public_url",
            config.http.address
        )),
        Some(url) if url.scheme() == "https" => Well(url.to_string()),
        Some(url) if is_local(url.host_str()) => Well(url.to_string()),
        Some(url) => Note(format!("{url} is not https: passwords and cookies travel in the clear")),
    }
}

fn directory(path: &Path) -> Finding {
    if !path.exists() {
        let above = nearest(path);
        return match access(above, Access::WRITE_OK) {
            Ok(()) => Note(format!("{} is not there yet; `fairy up` makes it", path.display())),
            Err(error) => Wrong(format!(
                "{} is not there and cannot be made in {}: {error}",
                path.display(),
                above.display()
            )),
        };
    }
    match data_dir::probe(path) {
        Ok(()) => Well(format!("{} can be written", path.display())),
        Err(error) => Wrong(format!("{} cannot be written: {error}", path.display())),
    }
}

fn privacy(path: &Path) -> Finding {
    match data_dir::is_open_to_others(path) {
        Ok(true) => Note(format!("others may look into {}: `chmod 700` keeps them out", path.display())),
        Ok(false) => Well(format!("{} is its owner's only", path.display())),
        // Made at the first start, for its owner only; what else is wrong with it is told above.
        Err(_) => Well(format!("{} is made for its owner only", path.display())),
    }
}

/// Where files grow: the data directory, and what else the settings name.
fn places(config: &Config) -> Vec<(&'static str, &Path)> {
    let files = [("database space", config.database.as_path()), ("queue space", config.queue.as_path())];
    let parents = files.into_iter().map(|(what, file)| (what, parent(file)));
    let elsewhere = parents.filter(|(_, place)| *place != config.data_dir);
    std::iter::once(("disk space", config.data_dir.as_path())).chain(elsewhere).collect()
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file that is not there yet: whether `fairy up` can make it.
fn to_be_made(file: &Path) -> Finding {
    match directory(parent(file)) {
        Wrong(words) => Wrong(words),
        Well(_) | Note(_) => Note(format!("{} is not there yet; `fairy up` makes it", file.display())),
    }
}

fn secret(config: &Config) -> Finding {
    match &config.secret {
        SecretSource::File(path) if !path.exists() => to_be_made(path),
        source => match link_key(source, &OsIds::default()) {
            Ok(_) => Well("can be used".to_owned()),
            Err(error) => Wrong(format!("the secret cannot be used: {error}; see auth.secret")),
        },
    }
}

fn space(path: &Path) -> Finding {
    match statvfs(nearest(path)) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let megabytes = free / (1024 * 1024);
            match free {
                0..LEAST_SPACE => {
                    Wrong(format!("{megabytes} MB free: make room, SQLite needs some to go on"))
                }
                _ => Well(format!("{megabytes} MB free")),
            }
        }
        Err(error) => Wrong(format!("unknown: {error}")),
    }
}

/// The directory itself, or the first one above it that is there.
fn nearest(path: &Path) -> &Path {
    let there = path.ancestors().find(|ancestor| ancestor.exists());
    there.unwrap_or(Path::new("."))
}

async fn database(config: &Config) -> Finding {
    let path = config.database.display();
    if !config.database.exists() {
        return to_be_made(&config.database);
    }
    let store = match open_store(config, &Parts::default()).await {
        Ok(store) => store,
        Err(failure) => return Wrong(failure.to_string()),
    };
    let checked = store.check().await;
    let pending = store.pending_migrations().await;
    store.close().await;
    match (checked, pending) {
        (Err(error), _) => Wrong(format!("{path}: {error}")),
        (_, Err(error)) => Wrong(format!("{path}: {error}")),
        (Ok(_), Ok(pending)) if !pending.is_empty() => Note(format!(
            "{path}: sound; {} migrations wait for `fairy migrate` or the next `fairy up`",
            pending.len()
        )),
        (Ok(report), Ok(_)) => Well(format!("{path}: {report}")),
    }
}

async fn queue(config: &Config) -> Finding {
    let path = config.queue.display();
    if !config.queue.exists() {
        return to_be_made(&config.queue);
    }
    let queue = match tool(config).await {
        Ok(queue) => queue,
        Err(failure) => return Wrong(format!("{path}: {failure}")),
    };
    let mut waiting = 0;
    let mut dead = 0;
    for lane in lanes::ALL {
        match queue.stats(lane).await {
            Ok(stats) => {
                waiting += stats.waiting;
                dead += stats.dead;
            }
            Err(error) => return Wrong(format!("{path}: {error}")),
        }
    }
    queue.close().await;
    match dead {
        0 => Well(format!("{path}: {waiting} jobs wait")),
        _ => {
            Note(format!("{path}: {waiting} jobs wait, {dead} are dead letters: see `fairy lanes dead LANE`"))
        }
    }
}

async fn mail(config: &Config) -> Finding {
    match &config.mail.transport {
        Transport::Files(directory) if !directory.exists() => {
            Note(format!("{} is not there yet; `fairy up` makes it", directory.display()))
        }
        Transport::Files(directory) => match data_dir::probe(directory) {
            Ok(()) => Well(format!("goes to files in {}", directory.display())),
            Err(error) => Wrong(format!("{} cannot be written: {error}", directory.display())),
        },
        Transport::Smtp { url, .. } => {
            let server = url.host_str().unwrap_or_default();
            let smtp = match smtp(config, &Parts::default()) {
                Ok(smtp) => smtp,
                Err(failure) => return Wrong(failure.to_string()),
            };
            match tokio::time::timeout(PATIENCE, smtp.check()).await {
                Ok(Ok(())) => Well(format!("{server} takes mail from us")),
                Ok(Err(error)) => Wrong(format!("{server}: {error}")),
                Err(_) => Wrong(format!("{server} did not answer within {} s", PATIENCE.as_secs())),
            }
        }
    }
}

/// A clock that is behind what was written before would give sessions and leases wrong ends.
fn clock(config: &Config) -> Finding {
    let now = SystemClock.now();
    let written = std::fs::metadata(&config.database).and_then(|file| file.modified());
    let written = written.ok().and_then(|time| Timestamp::try_from(time).ok());
    match written {
        _ if now.as_second() < EARLIEST => Wrong(format!("says {}: set it", rfc3339(now))),
        Some(written) if written > now + Duration::from_secs(60) => Wrong(format!(
            "says {}, but the database was written at {}: set it",
            rfc3339(now),
            rfc3339(written)
        )),
        _ => Well(rfc3339(now)),
    }
}
