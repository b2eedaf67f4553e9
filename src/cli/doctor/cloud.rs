//! What is at AWS, where the settings name it: one line for each of table, bus and mail.

use std::time::Duration;

use fairy_workers::aws::{Account, AwsError, TableReport};

use super::{
    PATIENCE,
    report::{
        Finding::{self, Note, Well, Wrong},
        Report,
    },
};
use crate::{
    config::{Config, Transport},
    stack::{Cloud, Parts},
};

/// Looks at all that is named.
pub async fn look(config: &Config, parts: &Parts, report: &mut Report) {
    let cloud = match Cloud::of(config, parts).await {
        Ok(cloud) => cloud,
        Err(failure) => return report.add("AWS", Wrong(failure.to_string())),
    };
    if let Some(log) = &cloud.table {
        let keep = config.activity.as_ref().and_then(|table| table.keep);
        report.add("activity table", answered(log.describe(), |found| table(&found, keep)).await);
    }
    if let (Some(bus), Some(name)) = (&cloud.bus, &config.bus) {
        report.add("event bus", answered(bus.check(), |()| Well(format!("{name} is there"))).await);
    }
    if let (Transport::Ses { rate, .. }, Some(aws)) = (&config.mail.transport, &cloud.aws) {
        report.add("mail", answered(Account::of(aws), |found| account(&found, *rate)).await);
    }
}

async fn answered<T>(
    question: impl Future<Output = Result<T, AwsError>>,
    found: impl FnOnce(T) -> Finding,
) -> Finding {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(answer)) => found(answer),
        Ok(Err(error)) => Wrong(error.to_string()),
        Err(_) => Wrong(format!("AWS did not answer within {} s", PATIENCE.as_secs())),
    }
}

fn table(found: &TableReport, keep: Option<Duration>) -> Finding {
    match found {
        _ if !found.is_active() => Wrong(format!("{found}: wait until it is ACTIVE")),
        _ if keep.is_some() && !found.removes_ended => {
            Note(format!("{found}; it does not remove what activity.keep_days ends: run `fairy migrate`"))
        }
        _ => Well(found.to_string()),
    }
}

fn account(found: &Account, rate: Option<f64>) -> Finding {
    let words = format!("SES {found}");
    match found.enforcement.as_str() {
        _ if !found.sends => Wrong(words),
        "SHUTDOWN" => Wrong(words),
        "PROBATION" => Note(words),
        _ if !found.in_production => Note(words),
        _ if rate.is_some_and(|rate| rate > found.most_a_second) => {
            Note(format!("{words}; mail.ses_rate is more than that a second"))
        }
        _ => Well(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(finding: &Finding) -> char {
        match finding {
            Well(_) => 'w',
            Note(_) => 'n',
            Wrong(_) => 'x',
        }
    }

    #[test]
    fn an_account_is_judged_by_what_it_may_do() {
        let well = Account {
            sends: true,
            in_production: true,
            most_a_day: 50_000.0,
            sent_today: 12.0,
            most_a_second: 14.0,
            enforcement: "HEALTHY".to_owned(),
        };
        let named = |enforcement: &str| Account { enforcement: enforcement.to_owned(), ..well.clone() };
        let told = [
            (well.clone(), Some(14.0)),
            (well.clone(), Some(15.0)),
            (named("PROBATION"), None),
            (named("SHUTDOWN"), None),
            (Account { sends: false, ..well.clone() }, None),
            (Account { in_production: false, ..well.clone() }, None),
        ]
        .map(|(found, rate)| mark(&account(&found, rate)));
        assert_eq!(told.iter().collect::<String>(), "wnnxxn");
    }

    #[test]
    fn a_table_is_ready_and_removes_what_has_ended() {
        let active = TableReport {
            name: "fairy".to_owned(),
            status: "ACTIVE".to_owned(),
            entries: 7,
            bytes: 900,
            removes_ended: false,
        };
        let keep = Some(Duration::from_secs(86_400));
        let made = TableReport { status: "CREATING".to_owned(), ..active.clone() };
        let removing = TableReport { removes_ended: true, ..active.clone() };
        let told = [(&active, None), (&active, keep), (&removing, keep), (&made, None)]
            .map(|(found, keep)| mark(&table(found, keep)));
        assert_eq!(told.iter().collect::<String>(), "wnwx");
    }
}
