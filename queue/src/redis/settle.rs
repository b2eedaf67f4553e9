//! Verdicts and renewals, in calls of at most 500.

use redis::Value;
use serde_json::json;

use crate::{JobId, LaneSpec, Order, Settled, Token, Verdict};

use super::failure::Failure;
use super::link::Link;
use super::record::millis;
use super::reply::texts;
use super::script::{Call, RENEW, SETTLE};

/// Most verdicts in one call, unless one hand-out alone has more.
const MOST: usize = 500;
/// Longest error kept with a job, in characters.
const ERROR_CHARS: usize = 2_000;

/// Carries out verdicts; returns the tokens that are lost.
pub(super) async fn settle(link: &Link, lane: &LaneSpec, settled: &[Settled]) -> Result<Vec<Token>, Failure> {
    let mut lost = Vec::new();
    let mut rest = settled;
    while !rest.is_empty() {
        let mut verdicts = 0;
        let fits = rest.iter().take_while(|one| {
            verdicts += one.verdicts.len().max(1);
            verdicts <= MOST
        });
        let (part, others) = rest.split_at(fits.count().max(1));
        rest = others;
        let mut call = Call::new(&SETTLE, &link.key(lane.name));
        call.arg(u8::from(lane.order == Order::Grouped)).arg(millis(lane.lease));
        for one in part {
            call.arg(one.token.0).arg(words(&one.verdicts));
        }
        lost.extend(tokens(link.run(lane.name, &call).await?)?);
    }
    Ok(lost)
}

/// Extends leases; returns the tokens that are lost.
pub(super) async fn renew(link: &Link, lane: &LaneSpec, held: &[Token]) -> Result<Vec<Token>, Failure> {
    let mut lost = Vec::new();
    for part in held.chunks(MOST) {
        let mut call = Call::new(&RENEW, &link.key(lane.name));
        call.arg(millis(lane.lease));
        for token in part {
            call.arg(token.0);
        }
        lost.extend(tokens(link.run(lane.name, &call).await?)?);
    }
    Ok(lost)
}

fn tokens(value: Value) -> Result<Vec<Token>, Failure> {
    Ok(texts(value)?.iter().filter_map(|token| token.parse().ok()).map(Token).collect())
}

/// The verdicts on a hand-out as the script reads them: the ids alone when all jobs are done, as they mostly are.
fn words(verdicts: &[(JobId, Verdict)]) -> String {
    if !verdicts.is_empty() && verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Remove) {
        let ids: Vec<&str> = verdicts.iter().map(|(id, _)| id.as_str()).collect();
        return format!("n:{}:", ids.join(","));
    }
    let word = |(id, verdict): &(JobId, Verdict)| (id.as_str().to_owned(), word(verdict));
    serde_json::Value::Object(verdicts.iter().map(word).collect()).to_string()
}

fn word(verdict: &Verdict) -> serde_json::Value {
    let cut = |text: &String| text.chars().take(ERROR_CHARS).collect::<String>();
    match verdict {
        Verdict::Remove => json!(["x"]),
        Verdict::Retry { error, after } => json!(["retry", millis(*after), cut(error)]),
        Verdict::Snooze(time) => json!(["snooze", millis(*time)]),
        Verdict::HandBack => json!(["back"]),
        Verdict::Isolate => json!(["isolate"]),
        Verdict::Doom { error, attempted } => json!(["doom", u8::from(*attempted), cut(error)]),
        Verdict::Bury => json!(["bury"]),
    }
}
