//! `fairy lanes`: looking at the queue and acting on it, beside whatever runs or without it.

use std::process::ExitCode;

use fairy_jobs::clock::rfc3339;
use fairy_queue::{DeadJob, JobId, LaneSpec, LaneStats, Page, Queue, QueueError, Which};
use jiff::Timestamp;

use super::{
    arguments::{LaneAction, Letters, Stretch},
    retry,
    run::print,
    table::table,
};
use crate::{
    Failure,
    config::Config,
    lanes,
    stack::{Parts, open_queue},
};

/// Jobs in one call, when all are meant.
const CHUNK: u32 = 500;

pub async fn run(config: Config, action: Option<LaneAction>) -> Result<ExitCode, Failure> {
    if let Some(file) = config.queue.file().filter(|file| !file.exists()) {
        return Err(Failure::new(format_args!(
            "there is no queue at {} yet: start `fairy up` once, or set FAIRY__DATA_DIR",
            file.display()
        )));
    }
    let queue = open_queue(&config, &Parts::default()).await?;
    let ended = act(&config, &queue, action.unwrap_or(LaneAction::List)).await;
    queue.close().await;
    print(&ended?)
}

/// The lanes of these names, which are names of lanes; all of them if none is given.
pub fn named(names: &[String]) -> Vec<&'static LaneSpec> {
    let wanted = |lane: &&LaneSpec| names.is_empty() || names.iter().any(|name| name == lane.name);
    lanes::ALL.into_iter().filter(wanted).collect()
}

async fn act(config: &Config, queue: &Queue, action: LaneAction) -> Result<String, Failure> {
    match action {
        LaneAction::List => list(queue).await,
        LaneAction::Dead { lane, limit, after, payload } => {
            let after = after.map(JobId::from);
            let page = queue.dead(lane_named(&lane)?, Page { after, limit }).await?;
            let mut text = dead(&page.items, payload);
            if let Some(next) = page.next {
                text += &format!("… more: `fairy lanes dead {lane} --after {next}`\n");
            }
            Ok(text)
        }
        LaneAction::Retry(letters) => {
            let lane = lane_named(&letters.lane)?;
            let by = who(letters.by.clone());
            if lane.name == lanes::OPERATIONS.name {
                return retry_operations(config, queue, &letters, &by).await;
            }
            let count = each(lane, letters, |which| queue.retry_dead(lane, which, &by)).await?;
            Ok(format!("{count} put back into {}", lane.name))
        }
        LaneAction::Discard(letters) => {
            let lane = lane_named(&letters.lane)?;
            let by = who(letters.by.clone());
            let count = each(lane, letters, |which| queue.discard_dead(lane, which, &by)).await?;
            Ok(format!("{count} deleted from {}", lane.name))
        }
        LaneAction::Pause(Stretch { lane, group, by }) => {
            let lane = lane_named(&lane)?;
            queue.pause(lane, group.as_deref(), &who(by)).await?;
            let only = group.as_ref().map(|group| format!(" --group {group}")).unwrap_or_default();
            let what = stretch(lane, group.as_deref());
            Ok(format!("{what} is paused; `fairy lanes resume {}{only}` ends it", lane.name))
        }
        LaneAction::Resume(Stretch { lane, group, by }) => {
            let lane = lane_named(&lane)?;
            queue.resume(lane, group.as_deref(), &who(by)).await?;
            Ok(format!("{} goes on", stretch(lane, group.as_deref())))
        }
        LaneAction::Audit { limit } => audit(queue, limit).await,
    }
}

async fn retry_operations(
    config: &Config,
    queue: &Queue,
    letters: &Letters,
    by: &str,
) -> Result<String, Failure> {
    let (count, left) = retry::retry(config, queue, letters, by).await?;
    if left.is_empty() {
        return Ok(format!("{count} put into operations"));
    }
    Err(Failure::new(format_args!(
        "not tried again: {}; `fairy lanes discard operations JOB` deletes a letter that nobody needs",
        left.join(", ")
    )))
}

async fn list(queue: &Queue) -> Result<String, Failure> {
    let mut rows = Vec::new();
    for lane in lanes::ALL {
        rows.push(row(lane, queue.stats(lane).await?));
    }
    Ok(table(["LANE", "WAITING", "LATER", "IN FLIGHT", "DEAD", "OLDEST", "PAUSED"], &rows))
}

fn row(lane: &LaneSpec, stats: LaneStats) -> [String; 7] {
    let paused = match (stats.paused, stats.paused_groups) {
        (true, _) => "yes".to_owned(),
        (false, 0) => "no".to_owned(),
        (false, groups) => format!("{groups} groups"),
    };
    [
        lane.name.to_owned(),
        stats.waiting.to_string(),
        stats.later.to_string(),
        stats.in_flight.to_string(),
        stats.dead.to_string(),
        stats.oldest.map_or_else(|| "-".to_owned(), |age| format!("{} s", age.as_secs())),
        paused,
    ]
}

fn dead(jobs: &[DeadJob], payload: bool) -> String {
    let rows: Vec<_> = jobs
        .iter()
        .map(|job| {
            [
                job.id.to_string(),
                instant(job.died_at),
                job.attempts.to_string(),
                job.group.clone().unwrap_or_else(|| "-".to_owned()),
                match payload {
                    true => format!("{} {}", one_line(&job.error), String::from_utf8_lossy(&job.payload)),
                    false => one_line(&job.error),
                },
            ]
        })
        .collect();
    table(["JOB", "DIED", "ATTEMPTS", "GROUP", "ERROR"], &rows)
}

async fn audit(queue: &Queue, limit: u32) -> Result<String, Failure> {
    let entries = queue.audit(limit).await?;
    let rows: Vec<_> = entries
        .into_iter()
        .map(|entry| [instant(entry.at), entry.by, entry.action, entry.lane, entry.subject])
        .collect();
    Ok(table(["WHEN", "WHO", "WHAT", "LANE", "SUBJECT"], &rows))
}

/// Acts on the named letters, or on all of them, and counts those it acted on.
async fn each<F>(lane: &LaneSpec, letters: Letters, act: impl Fn(Which) -> F) -> Result<usize, Failure>
where
    F: Future<Output = Result<Vec<JobId>, QueueError>>,
{
    if !letters.all {
        let asked = letters.jobs.len();
        let done = act(Which::Ids(letters.jobs.into_iter().map(JobId::from).collect())).await?.len();
        return match done {
            0 => Err(Failure::new(format_args!(
                "none of these jobs is a dead letter of this lane: `fairy lanes dead {}` lists them",
                lane.name
            ))),
            _ if done < asked => Err(Failure::new(format_args!("only {done} of {asked} could be acted on"))),
            _ => Ok(done),
        };
    }
    let mut count = 0;
    loop {
        match act(Which::Oldest(CHUNK)).await?.len() {
            0 => return Ok(count),
            more => count += more,
        }
    }
}

fn lane_named(name: &str) -> Result<&'static LaneSpec, Failure> {
    lanes::find(name).ok_or_else(|| {
        let known: Vec<_> = lanes::ALL.iter().map(|lane| lane.name).collect();
        Failure::new(format_args!("there is no lane {name:?}: the lanes are {}", known.join(", ")))
    })
}

fn stretch(lane: &LaneSpec, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("group {group} of {}", lane.name),
        None => lane.name.to_owned(),
    }
}

fn who(by: Option<String>) -> String {
    by.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

fn instant(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), rfc3339)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
