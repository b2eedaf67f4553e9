//! `fairy doctor`: what holds, and whether each part can be used; one line each.
//!
//! It changes nothing and may run beside whatever runs. A file that is not there before the first start is no failure.

mod cloud;
mod disk;
mod kept;
mod report;

use std::{process::ExitCode, time::Duration};

use fairy_api::is_local;
use fairy_jobs::{clock::Clock as _, clock::rfc3339};
use jiff::Timestamp;

use self::report::{
    Finding::{self, Note, Well, Wrong},
    Report,
};
use super::run::print;
use crate::{
    config::{Config, Faults, Layers, SecretSource, Transport, effective},
    process::{clock::SystemClock, data_dir, ids::OsIds, secret::link_key},
    stack::{Lost, Parts, of_no_use, public_url, smtp},
};

/// How long a mail server may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// A clock before this is wrong: 2026-01-01.
const EARLIEST: i64 = 1_767_225_600;
/// Clocks that differ by more than this give times that people notice, and by more than the second, leases that overlap.
const NOTICED: Duration = Duration::from_secs(2);
const HARMFUL: Duration = Duration::from_secs(30);

/// Prints what it finds; 1 if something is wrong.
pub async fn run(loaded: Result<(Config, Layers), Faults>) -> ExitCode {
    let mut report = Report::default();
    match loaded {
        Ok((config, layers)) => {
            for setting in effective(&layers, &config) {
                report.setting(&setting);
            }
            report.add("settings", Well("all can be used".to_owned()));
            examine(&config, &mut report).await;
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

async fn examine(config: &Config, report: &mut Report) {
    let (parts, mut times) = (Parts::default(), Vec::new());
    report.add("address", public(config));
    if disk::is_used(config) {
        report.add("data directory", disk::directory(&config.data_dir));
        report.add("privacy", disk::privacy(&config.data_dir));
        for (what, place) in disk::places(config) {
            report.add(what, disk::space(place));
        }
    }
    let lost = kept::database(config, &parts, report, &mut times).await;
    report.add("secret", secret(config, &lost));
    kept::queue(config, &parts, &lost, report, &mut times).await;
    cloud::look(config, &parts, report).await;
    if let Some(found) = mail(config, &parts).await {
        report.add("mail", found);
    }
    report.add("clock", clock(config));
    for (whose, time) in times {
        report.add("clock", skew(whose, time));
    }
}

fn public(config: &Config) -> Finding {
    if let Some(warning) = of_no_use(&config.http) {
        return Note(warning);
    }
    match public_url(&config.http, config.http.address) {
        Err(failure) => Wrong(failure.to_string()),
        Ok(url) if url.scheme() == "https" => Well(url.to_string()),
        Ok(url) if is_local(url.host_str()) => Well(format!("{url}, for this machine only")),
        Ok(url) => Note(format!("{url} is not https: passwords and cookies travel in the clear")),
    }
}

fn secret(config: &Config, lost: &Lost) -> Finding {
    match &config.secret {
        SecretSource::File(path) if !path.exists() => {
            lost.secret().map_or_else(|| disk::to_be_made(path), Wrong)
        }
        source => match link_key(source, &OsIds::default()) {
            Ok(_) => Well("can be used".to_owned()),
            Err(error) => Wrong(format!("the secret cannot be used: {error}; see auth.secret")),
        },
    }
}

/// Whether mail can leave; SES is looked at with the rest of AWS.
async fn mail(config: &Config, parts: &Parts) -> Option<Finding> {
    Some(match &config.mail.transport {
        Transport::Ses { .. } => return None,
        Transport::Files(directory) if !directory.exists() => {
            Note(format!("{} is not there yet; `fairy up` makes it", directory.display()))
        }
        Transport::Files(directory) => match data_dir::probe(directory) {
            Ok(()) => Well(format!("goes to files in {}", directory.display())),
            Err(error) => Wrong(format!("{} cannot be written: {error}", directory.display())),
        },
        Transport::Smtp { url, .. } => {
            let server = url.host_str().unwrap_or_default();
            let smtp = match smtp(config, parts) {
                Ok(smtp) => smtp,
                Err(failure) => return Some(Wrong(failure.to_string())),
            };
            match tokio::time::timeout(PATIENCE, smtp.check()).await {
                Ok(Ok(())) => Well(format!("{server} takes mail from us")),
                Ok(Err(error)) => Wrong(format!("{server}: {error}")),
                Err(_) => Wrong(format!("{server} did not answer within {} s", PATIENCE.as_secs())),
            }
        }
    })
}

/// A clock that is behind what was written before would give sessions and leases wrong ends.
fn clock(config: &Config) -> Finding {
    let now = SystemClock.now();
    let written =
        config.database.file().and_then(|file| std::fs::metadata(file).and_then(|f| f.modified()).ok());
    let written = written.and_then(|time| Timestamp::try_from(time).ok());
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

/// Each process dates what it writes by its own clock, so those of all machines must agree.
fn skew(whose: &str, time: Timestamp) -> Finding {
    let apart = SystemClock.now().duration_since(time).unsigned_abs();
    let words = format!("that of {whose} differs by {} ms", apart.as_millis());
    match apart {
        _ if apart >= HARMFUL => Wrong(format!("{words}: set both by a time server")),
        _ if apart >= NOTICED => Note(format!("{words}: set both by a time server")),
        _ => Well(words),
    }
}
